"""What cannot be done on a screen is refused before anything is done, and said so."""

import asyncio
import contextlib
import struct

import pytest
from rfb_server import hello, rfb_server

from doer.computers.screen.hands import LITTLE_ROOM, LONGEST_TEXT
from doer.computers.screen.screen import MOST_ACTIONS, Screen
from doer.errors import ComputerError, ToolError
from doer.records.screen import (
    Click,
    DoubleClick,
    Drag,
    Keypress,
    Move,
    Point,
    Screenshot,
    Scroll,
    Type,
)


@pytest.mark.parametrize(
    ("action", "why"),
    [
        (Click(x=64, y=5, button="left"), r"x goes from 0 to 63, y from 0 to 47"),
        (Click(x=-1, y=5, button="left"), r"\(-1, 5\) is not on the screen"),
        (DoubleClick(x=5, y=48), r"\(5, 48\) is not on the screen"),
        (Move(x=5, y=1 << 40), "is not on the screen"),
        (Move(x=5, y=5, keys=("nokey",)), 'there is no key "nokey"; keys are .*CTRL'),
        (Scroll(x=5, y=99, scroll_x=0, scroll_y=5), "is not on the screen"),
        (Scroll(x=5, y=5, scroll_x=0, scroll_y=1 << 40), "at most .* pixels"),
        (Drag(path=()), "at least two points"),
        (Drag(path=(Point(1, 1),)), "at least two points"),
        (Drag(path=(Point(1, 1), Point(1, 99))), r"\(1, 99\) is not on the screen"),
        (Keypress(keys=()), "name at least one"),
        (Keypress(keys=("CTRL", "WARP")), 'there is no key "WARP"'),
        (Type(text="bell \x07"), "no key types"),
        (Type(text="\ud800"), "no key types"),
        (Type(text="x" * (LONGEST_TEXT + 1)), "write a file instead"),
    ],
)
async def test_what_cannot_be_done_is_said_before_anything_is_done(action, why) -> None:
    async with rfb_server(hello(64, 48)) as (server, dial):
        screen = Screen(dial)
        with pytest.raises(ToolError, match=rf"action 2 of 2: .*{why}"):
            await screen.act([Click(x=1, y=1, button="left"), action])
        await screen.close()
        heard = await server.everything()
        assert heard.endswith(struct.pack(">BBHH", 5, 0, 32, 24))  # where it was put at first


async def test_too_many_actions_are_refused() -> None:
    async with rfb_server(hello(64, 48)) as (_, dial):
        screen = Screen(dial)
        with pytest.raises(ToolError, match=f"at most {MOST_ACTIONS} actions"):
            await screen.act([Screenshot()] * (MOST_ACTIONS + 1))
        await screen.close()


@pytest.mark.slow
async def test_without_a_load_keyboard_few_foreign_characters_are_typed(x_server) -> None:
    screen = Screen(x_server.dial)
    text = "".join(chr(0x4E00 + n) for n in range(LITTLE_ROOM))
    await screen.act([Type(text=text * 2)])
    with pytest.raises(ToolError, match="write a file instead"):
        await screen.act([Type(text="字")])
    await screen.close()


@pytest.mark.slow
async def test_a_screen_is_dialled_again_after_its_death(x_server) -> None:
    dialled = []

    async def dial():
        dialled.append(await x_server.dial())
        return dialled[-1]

    screen = Screen(dial)
    await screen.screenshot()
    assert len(dialled) == 1
    dialled[0].shutdown(2)
    with contextlib.suppress(ComputerError):  # perhaps it is noticed before it is used
        await screen.screenshot()
    assert (await screen.screenshot()).size == (800, 600)
    assert len(dialled) == 2
    await screen.close()


@pytest.mark.slow
async def test_what_is_held_comes_up_when_the_caller_is_cancelled(screen, terminal) -> None:
    told = await terminal(r"\033[?1002h\033[?1006h")
    far = tuple(Point(10 + x % 400, 50 + x % 200) for x in range(0, 40000, 97))
    dragging = asyncio.ensure_future(screen.act([Drag(path=far)]))
    assert (await told.read_until(b"M")).startswith(b"\x1b[<0;")
    dragging.cancel()
    assert (await told.read_until(b"m")).rpartition(b"<")[2].startswith(b"0;")
    with pytest.raises(asyncio.CancelledError):
        await dragging
