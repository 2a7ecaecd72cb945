"""A screen's picture for any number of watchers: the whole of it first, then what changes.

Each change is encoded once for all, by whichever watcher waits for it. A watcher who falls behind
loses frames and gets the whole picture anew; it never holds up the others.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, field

from PIL import Image

from doer.computers.screen import picture
from doer.computers.screen.damage import Rect, merged
from doer.computers.screen.mirror import Mirror

FRAME_S = 0.05
"""At least so long between two frames."""
MOST_BEHIND = 8


@dataclass(frozen=True, slots=True)
class Patch:
    """A part of the screen as a JPEG."""

    rect: Rect
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """What changed, to be drawn over the frames before. `number` grows with time; `size` is the
    screen's; `pointer` is where the mouse was put last, which the pixels do not show."""

    number: int
    size: tuple[int, int]
    pointer: tuple[int, int]
    patches: tuple[Patch, ...]

    @property
    def whole(self) -> bool:
        """Whether it needs no frame before it."""
        return self.patches[0].rect == Rect(0, 0, *self.size)


@dataclass(eq=False, slots=True)
class _Watcher:
    frames: deque[Frame] = field(default_factory=deque[Frame])
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    behind: bool = True
    whole_number: int = -1


class Watching:
    """The watchers of one mirror."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._watchers: set[_Watcher] = set()
        self._damage: list[Rect] = []
        self._number = 0
        self._next_at = 0.0
        self._encoding = asyncio.Lock()
        self._whole: Frame | None = None  # the last whole one, while nothing has changed since

    async def watch(self) -> AsyncGenerator[Frame]:
        """Never ends by itself; raises `ComputerError` when the screen has died."""
        watcher = _Watcher()
        if not self._watchers:
            self._mirror.listen(self._hear)
        self._watchers.add(watcher)
        try:
            while True:
                yield await self._next(watcher)
        finally:
            self._watchers.discard(watcher)
            if not self._watchers:
                self._mirror.forget(self._hear)
                self._damage, self._whole = [], None

    def _hear(self, rects: Sequence[Rect]) -> None:
        self._damage = merged([*self._damage, *rects])
        self._whole = None
        for watcher in self._watchers:
            watcher.woken.set()

    async def _next(self, watcher: _Watcher) -> Frame:
        while True:
            watcher.woken.clear()
            self._mirror.check()
            if watcher.behind:
                watcher.behind = False
                watcher.frames.clear()
                frame = await self._whole_frame()
                watcher.whole_number = frame.number
                return frame
            if watcher.frames:
                frame = watcher.frames.popleft()
                if frame.number > watcher.whole_number:  # else older than what it has
                    return frame
            elif self._damage:
                await self._encode_damage()
            else:
                await watcher.woken.wait()

    async def _whole_frame(self) -> Frame:
        if self._whole is None:
            rect = Rect(0, 0, self._mirror.width, self._mirror.height)
            frame = await self._encoded([rect])
            if self._number == frame.number and not self._damage:
                self._whole = frame
            return frame
        return self._whole

    async def _encode_damage(self) -> None:
        """Make a frame of what has changed, and give it to everybody."""
        now = asyncio.get_running_loop().time
        async with self._encoding:
            if self._damage and self._next_at > now():
                await asyncio.sleep(self._next_at - now())
            if not self._damage:
                return  # another watcher did it
            self._next_at = now() + FRAME_S
            damage, self._damage = self._damage, []
            size = self._mirror.width, self._mirror.height
            fresh = [rect for one in damage if (rect := one.clipped(*size)).area]
            if not fresh:
                return
            try:
                frame = await self._encoded(fresh)
            except BaseException:  # cancelled: the others still want it
                self._hear(damage)
                raise
            for watcher in self._watchers:
                if len(watcher.frames) >= MOST_BEHIND:
                    watcher.behind = True
                    watcher.frames.clear()
                watcher.frames.append(frame)
                watcher.woken.set()

    async def _encoded(self, rects: Iterable[Rect]) -> Frame:
        """A frame of the pixels as they are at this moment."""
        self._number += 1
        mirror, number = self._mirror, self._number
        size, pointer = (mirror.width, mirror.height), mirror.pointer_at
        parts = [(rect, picture.crop(mirror, rect)) for rect in rects]

        def encode(part: tuple[Rect, Image.Image]) -> Patch:
            return Patch(part[0], picture.encode(part[1], "jpeg"))

        patches = await asyncio.to_thread(lambda: tuple(map(encode, parts)))
        return Frame(number, size, pointer, patches)
