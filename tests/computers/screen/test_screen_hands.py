"""Mouse and keyboard on a real X server: a terminal tells what arrived."""

import re

import pytest

from doer.records.screen import Click, Drag, Keypress, Move, Point, Scroll, Type

pytestmark = pytest.mark.slow

MOUSE = r"\033[?1002h\033[?1006h"  # report buttons, wheel and drags, in decimal numbers
MODIFIED = r"\033[>4;2m"  # report every key that is struck with a modifier
INSIDE = Move(x=100, y=100)  # the window under the pointer has the keyboard
WORLD = 'Grüße — Привет, мир! Γειά 漢字 かな 한글 עברית 😀 100 €\t`~!@#$%^&*()_+{}|:"<>?'


async def test_text_of_the_whole_world_is_typed(screen, terminal) -> None:
    told = await terminal()
    await screen.act([INSIDE, Type(text=WORLD + "\n")])
    assert (await told.read_until(b"\r")).decode() == WORLD + "\r"


async def test_more_foreign_characters_than_a_keyboard_has_keys(screen, terminal) -> None:
    text = "".join(chr(0x4E00 + n) for n in range(220))
    told = await terminal()
    for part in ("字", text, "漢\n"):  # the first one makes the terminal look for a font
        await screen.act([INSIDE, Type(text=part)])
    assert (await told.read_until(b"\r")).decode() == f"字{text}漢\r"


@pytest.mark.parametrize(
    ("keys", "typed"),
    [
        (("CTRL", "C"), b"\x1b[27;5;99~"),
        (("CTRL", "SHIFT", "T"), b"\x1b[27;6;84~"),
        (("ctrl+shift+t",), b"\x1b[27;6;84~"),
        (("ALT", "F4"), b"\x1b[1;3S"),
        (("SHIFT", "1"), b"!"),
        (("SHIFT", "TAB"), b"\x1b[Z"),
        (("CTRL", "-"), b"\x1b[27;5;45~"),
        (("ARROWLEFT",), b"\x1b[D"),
        (("Page_Up",), b"\x1b[5~"),
        (("TAB", "TAB", "ENTER"), b"\t\t\r"),
        (("T",), b"T"),
        (("é",), "é".encode()),
    ],
)
async def test_keys_and_chords(screen, terminal, keys, typed) -> None:
    told = await terminal(MODIFIED)
    await screen.act([INSIDE, Keypress(keys=keys), Type(text="=")])
    assert await told.read_until(b"=") == typed + b"="


async def test_mouse_buttons_and_held_keys(screen, terminal) -> None:
    told = await terminal(MOUSE)
    await screen.act(
        [
            Click(x=100, y=100, button="left"),
            Click(x=100, y=100, button="wheel"),
            Click(x=100, y=100, button="left", keys=("ALT",)),
        ]
    )
    for button in (0, 1, 8):
        assert (await told.read_until(b"M")).startswith(f"\x1b[<{button};".encode())
        assert (await told.read_until(b"m")).startswith(f"\x1b[<{button};".encode())


async def test_the_wheel_turns_both_ways_on_both_axes(screen, terminal) -> None:
    told = await terminal(MOUSE)
    turns = [(0, 350), (0, -10), (240, 0), (-100, 0)]
    await screen.act([Scroll(x=100, y=100, scroll_x=x, scroll_y=y) for x, y in turns])
    wheels = [(await told.read_until(b"M")).decode() for _ in range(7)]
    turned = [re.findall(r"<(\d+);\d+;\d+M", wheel)[0] for wheel in wheels]
    assert turned == ["65", "65", "65", "64", "67", "67", "66"]


async def test_a_drag_follows_its_path(screen, terminal) -> None:
    told = await terminal(MOUSE)
    await screen.act([Drag(path=(Point(50, 50), Point(250, 50), Point(250, 200)))])
    pressed = await told.read_until(b"M")
    assert pressed.startswith(b"\x1b[<0;")
    path = (await told.read_until(b"m")).decode().split("\x1b[<")[1:]
    assert len(path) >= 3
    assert all(one.startswith("32;") and one.endswith("M") for one in path[:-1])
    column, row = map(int, pressed[4:-1].decode().split(";")[1:])
    end_column, end_row = map(int, path[-1][:-1].split(";")[1:])
    assert end_column > column + 20
    assert end_row > row + 5
