"""The screen of a computer: see it, act on it with mouse and keyboard, let others watch."""

import asyncio
from collections.abc import Sequence

import msgspec

from doer.computers.screen import picture
from doer.computers.screen.damage import Rect
from doer.computers.screen.hands import FreshKeyboard, Hands
from doer.computers.screen.mirror import Dial, Mirror
from doer.computers.screen.picture import Format
from doer.computers.screen.stillness import Stillness
from doer.errors import ToolError
from doer.records.screen import Effect, ScreenAction, Shot, Wait

MOST_ACTIONS = 100


class Screen:
    """Connects on first use, and again after the screen has died: what was under way then raises
    `ComputerError`. `fresh_keyboard` runs `hands.KEYBOARD` inside; without it few characters that
    a US keyboard lacks can be typed.
    """

    def __init__(self, dial: Dial, fresh_keyboard: FreshKeyboard | None = None) -> None:
        self._dial = dial
        self._fresh_keyboard = fresh_keyboard
        self._connecting = asyncio.Lock()
        self._acting = asyncio.Lock()
        self._mirror: Mirror | None = None
        self._hands: Hands | None = None

    async def size(self) -> tuple[int, int]:
        mirror, _ = await self._connected()
        return mirror.width, mirror.height

    async def screenshot(
        self, format: Format = "jpeg", region: Rect | None = None, scale: float | None = None
    ) -> Shot:
        """The screen now, or a region of it, perhaps made smaller (`scale` from 0 to 1)."""
        mirror, _ = await self._connected()
        await mirror.ping()
        return await picture.take(mirror, format, region, scale)

    async def act(self, actions: Sequence[ScreenAction], format: Format = "jpeg") -> Shot:
        """Do all in order, each after the one before has shown its effect, and wait for the
        screen to settle. Raises `ToolError` before anything is done when one of them cannot be."""
        async with self._acting:
            mirror, hands = await self._connected()
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
                    restless = still.restless
                    still.mark()
                    await hands.do(action, still.after_typing)
                    if isinstance(action, Wait):
                        await still.after_wait()
                    else:
                        await still.after_action()
                    effects.append(still.effect(action, restless))
                settled = await still.at_end()
            await mirror.ping()
            shot = await picture.take(mirror, format, None, None)
            return msgspec.structs.replace(shot, effects=tuple(effects), settled=settled)

    async def close(self) -> None:
        async with self._connecting:
            if self._mirror is not None:
                await self._mirror.close()
            self._mirror = self._hands = None

    async def _connected(self) -> tuple[Mirror, Hands]:
        async with self._connecting:
            if self._mirror is None or self._hands is None or not self._mirror.alive:
                if self._mirror is not None:
                    await self._mirror.close()
                self._mirror = await Mirror.open(self._dial)
                self._hands = Hands(self._mirror, self._fresh_keyboard)
            return self._mirror, self._hands
