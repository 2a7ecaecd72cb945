"""A browser page that is read and acted on by reference.

An action is three round trips: check and find the element, send trusted input, let the page settle
and read it. `Browser` never owns the Chromium process.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec

from doer.computers.browser import keys, mouse
from doer.computers.browser.cdp import CdpError, Command, Connection
from doer.computers.browser.page_view import PageView
from doer.computers.browser.tab import Tab
from doer.errors import ComputerError, ToolError

SCHEMES = frozenset({"about", "data", "http", "https"})  # not file:, not chrome:
ACTION_S = 10.0
OPEN_S = 30.0
CLOSE_S = 5.0
LOAD_SHARE = 0.8  # of a deadline may pass in waiting for a page to load before it is read as it is
REDIRECTS = 5  # documents that may follow each other after one action


class _Aim(msgspec.Struct):
    """What `__doer.aim` and its kin answer."""

    refused: str = ""
    start: mouse.Point = (0, 0)
    end: mouse.Point | None = None
    parted: bool = False  # a date or the like, whose parts take keys one by one


class Browser:
    """One page in its own browser context (cookies, storage). One caller at a time.

    Every method raises `ToolError` when the action cannot be done as asked, `ComputerError` when
    the page is dead or past its deadline (then `alive` is False and only `close` is of use), and
    `SiteError` when a script of the page's own breaks what is asked of it.
    """

    def __init__(
        self,
        connection: Connection,
        context: str,
        tab: Tab,
        *,
        action_s: float = ACTION_S,
        open_s: float = OPEN_S,
    ) -> None:
        self._connection = connection
        self._context = context
        self._tab = tab
        self._action_s = action_s
        self._open_s = open_s

    @property
    def alive(self) -> bool:
        return self._tab.alive

    async def open(self, url: str) -> None:
        """Go to an address and wait until it has loaded, or for most of the deadline. Raises
        `ToolError` when the site does not answer, and for anything but web addresses."""
        if url.partition(":")[0].lower() not in SCHEMES:
            raise ToolError(f"{url} is not a web address: it has to begin with https://")
        async with self._deadline(f"open {url}", self._open_s):
            error = await self._tab.navigate(url, self._open_s * LOAD_SHARE)
        if error:
            raise ToolError(f"{url} could not be opened: {error}")

    async def read(self) -> PageView:
        """The page as it is now."""
        async with self._deadline("read", self._action_s):
            return await self._view("__doer.read()")

    async def click(self, ref: int) -> PageView:
        async with self._deadline(f"click {ref}", self._action_s):
            aim = await self._ask(f"__doer.aim({ref})")
            await self._tab.send_all(mouse.click(aim.start))
            return await self._settled()

    async def type(self, ref: int, text: str) -> PageView:
        """Replace a field's content. The last character is a key stroke, so that pages which listen
        to keys and not to input (many suggestion lists) notice; the rest is inserted at once."""
        async with self._deadline(f"type {ref}", self._action_s):
            aim = await self._ask(f"__doer.aim({ref}, {{edit: true}})")
            if aim.parted:
                await self._ask(f"__doer.fill({ref}, {_js(text)})")
            else:
                commands = [*mouse.click(aim.start), *keys.press("Control+a"), *_typing(text)]
                await self._tab.send_all(commands)
            return await self._settled()

    async def select(self, ref: int, option: str) -> PageView:
        """Choose an option of a <select>. Done by script, with input and change events: the list it
        opens is drawn by the window system, which a headless browser does not have."""
        async with self._deadline(f"select {ref}", self._action_s):
            await self._ask(f"__doer.select({ref}, {_js(option)})")
            return await self._settled()

    async def press(self, names: str) -> PageView:
        """Press keys in the focused element: `Enter`, `Control+a`."""
        async with self._deadline(f"press {names}", self._action_s):
            await self._tab.send_all(keys.press(names))
            return await self._settled()

    async def scroll(self, ref: int | None, dy: int) -> PageView:
        """Turn the wheel over an element, or over the middle of the page, by `dy` CSS pixels."""
        async with self._deadline(f"scroll {dy}", self._action_s):
            aim = await self._ask(f"__doer.aim({_js(ref)})")
            await self._tab.send_all([mouse.move(aim.start), mouse.wheel(aim.start, dy)])
            return await self._view("__doer.scrolledRead()")

    async def drag(self, ref: int, to: int | None = None, dx: int = 0, dy: int = 0) -> PageView:
        """Drag an element by an offset in CSS pixels, from where it is or from another's middle.
        Every move is waited for: moves that come together reach the page as one."""
        async with self._deadline(f"drag {ref}", self._action_s):
            aim = await self._ask(f"__doer.aim({ref}, {{to: {_js(to)}}})")
            x, y = aim.end or aim.start
            end = (x + dx, y + dy)
            await self._tab.send_all([mouse.move(aim.start), mouse.press(aim.start)])
            for point in mouse.path(aim.start, end):
                await self._tab.send_all([mouse.move(point, held=True)])
            await self._tab.send_all([mouse.release(end)])
            return await self._settled()

    async def park(self) -> None:
        """Move the pointer into the corner at the lower right, off what it may be pointing at."""
        async with self._deadline("park", self._action_s):
            corner = await self._tab.evaluate("[innerWidth - 1, innerHeight - 1]", mouse.Point)
            await self._tab.send_all([mouse.move(corner)])

    async def evaluate(self, expression: str) -> Any:
        """The value of a script in the page; promises are awaited. Raises `SiteError` when it
        throws."""
        async with self._deadline("evaluate", self._action_s):
            return await self._tab.evaluate(expression, object)

    async def describe(self, ref: int) -> dict[str, Any]:
        """Facts about an element, now: role, name, value, tag, url of the page, and where they
        apply href, form_action, form_method."""
        async with self._deadline(f"describe {ref}", self._action_s):
            facts = await self._tab.evaluate(f"__doer.describe({ref})", dict[str, Any])
        if refused := facts.get("refused"):
            raise ToolError(refused)
        return facts

    async def screenshot(self) -> bytes:
        """The viewport as JPEG."""
        async with self._deadline("screenshot", self._action_s):
            params = {"format": "jpeg", "quality": 80}
            answer = await self._tab.send("Page.captureScreenshot", params)
            return msgspec.json.decode(answer, type=_Screenshot).data

    async def close(self) -> None:
        """Throw the page and its context away, dead or alive. Raises nothing, may be repeated."""
        self._tab.die("this page is closed")
        with suppress(ComputerError, CdpError):
            params = {"browserContextId": self._context}
            await self._connection.call("Target.disposeBrowserContext", params, timeout_s=CLOSE_S)

    async def _ask(self, expression: str) -> _Aim:
        aim = await self._tab.evaluate(expression, _Aim)
        if aim.refused:
            raise ToolError(aim.refused)
        return aim

    async def _settled(self) -> PageView:
        return await self._view("__doer.settledRead()")

    async def _view(self, expression: str) -> PageView:
        view = msgspec.json.decode(await self._read(expression), type=PageView)
        if self._tab.notes:
            view = msgspec.structs.replace(view, notes=tuple(self._tab.notes))
            self._tab.notes.clear()
        return view

    async def _read(self, expression: str) -> str:
        """Read; while a new document is on its way wait for it and read that."""
        for _ in range(REDIRECTS):
            with suppress(CdpError):  # the document went away under the script
                text = await self._tab.evaluate(expression, str)
                if not self._tab.loading:
                    return text
            if not await self._tab.loaded(self._action_s * LOAD_SHARE):
                break
        return await self._tab.evaluate(expression, str)

    @asynccontextmanager
    async def _deadline(self, what: str, seconds: float) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            why = f"{what}: the page did not answer in {seconds:g} s"
        except CdpError as error:
            why = f"{what}: {error}"
        else:
            return
        self._tab.die(why)
        raise ComputerError(why)


class _Screenshot(msgspec.Struct):
    data: bytes  # msgspec decodes the base64


def _js(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _typing(text: str) -> list[Command]:
    if not text:
        return keys.stroke("Backspace")
    if not text[-1].isprintable():
        return [("Input.insertText", {"text": text})]
    rest: list[Command] = [("Input.insertText", {"text": text[:-1]})] if text[1:] else []
    return [*rest, *keys.stroke(text[-1])]
