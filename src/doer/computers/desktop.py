"""A whole computer: its parts start when they are first used, and are mended when they have died.

The ladder: a hung tab is opened again, a dead browser is started with its tabs and cookies, a dead
screen by the daemon inside, a dead sandbox with its files. Whoever makes a part ready next is told;
calls under way fail at once with `ComputerError`.
"""

import asyncio
import time
from functools import partial

from doer.computers.backend import Backend
from doer.computers.browser.browser import Browser
from doer.computers.browser.state import BrowserState
from doer.computers.computer import Computer
from doer.computers.home import Home
from doer.computers.link import Link
from doer.computers.memory import Memory
from doer.computers.network.part import Network
from doer.computers.screen.keyboard import LOAD
from doer.computers.screen.screen import Screen
from doer.computers.shell import Shell
from doer.computers.terminal import Terminals
from doer.computers.text.reader import Reader
from doer.computers.window import Window
from doer.errors import ComputerError
from doer.records.computer import Heal, Part

PING_S = 15.0  # a restart loses what runs: a loaded machine shall not cause one
PARTS: tuple[Part, ...] = ("shell", "files", "browser", "screen", "network")
ENDED = "what ran in it has ended, its files are kept"


class DesktopComputer(Computer):
    """The computer of this name on a backend. Closing it leaves the computer running, but for the
    browser, which is remembered. One caller at a time may use the browser or the screen; the shell
    and the files take any number."""

    def __init__(self, backend: Backend, name: str, memory: Memory) -> None:
        super().__init__()
        self.name = name
        self._backend = backend
        self._link = link = Link(partial(backend.dial, name))
        self._shell = Shell(link)
        self._terminals = Terminals(link)
        self._home = Home(link)
        self._network = Network(backend, name)
        self._screen = Screen(partial(backend.dial, name, "screen"), self._load_keyboard)
        self._size = backend.spec(name).screen
        self._window = Window(link, memory, self._size)
        self._mending = asyncio.Lock()
        self._boot = ""
        self._told = time.time()  # incidents before are not this user's
        self._screen_restarts: int | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        return PARTS

    @property
    def shell(self) -> Shell:
        return self._shell

    @property
    def terminals(self) -> Terminals:
        return self._terminals

    @property
    def files(self) -> Home:
        return self._home

    @property
    def network(self) -> Network:
        return self._network

    @property
    def screen(self) -> Screen:
        return self._screen

    @property
    def browser(self) -> Browser:
        """Raises `ComputerError` until `ready("browser")` has started it."""
        return self._window.browser

    @property
    def reader(self) -> Reader:
        """The text view of the browser; raises as `browser` does."""
        return self._window.reader

    @property
    def link(self) -> Link:
        """The daemon inside: windows, processes."""
        return self._link

    async def ready(self, part: Part) -> tuple[Heal, ...]:
        async with self._mending:
            heals = await self._sandbox()
            if part in ("browser", "screen"):
                heals += await self._desktop()
            if part == "browser":
                heals += await self._window.ready()
            return heals

    async def remember(self) -> None:
        """Keep on the host what is open in the browser now: what a snapshot or a fork needs."""
        await self._window.remember()

    async def adopt(self, state: BrowserState) -> str:
        """Take over what the browser of another computer had open (`browser.state()` there), in
        this one, whose browser is ready and blank: logins, tabs, what their pages held. What came,
        in words."""
        async with self._mending:
            return await self._window.adopt(state)

    async def close(self) -> None:
        """Let go of it. What runs goes on, but for the browser, which is remembered."""
        try:
            await self._window.remember()
        finally:
            await self.abandon()

    async def abandon(self) -> None:
        """Let go of it and remember nothing."""
        await self._window.close()
        await self._screen.close()

    async def _sandbox(self) -> tuple[Heal, ...]:
        """It runs and answers. One that does not answer is started anew."""
        befell = self._backend.incidents(self.name, self._told)
        heals = [Heal(one.what, one.said, "limit reached") for one in befell if one.what != "ended"]
        self._told = max((one.at for one in befell), default=self._told)
        heals += await self._backend.start(self.name)
        try:
            pong = await self._link.ping(PING_S)
        except ComputerError:
            if await self._backend.state(self.name) == "paused":
                raise ComputerError(f"{self.name} is paused: resume it first") from None
            await self._backend.stop(self.name)
            await self._backend.start(self.name)
            pong = await self._link.ping(PING_S)
        known, self._boot = self._boot, pong.boot
        if known and known != pong.boot:
            self._screen_restarts = None
            heals.append(Heal("computer", ENDED))
        return tuple(heals)

    async def _desktop(self) -> tuple[Heal, ...]:
        """There is a screen. It is the daemon's to start it again; it tells how often it did."""
        restarts = (await self._link.screen(*self._size)).restarts
        known, self._screen_restarts = self._screen_restarts, restarts
        if known is None or restarts == known:
            return ()
        return (Heal("screen", "windows that were open on it are closed"),)

    async def _load_keyboard(self, keymap: str) -> None:
        result = await self._shell.run(LOAD, stdin=keymap.encode())
        if result.exit_code:
            raise ComputerError(f"the keyboard map was not taken: {result.stderr.text()[-300:]}")
