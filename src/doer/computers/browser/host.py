"""One Chromium that makes isolated pages, for training: a page in a context of its own each."""

import asyncio
from typing import Self

from doer.computers.browser.browser import ACTION_S, OPEN_S, Browser
from doer.computers.browser.cdp import CdpError, Connection
from doer.computers.browser.chromium import Chromium, start
from doer.computers.browser.fittings import PAGE_JS, Fittings
from doer.computers.browser.tab import Tab
from doer.errors import ComputerError

VIEWPORT = (1280, 800)


class BrowserHost:
    """Owns one Chromium; makes isolated pages in it, and starts a new one when it has died."""

    def __init__(self, chromium: Chromium) -> None:
        self.restarts = 0
        self._chromium = chromium
        self._healing = asyncio.Lock()
        self._closed = False

    @classmethod
    async def start(cls) -> Self:
        """Raises `ComputerError` when Chromium is missing or does not start."""
        return cls(await start())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Kill Chromium. May be repeated."""
        async with self._healing:
            self._closed = True
            await self._chromium.close()

    async def new_browser(
        self,
        init_script: str = "",
        viewport: tuple[int, int] = VIEWPORT,
        *,
        action_s: float = ACTION_S,
        open_s: float = OPEN_S,
    ) -> Browser:
        """A blank page in a context of its own. `init_script` runs in every document before its own
        scripts; `viewport` is width and height in CSS pixels."""
        await self._heal()
        connection = self._chromium.connection
        try:
            async with asyncio.timeout(open_s):
                fittings = Fittings(script=PAGE_JS + init_script, viewport=viewport)
                context, tab = await _new_tab(connection, fittings)
        except TimeoutError:
            connection.close()  # of no use to anybody; the next call starts another
            raise ComputerError(f"Chromium made no page in {open_s:g} s") from None
        except CdpError as error:
            raise ComputerError(f"no new page: {error}") from error
        return Browser(connection, context, tab, action_s=action_s, open_s=open_s)

    async def _heal(self) -> None:
        async with self._healing:
            if self._closed:
                raise ComputerError("this browser host is closed")
            if not self._chromium.connection.alive:
                await self._chromium.close()
                self._chromium = await start()
                self.restarts += 1


async def _new_tab(connection: Connection, fittings: Fittings) -> tuple[str, Tab]:
    """A context's id and the one tab in it."""
    context = (await connection.call("Target.createBrowserContext"))["browserContextId"]
    try:
        place = {"url": "about:blank", "browserContextId": context}
        target = (await connection.call("Target.createTarget", place))["targetId"]
        attach = {"targetId": target, "flatten": True}
        session = (await connection.call("Target.attachToTarget", attach))["sessionId"]
        tab = Tab(connection, session, target, fittings)
        tab.fit()
        await tab.fitted()
    except BaseException:
        connection.send("Target.disposeBrowserContext", {"browserContextId": context})
        raise
    return context, tab
