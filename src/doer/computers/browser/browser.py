"""A browser that is read and acted on by reference: one page of many, or a whole profile's tabs.

An action is three round trips: check and find the element, send trusted input, let the page settle
and read it. `Browser` never owns the Chromium process.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec

from doer.computers.browser import keys, mouse
from doer.computers.browser.cdp import CdpError, Command, Connection
from doer.computers.browser.dialogs import Blocked
from doer.computers.browser.healing import Health, heal, health
from doer.computers.browser.page_view import PageView
from doer.computers.browser.pointing import aim, aim_between, ask, describe, middle_of_page
from doer.computers.browser.profile import Cookie, Profile, cookies, set_cookies
from doer.computers.browser.sight import Sight
from doer.computers.browser.state import BrowserState, remembered, restore, save
from doer.computers.browser.tab import Tab
from doer.computers.browser.uploads import upload
from doer.errors import ComputerError, PartMissing, ToolError

SCHEMES = frozenset({"about", "data", "http", "https"})  # not file:, not chrome:
ACTION_S = 10.0
OPEN_S = 30.0
CLOSE_S = 5.0
LOAD_SHARE = 0.8  # of a deadline may pass in waiting for a page to load before it is read as it is
REDIRECTS = 5  # documents that may follow each other after one action


class Browser:
    """One page in its own browser context (cookies, storage), or all tabs of a profile, of which
    one is current. One caller at a time.

    Every method raises `ToolError` when the action cannot be done as asked, `ComputerError` when
    the page is dead or past its deadline (then `alive` is False; `heal_tab` helps a profile's), and
    `SiteError` when a script of the page's own breaks what is asked of it.
    """

    def __init__(
        self,
        connection: Connection,
        context: str,
        page: Tab | Profile,
        *,
        action_s: float = ACTION_S,
        open_s: float = OPEN_S,
    ) -> None:
        self._connection = connection
        self._context = context
        self._page = page
        self._profile = page if isinstance(page, Profile) else None
        self._sight = Sight(self._tab)
        self._saved = BrowserState()
        self._action_s = action_s
        self._open_s = open_s

    @property
    def alive(self) -> bool:
        if self._profile is not None and not self._profile.tabs.items():
            return False
        return self._tab.alive

    @property
    def profile(self) -> Profile:
        """Tabs and downloads. Raises `PartMissing` where the browser is one page."""
        if self._profile is None:
            raise PartMissing("this browser is one page: it has no tabs and keeps no files")
        return self._profile

    @property
    def _tab(self) -> Tab:
        return self._page.tabs.current if isinstance(self._page, Profile) else self._page

    async def open(self, url: str) -> None:
        """Go to an address and wait until it has loaded, or for most of the deadline. Raises
        `ToolError` when the site does not answer, and for anything but web addresses."""
        allowed = SCHEMES if self._profile is None else SCHEMES | {"file"}
        if url.partition(":")[0].lower() not in allowed:
            raise ToolError(f"{url} is not a web address: it has to begin with https://")
        async with self._deadline(f"open {url}", self._open_s) as tab:
            if self._profile is not None:
                self._profile.tabs.leave()
            error = await tab.navigate(url, self._open_s * LOAD_SHARE)
        if error:
            raise ToolError(f"{url} could not be opened: {error}")

    async def back(self) -> PageView:
        return await self._travel("back", -1)

    async def forward(self) -> PageView:
        return await self._travel("forward", 1)

    async def reload(self) -> PageView:
        return await self._travel("reload", 0)

    async def read(self) -> PageView:
        """The page as it is now."""
        async with self._deadline("read", self._action_s):
            return await self._view("__doer.read()")

    async def click(self, ref: int) -> PageView:
        async with self._deadline(f"click {ref}", self._action_s) as tab:
            found = await aim(tab, self._known(tab), ref)
            await tab.send_all(mouse.click(found.start))
            return await self._settled()

    async def type(self, ref: int, text: str) -> PageView:
        """Replace a field's content. The last character is a key stroke, so that pages which listen
        to keys and not to input (many suggestion lists) notice; the rest is inserted at once."""
        async with self._deadline(f"type {ref}", self._action_s) as tab:
            found = await aim(tab, self._known(tab), ref, edit=True)
            if found.parted:
                await ask(tab, self._sight, "fill", ref, text)
            else:
                start = mouse.click(found.start)
                await tab.send_all([*start, *keys.press("Control+a"), *_typing(text)])
            return await self._settled()

    async def select(self, ref: int, option: str) -> PageView:
        """Choose an option of a <select>. Done by script, with input and change events: the list it
        opens is drawn by the window system, which a headless browser does not have."""
        async with self._deadline(f"select {ref}", self._action_s) as tab:
            await ask(tab, self._known(tab), "select", ref, option)
            return await self._settled()

    async def press(self, names: str) -> PageView:
        """Press keys in the focused element: `Enter`, `Control+a`."""
        async with self._deadline(f"press {names}", self._action_s) as tab:
            await tab.send_all(keys.press(names))
            return await self._settled()

    async def scroll(self, ref: int | None, dy: int) -> PageView:
        """Turn the wheel over an element, or over the middle of the page, by `dy` CSS pixels."""
        async with self._deadline(f"scroll {dy}", self._action_s) as tab:
            if ref is None:
                found = await middle_of_page(tab)
            else:
                found = await aim(tab, self._known(tab), ref)
            await tab.send_all([mouse.move(found.start), mouse.wheel(found.start, dy)])
            return await self._view("__doer.scrolledRead()")

    async def drag(self, ref: int, to: int | None = None, dx: int = 0, dy: int = 0) -> PageView:
        """Drag an element by an offset in CSS pixels, from where it is or from another's middle.
        Every move is waited for: moves that come together reach the page as one."""
        async with self._deadline(f"drag {ref}", self._action_s) as tab:
            sight = self._known(tab)
            if to is None:
                found = await aim(tab, sight, ref)
            else:
                found = await aim_between(tab, sight, ref, to)
            x, y = found.end or found.start
            end = (x + dx, y + dy)
            await tab.send_all([mouse.move(found.start), mouse.press(found.start)])
            for point in mouse.path(found.start, end):
                await tab.send_all([mouse.move(point, held=True)])
            await tab.send_all([mouse.release(end)])
            return await self._settled()

    async def upload(self, ref: int | None, paths: Sequence[str]) -> PageView:
        """Give files to a file input, to what a click on `ref` asks for, or (None) to what the page
        has asked for. `paths` are absolute, in the computer; its owner sees that they are there."""
        async with self._deadline(f"upload {ref}", self._action_s) as tab:
            await upload(tab, self._known(tab), ref, paths)
            return await self._settled()

    async def dialog(self, accept: bool, text: str = "") -> PageView:
        """Answer the question that the page waits with; `text` goes into a prompt."""
        async with self._deadline("dialog", self._action_s) as tab:
            if tab.dialogs.pending is None:
                raise ToolError("the page shows no dialog")
            tab.dialogs.answer(accept, text)
            return await self._settled()

    async def park(self) -> None:
        """Move the pointer into the corner at the lower right, off what it may be pointing at."""
        async with self._deadline("park", self._action_s) as tab:
            corner = await tab.evaluate("[innerWidth - 1, innerHeight - 1]", mouse.Point)
            await tab.send_all([mouse.move(corner)])

    async def evaluate(self, expression: str) -> Any:
        """The value of a script in the page; promises are awaited. Raises `SiteError` when it
        throws."""
        async with self._deadline("evaluate", self._action_s) as tab:
            return await tab.evaluate(expression, object)

    async def describe(self, ref: int) -> dict[str, Any]:
        """Facts about an element, now: role, name, value, tag, url of its document, and where they
        apply href, form_action, form_method."""
        async with self._deadline(f"describe {ref}", self._action_s) as tab:
            return await describe(tab, self._known(tab), ref)

    async def screenshot(self) -> bytes:
        """The viewport as JPEG."""
        async with self._deadline("screenshot", self._action_s) as tab:
            params = {"format": "jpeg", "quality": 80}
            answer = await tab.send("Page.captureScreenshot", params)
            return msgspec.json.decode(answer, type=_Screenshot).data

    async def cookies(self) -> tuple[Cookie, ...]:
        """All cookies of the context or profile, HttpOnly ones too, as `set_cookies` takes them."""
        return await cookies(self._connection, self._context)

    async def set_cookies(self, given: Sequence[Cookie]) -> None:
        """Add or replace cookies."""
        await set_cookies(self._connection, self._context, given)

    async def state(self) -> BrowserState:
        """What a profile's tabs, cookies and stores can be restored from, elsewhere."""
        self._saved = await save(self._connection, self.profile)
        return self._saved

    def remembered(self) -> BrowserState:
        """The same as far as it is known without Chromium, also after its death: the tabs as they
        were, with the cookies, stores and forms of the last `state`."""
        return remembered(self.profile, self._saved)

    async def restore(self, state: BrowserState) -> str:
        """Bring a state into this browser, which has just been started; what came back."""
        return await restore(self._connection, self.profile, state)

    async def health(self) -> Health:
        """Of the current tab; takes a few seconds when it does not answer."""
        if self._profile is not None and not self._profile.tabs.items():
            return "crashed" if self._connection.alive else "gone"
        return await health(self._connection, self._tab)

    async def heal_tab(self) -> str:
        """Bring a profile's current tab back; what that has cost. Raises `ComputerError` when only
        another Chromium helps."""
        return await heal(self._connection, self.profile.tabs)

    async def close(self) -> None:
        """Throw the page and its context away, dead or alive; of a profile only our line to it.
        Raises nothing, may be repeated."""
        if isinstance(self._page, Profile):
            self._connection.close()
            return
        self._page.die("this page is closed")
        with suppress(ComputerError, CdpError):
            params = {"browserContextId": self._context}
            await self._connection.call("Target.disposeBrowserContext", params, timeout_s=CLOSE_S)

    def _known(self, tab: Tab) -> Sight:
        """Where the references lead that were read last."""
        if self._sight.tab is not tab:
            raise ToolError("the tab that was read is not the current one any more: read the page")
        return self._sight

    async def _travel(self, what: str, step: int) -> PageView:
        async with self._deadline(what, self._open_s) as tab:
            if self._profile is not None:
                self._profile.tabs.leave()
            await tab.travel(step, self._open_s * LOAD_SHARE)
            return await self._view("__doer.read()")

    async def _settled(self) -> PageView:
        return await self._view("__doer.settledRead()")

    async def _view(self, expression: str) -> PageView:
        tab = self._tab
        if self._sight.tab is not tab:
            self._sight = Sight(tab)
        try:
            view = await self._sight.see(await self._read(tab, expression))
        except Blocked:
            view = self._sight.blocked()
        if self._profile is not None:
            await self._profile.told(tab)
            if self._tab is not tab:  # the page has opened another meanwhile
                return await self._view("__doer.read()")
        tab.dialogs.viewed()
        notes = tab.notes.take() if self._profile is None else self._profile.take_notes(tab)
        return msgspec.structs.replace(view, notes=view.notes + notes) if notes else view

    async def _read(self, tab: Tab, expression: str) -> str:
        """Read; while a new document is on its way wait for it and read that."""
        if tab.dialogs.pending is not None:
            raise Blocked
        for _ in range(REDIRECTS):
            with suppress(CdpError):  # the document went away under the script
                text = await tab.evaluate(expression, str)
                if not tab.loading:
                    return text
            if not await tab.loaded(self._action_s * LOAD_SHARE):
                break
        return await tab.evaluate(expression, str)

    @asynccontextmanager
    async def _deadline(self, what: str, seconds: float) -> AsyncGenerator[Tab]:
        tab = self._tab
        try:
            async with asyncio.timeout(seconds):
                yield tab
        except TimeoutError:
            why = f"{what}: the page did not answer in {seconds:g} s"
        except CdpError as error:
            why = f"{what}: {error}"
        except Blocked:
            raise ToolError(f"{what}: the page has opened a dialog meanwhile: read it") from None
        else:
            return
        tab.die(why)
        raise ComputerError(why)


class _Screenshot(msgspec.Struct):
    data: bytes  # msgspec decodes the base64


def _typing(text: str) -> list[Command]:
    if not text:
        return keys.stroke("Backspace")
    if not text[-1].isprintable():
        return [("Input.insertText", {"text": text})]
    rest: list[Command] = [("Input.insertText", {"text": text[:-1]})] if text[1:] else []
    return [*rest, *keys.stroke(text[-1])]
