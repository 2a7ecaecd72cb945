"""Waiting for a screen to come to rest, and telling from that what an action did."""

import asyncio
from collections.abc import Sequence
from typing import Self

from doer.computers.screen.damage import Rect
from doer.computers.screen.mirror import Mirror
from doer.records.screen import Effect, Move, ScreenAction, Screenshot, Wait

REACTION_S = 0.25
"""A program that has shown nothing by then is taken to do nothing."""
QUIET_S = 0.06
"""No change for so long between two actions is rest; at the end of a call `LAST_QUIET_S` is."""
LAST_QUIET_S = 0.12
PATIENCE_S = 3.0
"""A screen that moves for longer (a film, a blinking sign) is looked at as it is."""
TYPED_S = 1.0
"""No key and no change for so long: programs have taken in all keys."""
WAIT_S, WAIT_QUIET_S = 3.0, 0.5
"""A `wait` ends when something has changed and then nothing more, or after `WAIT_S`."""


class Stillness:
    """Listens to a mirror while it is entered."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._now = asyncio.get_running_loop().time
        self._changed = asyncio.Event()
        self._marked_at = self._now()
        self.restless = mirror.changed_at > self._marked_at - REACTION_S

    def __enter__(self) -> Self:
        self._mirror.listen(self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        self._mirror.forget(self._hear)

    def mark(self) -> None:
        """From here on changes count as the next action's."""
        self._marked_at = self._now()

    @property
    def changed(self) -> bool:
        """Since the mark."""
        return self._mirror.changed_at >= self._marked_at

    def effect(self, action: ScreenAction, restless: bool) -> Effect:
        """`restless`: the screen had not come to rest before the action."""
        if isinstance(action, Screenshot | Wait):
            return "unverifiable"
        if not self.changed:
            return "unverifiable" if isinstance(action, Move) else "no effect"
        return "unverifiable" if restless else "confirmed"

    async def after_action(self) -> bool:
        """Wait for the first change and then for rest. Whether it came."""
        self.restless = not await self._rest(self._now(), REACTION_S, QUIET_S, PATIENCE_S)
        return not self.restless

    async def after_typing(self) -> None:
        """Wait until programs have most likely taken in all that was typed."""
        until = self._now() + PATIENCE_S
        while (rest_at := max(self._mirror.changed_at, self._mirror.typed_at) + TYPED_S) < until:
            if self._now() >= rest_at:
                return
            await self._change(rest_at)

    async def after_wait(self) -> None:
        self.restless = not await self._rest(self._now(), WAIT_S, WAIT_QUIET_S, WAIT_S)

    async def at_end(self) -> bool:
        return await self._rest(self._marked_at, 0, LAST_QUIET_S, PATIENCE_S)

    async def _rest(
        self, since: float, reaction_s: float, quiet_s: float, patience_s: float
    ) -> bool:
        """Wait for `reaction_s` for something to change, and for `quiet_s` without any change, both
        from `since` on at the earliest. Whether that came before `patience_s` from now."""
        until = self._now() + patience_s
        while True:
            quiet_at = max(self._mirror.changed_at, since) + quiet_s
            if not self.changed:
                quiet_at = max(quiet_at, since + reaction_s)
            wake_at = min(quiet_at, until)
            if self._now() >= wake_at:
                return wake_at == quiet_at
            await self._change(wake_at)

    async def _change(self, until: float) -> None:
        """Wait for a change, or for the time."""
        self._mirror.check()
        self._changed.clear()
        try:
            async with asyncio.timeout_at(until):
                await self._changed.wait()
        except TimeoutError:
            return

    def _hear(self, _: Sequence[Rect]) -> None:
        self._changed.set()
