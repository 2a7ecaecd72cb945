"""Any number of watchers on one mirror: the whole picture, then what changes."""

import asyncio
import contextlib
import io
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from PIL import Image
from rfb_server import RfbServer, hello, rect, rfb_server, update

from doer.computers.screen.damage import Rect
from doer.computers.screen.mirror import Mirror
from doer.computers.screen.watching import MOST_BEHIND, Frame, Watching
from doer.errors import ComputerError

PATIENCE_S = 30
WIDTH, HEIGHT = 64, 48


def painted(x: int, y: int, shade: int, side: int = 8) -> bytes:
    """An update that paints a grey square."""
    return update(rect(x, y, side, side, 0, bytes([shade]) * (side * side * 4)))


class Viewer:
    """Draws the frames it gets."""

    def __init__(self, frames: AsyncGenerator[Frame]) -> None:
        self.frames = frames
        self.picture = Image.new("RGB", (1, 1))
        self.wholes = self.seen = 0

    async def see(self) -> Frame:
        async with asyncio.timeout(PATIENCE_S):
            frame = await anext(self.frames)
        self.seen += 1
        self.wholes += frame.whole
        if frame.size != self.picture.size:
            self.picture = Image.new("RGB", frame.size)
        for patch in frame.patches:
            image = Image.open(io.BytesIO(patch.jpeg))
            assert image.size == (patch.rect.width, patch.rect.height)
            self.picture.paste(image, patch.rect[:2])
        return frame

    def shade(self, x: int, y: int) -> int:
        return self.picture.getpixel((x + 4, y + 4))[0]

    async def see_until(self, x: int, y: int, shade: int) -> None:
        while abs(self.shade(x, y) - shade) > 6:
            await self.see()


@pytest_asyncio.fixture
async def played() -> AsyncGenerator[tuple[RfbServer, Mirror, Watching]]:
    async with rfb_server(hello(WIDTH, HEIGHT)) as (server, dial):
        mirror = await Mirror.open(dial)
        yield server, mirror, Watching(mirror)
        await mirror.close()


async def test_the_whole_picture_comes_first_and_then_what_changed(played) -> None:
    server, mirror, watching = played
    async with contextlib.aclosing(watching.watch()) as frames:
        viewer = Viewer(frames)
        first = await viewer.see()
        assert first.whole
        assert first.size == (WIDTH, HEIGHT)
        mirror.move(5, 6)
        server.say(painted(16, 8, 200))
        second = await viewer.see()
        assert [patch.rect for patch in second.patches] == [Rect(16, 8, 8, 8)]
        assert not second.whole
        assert second.pointer == (5, 6)
        assert abs(viewer.shade(16, 8) - 200) < 6


async def test_a_slow_watcher_skips_to_the_present_and_holds_nobody_up(played) -> None:
    server, _, watching = played
    async with (
        contextlib.aclosing(watching.watch()) as some,
        contextlib.aclosing(watching.watch()) as others,
    ):
        quick, slow = Viewer(some), Viewer(others)
        await quick.see()
        await slow.see()
        for n in range(MOST_BEHIND + 3):
            server.say(painted(8 * (n % 6), 8 * (n % 5), 20 * n))
            await quick.see_until(8 * (n % 6), 8 * (n % 5), 20 * n)
        assert quick.wholes == 1
        while slow.wholes == 1:
            await slow.see()
        assert slow.seen <= 3
        for n in range(MOST_BEHIND - 3, MOST_BEHIND + 3):
            assert abs(slow.shade(8 * (n % 6), 8 * (n % 5)) - 20 * n) < 6


async def test_a_new_size_is_a_whole_picture(played) -> None:
    server, _, watching = played
    async with contextlib.aclosing(watching.watch()) as frames:
        viewer = Viewer(frames)
        await viewer.see()
        server.say(painted(40, 40, 100) + update(rect(0, 0, 16, 16, -223)))
        server.say(update(rect(0, 0, 16, 16, 0, b"\x96" * 16 * 16 * 4)))
        await viewer.see_until(0, 0, 0x96)
        assert viewer.picture.size == (16, 16)


async def test_all_watchers_hear_that_the_screen_has_died(played) -> None:
    server, _, watching = played
    both = [watching.watch() for _ in range(2)]
    for frames in both:
        assert (await anext(frames)).whole
    waiting = [asyncio.ensure_future(anext(frames)) for frames in both]
    server.hang_up()
    for one in waiting:
        with pytest.raises(ComputerError, match="gone away"):
            async with asyncio.timeout(PATIENCE_S):
                await one


async def test_a_watcher_who_leaves_in_the_middle_takes_nothing_with_it(played) -> None:
    server, _, watching = played
    leaving, staying = watching.watch(), watching.watch()
    viewer = Viewer(staying)
    await anext(leaving)
    await viewer.see()
    for n in range(20):  # cancelled in different places of making a frame
        going = asyncio.ensure_future(anext(leaving))
        server.say(painted(0, 0, 10 * n))
        for _ in range(n % 5):
            await asyncio.sleep(0)
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)
        await viewer.see_until(0, 0, 10 * n)
        await leaving.aclose()
        leaving = watching.watch()
        await anext(leaving)
    await leaving.aclose()
    await staying.aclose()
