"""The screen of a computer: see it, act on it with mouse and keyboard, let others watch."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

import msgspec

from doer.computers.screen import picture
from doer.computers.screen.bridge import Receive, Send, bridge
from doer.computers.screen.damage import Rect
from doer.computers.screen.hands import Hands
from doer.computers.screen.keyboard import LoadKeyboard
from doer.computers.screen.mirror import Dial, Mirror
from doer.computers.screen.picture import Format
from doer.computers.screen.stillness import Stillness
from doer.computers.screen.watching import Frame, Watching
from doer.errors import ToolError
from doer.records.screen import Effect, ScreenAction, Screenshot, Shot, Wait

MOST_ACTIONS = 100


@dataclass(frozen=True)
class _Live:
    """A connection and what works on it."""

    mirror: Mirror
    hands: Hands
    watching: Watching


class Screen:
    """Connects on first use, and again after the screen has died: what was under way then raises
    `ComputerError`. `load_keyboard` runs `keyboard.LOAD` inside; without it few characters
    that a US keyboard lacks can be typed.
    """

    def __init__(self, dial: Dial, load_keyboard: LoadKeyboard | None = None) -> None:
        self._dial = dial
        self._load_keyboard = load_keyboard
        self._connecting = asyncio.Lock()
        self._acting = asyncio.Lock()
        self._live: _Live | None = None

    async def size(self) -> tuple[int, int]:
        mirror = (await self._connected()).mirror
        return mirror.width, mirror.height

    async def screenshot(
        self, format: Format = "jpeg", region: Rect | None = None, scale: float | None = None
    ) -> Shot:
        """The screen now, or a region of it, perhaps made smaller (`scale` from 0 to 1)."""
        mirror = (await self._connected()).mirror
        await mirror.ping()
        return await picture.take(mirror, format, region, scale)

    async def act(self, actions: Sequence[ScreenAction], format: Format = "jpeg") -> Shot:
        """Do all in order, each after the one before has shown its effect, and wait for the
        screen to settle. Raises `ToolError` before anything is done when one of them cannot be."""
        async with self._acting:
            live = await self._connected()
            mirror, hands = live.mirror, live.hands
            if len(actions) > MOST_ACTIONS:
                raise ToolError(f"at most {MOST_ACTIONS} actions in one call")
            for n, action in enumerate(actions, start=1):
                try:
                    hands.check(action)
                except ToolError as error:
                    raise ToolError(f"action {n} of {len(actions)}: {error}") from None
            with Stillness(mirror) as still:
                effects: list[Effect] = []
                for action in actions:
                    if isinstance(action, Screenshot):  # one comes back anyway
                        effects.append("unverifiable")
                        continue
                    restless = still.restless
                    still.mark()
                    await hands.do(action, still.after_typing)
                    if isinstance(action, Wait):
                        await still.after_wait()
                    else:
                        await still.after_action()
                    effects.append(still.effect(action, restless))
                settled = await still.at_end()
                if actions and effects[-1] == "no effect":
                    effects[-1] = still.effect(actions[-1], still.restless)  # perhaps it was slow
            await mirror.ping()
            shot = await picture.take(mirror, format, None, None)
            return msgspec.structs.replace(shot, effects=tuple(effects), settled=settled)

    async def watch(self) -> AsyncGenerator[Frame]:
        """The whole picture, then what changes, as long as the caller wants it. Raises
        `ComputerError` when the screen has died. Close it (`contextlib.aclosing`) when done."""
        async with contextlib.aclosing((await self._connected()).watching.watch()) as frames:
            async for frame in frames:
                yield frame

    async def bridge(self, receive: Receive, send: Send, may_write: Callable[[], bool]) -> str:
        """Serve a VNC viewer over a connection of its own; see `bridge.py`."""
        return await bridge(self._dial, receive, send, may_write)

    async def close(self) -> None:
        async with self._connecting:
            if self._live is not None:
                await self._live.mirror.close()
            self._live = None

    async def _connected(self) -> _Live:
        async with self._connecting:
            if self._live is None or not self._live.mirror.alive:
                if self._live is not None:
                    await self._live.mirror.close()
                mirror = await Mirror.open(self._dial)
                self._live = _Live(mirror, Hands(mirror, self._load_keyboard), Watching(mirror))
            return self._live
