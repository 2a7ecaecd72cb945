"""The browser of a whole computer, seen from the host: started on the screen inside, mended tab by
tab or as a whole, and remembered, so that its tabs and cookies outlive it."""

import asyncio
import time
from contextlib import suppress

import msgspec

from doer.computers.browser.attach import attach
from doer.computers.browser.browser import Browser
from doer.computers.browser.cdp import Connection
from doer.computers.browser.chromium import windowed
from doer.computers.browser.profile import Options
from doer.computers.browser.state import BrowserState
from doer.computers.inside import HOME, PROXY
from doer.computers.link import Link
from doer.computers.memory import Memory
from doer.computers.text.reader import Reader
from doer.errors import ComputerError
from doer.records.computer import Heal

PROFILE = f"{HOME}/.config/chromium"
DOWNLOADS = f"{HOME}/Downloads"
SCHEMES = frozenset({"http", "https", "file"})
BLANK = "about:blank"
START_S = 60.0
KEEP_S = 2.0


class Window:
    """`ready` before each use. `screen`: width and height in pixels."""

    def __init__(self, link: Link, memory: Memory, screen: tuple[int, int]) -> None:
        self._link, self._memory, self._screen = link, memory, screen
        self._browser: Browser | None = None
        self._reader: Reader | None = None
        self._shown: tuple[tuple[int, str], ...] = ()  # when it was last remembered
        self._remembered_at = 0.0

    @property
    def browser(self) -> Browser:
        """Raises `ComputerError` until `ready` has started it."""
        if self._browser is None:
            raise ComputerError("the browser has not been started: make it ready first")
        return self._browser

    @property
    def reader(self) -> Reader:
        """The text view, in the same Chromium. Raises as `browser` does."""
        if self._reader is None:
            raise ComputerError("the browser has not been started: make it ready first")
        return self._reader

    async def ready(self) -> tuple[Heal, ...]:
        """A browser that can be used, with the tabs it had last; what had to be mended for it."""
        lost = self._browser is not None
        if self._browser is not None:
            health = await self._browser.health()
            if health == "well":
                await self._keep(self._browser)
                return ()
            if health != "gone":
                with suppress(ComputerError):  # else all of Chromium is started anew
                    return (Heal("tab", await self._browser.heal_tab()),)
            self._memory.save(self._last(self._browser))
            await self.close()
        came = await self._start()
        return (Heal("browser", f"{came}; unsent form input may be lost"),) if lost else ()

    async def remember(self) -> None:
        """Keep what the browser has open now."""
        if self._browser is not None and self._browser.profile.alive:
            self._memory.save(await self._browser.state())

    async def adopt(self, state: BrowserState) -> str:
        """Bring another computer's browser into this one, which is fresh; what came, in words."""
        came = await self.browser.restore(state)
        self._memory.save(state)
        return came

    async def close(self) -> None:
        """End the browser; the next one has the tabs that were remembered."""
        if self._reader is not None:
            await self._reader.close()
        if self._browser is not None:
            await self._browser.close()
        self._browser = self._reader = None

    async def _start(self) -> str:
        """What came back of what was remembered."""
        argv = windowed(PROFILE, self._screen, PROXY)
        try:
            async with asyncio.timeout(START_S):
                _, sock = await self._link.browser(argv, PROFILE)
                connection = await Connection.open_socket(sock)
                try:
                    browser = await attach(connection, Options(downloads=DOWNLOADS))
                    came = await self._restored(browser)
                except BaseException:  # half of its tabs shall not be remembered as all of them
                    connection.close()
                    raise
                self._browser = browser
                self._reader = Reader(connection, schemes=SCHEMES)
                return came
        except TimeoutError:
            raise ComputerError(f"the browser was not ready in {START_S:g} s") from None

    async def _restored(self, browser: Browser) -> str:
        try:
            state = self._memory.load()
        except ComputerError as damaged:
            return f"it is blank, because {damaged}"
        return await browser.restore(state) if state is not None else "it is blank"

    async def _keep(self, browser: Browser) -> None:
        """Remember now and then, and whenever a tab has gone somewhere."""
        shown = tuple((number, tab.url) for number, tab in browser.profile.tabs.items())
        now = time.monotonic()
        if shown != self._shown or now - self._remembered_at > KEEP_S:
            await self.remember()
            self._shown, self._remembered_at = shown, now

    def _last(self, browser: Browser) -> BrowserState:
        """What is known of a dead browser. One that dies slowly closes its tabs first: then what
        was kept of it is all there is."""
        kept, known = self._memory.load() or BrowserState(), browser.remembered()
        shown = [tab for tab in known.tabs if tab.url not in ("", BLANK)]
        if len(shown) < len(kept.tabs):
            return kept
        return msgspec.structs.replace(known, cookies=known.cookies or kept.cookies)
