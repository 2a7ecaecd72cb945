"""The tabs of one Chromium's profile: those that we open, those that pages open, and those that
were there. Chromium attaches every new one, stopped, so that it is fitted before its page runs.

A page's new tab becomes the current one when the page that opened it was. Beyond `LIMIT` tabs new
ones are closed at once. Hidden tabs (of the text view) are no pages to Chromium: it attaches none.
"""

import asyncio
from contextlib import suppress

import msgspec

from doer.computers.browser.cdp import CdpError, Command, Connection
from doer.computers.browser.dialogs import Blocked
from doer.computers.browser.fittings import Fittings
from doer.computers.browser.frames import Elsewhere
from doer.computers.browser.notes import Notes
from doer.computers.browser.tab import Tab
from doer.errors import ComputerError, ToolError

LIMIT = 10
LOOK_S = 2.0
PAGES: Command = (
    "Target.setAutoAttach",
    {
        "autoAttach": True,
        "waitForDebuggerOnStart": True,
        "flatten": True,
        "filter": [{"type": "page"}, {"exclude": True}],
    },
)


class TabInfo(msgspec.Struct, frozen=True):
    """A tab as it is listed. `number` is its own for as long as the browser runs."""

    number: int
    title: str
    url: str
    current: bool
    alive: bool


class _Target(msgspec.Struct, frozen=True, rename="camel"):
    target_id: str = ""
    title: str = ""
    url: str = ""
    opener_id: str = ""


class _Attached(msgspec.Struct, rename="camel"):
    session_id: str = ""
    waiting_for_debugger: bool = False
    target_info: _Target = _Target()


class _Targets(msgspec.Struct, rename="camel"):
    target_infos: list[_Target] = []


class Tabs:
    """`adopt` first. `elsewhere` hears what a tab does not know of its events."""

    def __init__(
        self,
        connection: Connection,
        fittings: Fittings,
        notes: Notes,
        elsewhere: Elsewhere,
        limit: int = LIMIT,
    ) -> None:
        self._connection = connection
        self._fittings = fittings
        self._notes = notes
        self._elsewhere = elsewhere
        self._limit = limit
        self._tabs: dict[int, Tab] = {}
        self._unclaimed: dict[str, Tab] = {}  # attached while we are opening tabs ourselves
        self._opening = 0
        self._last = 0
        self._current = 0
        self._before: list[int] = []  # numbers of tabs that were current, the latest last
        self._rescue: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()
        self._decode = msgspec.json.Decoder(_Attached).decode

    async def adopt(self) -> None:
        """Take over the tabs that are there; open one when there is none. Raises `CdpError`,
        `ComputerError`."""
        method, params = PAGES
        await self._connection.call(method, params)
        if not self._tabs:
            await self.open()

    @property
    def current(self) -> Tab:
        """Raises `ComputerError` while there is no tab at all."""
        if self._current not in self._tabs:
            raise ComputerError("the browser has no open tab")
        return self._tabs[self._current]

    @property
    def number(self) -> int:
        """The current tab's."""
        return self._current

    def items(self) -> tuple[tuple[int, Tab], ...]:
        return tuple(self._tabs.items())

    async def infos(self) -> tuple[TabInfo, ...]:
        """All tabs, in order of opening."""
        answer = await self._connection.send("Target.getTargets")
        targets = msgspec.json.decode(answer, type=_Targets).target_infos
        known = {target.target_id: target for target in targets}
        infos: list[TabInfo] = []
        for number, tab in self._tabs.items():
            target = known.get(tab.target, _Target())
            current = number == self._current
            infos.append(TabInfo(number, target.title, target.url, current, tab.alive))
        return tuple(infos)

    async def open(self) -> Tab:
        """A blank tab, the current one from now on. Raises `ToolError` when there are too many."""
        if len(self._tabs) >= self._limit:
            raise ToolError(f"there are {len(self._tabs)} tabs already: close one first")
        tab = await self._make()
        self._go(self._add(tab))
        return tab

    async def switch(self, number: int) -> None:
        """Make a tab the current one. A question that waits in the old one is declined."""
        tab = self._known(number)
        self.leave()
        self._go(number)
        with suppress(CdpError):
            await self._connection.call("Target.activateTarget", {"targetId": tab.target})

    async def close(self, number: int) -> None:
        """Close a tab; a blank one is opened when it was the last."""
        tab = self._known(number)
        self.leave()
        if len(self._tabs) == 1:
            await self.open()
        self._remove(number)
        tab.die("this tab is closed")
        await self._close(tab.target)

    async def replace(self, tab: Tab) -> Tab:
        """A new tab at the place of one that cannot be saved, blank."""
        fresh = await self._make()
        for number, one in self._tabs.items():
            if one is tab:
                self._tabs[number] = fresh
        tab.die("this tab was given up")
        await self._close(tab.target)
        return fresh

    async def attach_again(self, tab: Tab) -> Tab:
        """The same page by a new session: of a tab that was given up."""
        params = {"targetId": tab.target, "flatten": True}
        answer = await self._connection.call("Target.attachToTarget", params, timeout_s=5.0)
        fresh = self._fit(answer["sessionId"], tab.target)
        fresh.url = tab.url
        self._connection.send("Target.detachFromTarget", {"sessionId": tab.session})
        for number, one in self._tabs.items():
            if one is tab:
                self._tabs[number] = fresh
        return fresh

    async def arrived(self, tab: Tab, timeout_s: float) -> None:
        """Wait for the windows that a tab's page has opened. It may be in vain: a page may name one
        that is there already."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while tab.windows > 0 and tab.alive:
                    self._arrived.clear()
                    await self._arrived.wait()
        tab.windows = 0

    async def follow(self) -> None:
        """Make the tab current that the window shows: a person may have switched."""
        commands: list[Command] = [
            ("Emulation.setFocusEmulationEnabled", {"enabled": on}) for on in (False, True)
        ]
        for number, tab in list(self._tabs.items()):
            with suppress(CdpError, ComputerError, ToolError, Blocked, TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await tab.send_all(commands[:1])
                    shown = await tab.evaluate("document.visibilityState", str) == "visible"
                    await tab.send_all(commands[1:])
                    if shown and number != self._current:
                        self.leave()
                        self._go(number)
                        return

    def leave(self) -> None:
        """Decline what a tab asks: nobody is going to answer it."""
        for tab in self._tabs.values():
            if tab.dialogs.pending is not None:
                tab.dialogs.answer(False, "")

    def take_notes(self) -> list[str]:
        """What happened in tabs that are not the current one."""
        notes: list[str] = []
        for number, tab in self._tabs.items():
            if number != self._current and tab.notes:
                notes += [f"tab {number}: {note}" for note in tab.notes.take()]
        return notes

    def hear(self, method: str, params: msgspec.Raw) -> None:
        """An event of the whole browser."""
        match method:
            case "Target.attachedToTarget":
                self._attached(self._decode(params))
            case "Target.detachedFromTarget":
                self._detached(self._decode(params).session_id)
            case _:
                pass

    def _attached(self, event: _Attached) -> None:
        target = event.target_info
        if self._knows(target.target_id):
            return  # attached to again
        self._expected(target.opener_id)
        if len(self._tabs) >= self._limit and (target.opener_id or not self._opening):
            self._connection.send("Target.closeTarget", {"targetId": target.target_id})
            self._notes.add(f"a new window was closed at once: {self._limit} tabs are open already")
            return
        tab = self._fit(event.session_id, target.target_id)
        tab.url = target.url
        if self._opening and not target.opener_id:
            self._unclaimed[target.target_id] = tab
        else:
            tab.loading = event.waiting_for_debugger
            self._welcome(tab, target.opener_id)

    def _expected(self, opener_id: str) -> None:
        for tab in self._tabs.values():
            if tab.target == opener_id:
                tab.windows -= 1
        self._arrived.set()

    def _welcome(self, tab: Tab, opener_id: str = "") -> None:
        opener = next((n for n, t in self._tabs.items() if t.target == opener_id), 0)
        number = self._add(tab)
        if not self._current:
            self._go(number)
        elif opener == self._current:
            self._go(number)
            self._notes.add(f"the page opened a new tab, {number}, which is the current one now")
        else:
            whose = f"tab {opener}" if opener else "somebody"
            self._notes.add(f"{whose} opened a new tab, {number}")

    def _detached(self, session: str) -> None:
        for number, tab in list(self._tabs.items()):
            if tab.session != session:
                continue
            tab.closed()
            self._remove(number)
            self._notes.add(f"tab {number} was closed")
            if not self._tabs and self._connection.alive:
                self._rescue = asyncio.create_task(self._reopen())

    async def _reopen(self) -> None:
        with suppress(CdpError, ComputerError, ToolError):
            await self.open()

    async def _make(self) -> Tab:
        self._opening += 1
        try:
            made = await self._connection.call("Target.createTarget", {"url": "about:blank"})
            tab = self._unclaimed.pop(made["targetId"], None)
        finally:
            self._opening -= 1
            if not self._opening:
                unclaimed, self._unclaimed = self._unclaimed, {}
                for stray in unclaimed.values():
                    self._welcome(stray)
        if tab is None:
            raise ComputerError("Chromium made a tab and did not hand it over")
        await tab.fitted()
        return tab

    def _fit(self, session: str, target: str) -> Tab:
        tab = Tab(self._connection, session, target, self._fittings, self._elsewhere)
        tab.fit()
        return tab

    def _knows(self, target: str) -> bool:
        return any(tab.target == target for tab in self._tabs.values())

    def _known(self, number: int) -> Tab:
        if number not in self._tabs:
            there = ", ".join(map(str, self._tabs)) or "none"
            raise ToolError(f"there is no tab {number}; there are: {there}")
        return self._tabs[number]

    def _add(self, tab: Tab) -> int:
        self._last += 1
        self._tabs[self._last] = tab
        return self._last

    def _go(self, number: int) -> None:
        if self._current and self._current != number:
            self._before.append(self._current)
        self._current = number

    def _remove(self, number: int) -> None:
        """Forget it; the current one is then the one that was current before it."""
        del self._tabs[number]
        if number != self._current:
            return
        self._before = [one for one in self._before if one in self._tabs]
        self._current = self._before.pop() if self._before else max(self._tabs, default=0)

    async def _close(self, target: str) -> None:
        with suppress(CdpError, ComputerError):
            await self._connection.call("Target.closeTarget", {"targetId": target}, timeout_s=5.0)
