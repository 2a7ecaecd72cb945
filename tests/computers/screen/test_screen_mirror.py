"""The mirror's copy of a real screen, and what becomes of it when the server goes away."""

import asyncio
import contextlib
import io
import signal

import pytest
from PIL import Image

from doer.computers.screen.damage import Rect
from doer.computers.screen.mirror import Mirror
from doer.errors import ComputerError, ToolError
from doer.records.screen import Drag, Move, Point, Screenshot, Type

pytestmark = pytest.mark.slow
PATIENCE_S = 30


def opened(shot) -> Image.Image:
    return Image.open(io.BytesIO(shot.picture))


async def test_a_screenshot_is_the_whole_screen_or_a_part(screen, terminal) -> None:
    await terminal()
    whole = await screen.screenshot("png")
    assert whole.size == opened(whole).size == await screen.size() == (800, 600)
    part = await screen.screenshot("png", region=Rect(10, 20, 100, 50))
    assert opened(part).tobytes() == opened(whole).crop((10, 20, 110, 70)).tobytes()
    small = await screen.screenshot("jpeg", scale=0.5)
    assert small.size == opened(small).size == (400, 300)
    assert opened(small).format == "JPEG"


@pytest.mark.parametrize("region", [Rect(0, 0, 801, 10), Rect(-1, 0, 5, 5), Rect(0, 0, 0, 5)])
async def test_a_region_off_the_screen_is_refused(screen, region) -> None:
    with pytest.raises(ToolError, match="800 wide and 600 high"):
        await screen.screenshot(region=region)


async def test_the_mirror_follows_what_is_drawn_and_tells_what_had_an_effect(
    screen, terminal
) -> None:
    told = await terminal("hello")
    await screen.act([Move(x=100, y=100)])
    before = await screen.act([Screenshot(), Move(x=101, y=100), Type(text="x")])
    assert before.effects == ("unverifiable", "unverifiable", "no effect")
    assert before.settled
    assert await told.read(1) == b"x"
    gone = await screen.act([Drag(path=(Point(5, 5), Point(300, 5)))])  # it marks the text
    assert gone.effects == ("confirmed",)
    assert gone.digest != before.digest


async def test_watchers_see_what_is_typed(screen, terminal) -> None:
    told = await terminal()
    await screen.act([Move(x=100, y=100)])
    async with contextlib.aclosing(screen.watch()) as frames:
        assert (await anext(frames)).whole
        await screen.act([Drag(path=(Point(5, 5), Point(300, 200)))])  # it marks what it covers
        async with asyncio.timeout(PATIENCE_S):
            frame = await anext(frames)
        assert not frame.whole
        assert all(patch.rect.inside(800, 600) for patch in frame.patches)
    await screen.act([Type(text="x")])
    assert await told.read(1) == b"x"


async def test_a_dead_screen_fails_what_is_under_way_at_once(x_server) -> None:
    mirror = await Mirror.open(x_server.dial)
    try:
        x_server.process.send_signal(signal.SIGSTOP)
        try:
            waiting = asyncio.ensure_future(mirror.ping(60))
            silent = asyncio.ensure_future(mirror.ping(0.2))
            with pytest.raises(ComputerError, match="did not answer in 0.2 s"):
                await silent
            with pytest.raises(ComputerError, match="did not answer"):
                await waiting
        finally:
            x_server.process.send_signal(signal.SIGCONT)
        with pytest.raises(ComputerError, match="did not answer"):
            mirror.move(1, 1)
    finally:
        await mirror.close()
