"""Key names as key events."""

import pytest

from doer.computers.browser import keys
from doer.errors import ToolError


def events(names: str) -> list[tuple[str, str, int]]:
    return [(p["type"], p["key"], p["modifiers"]) for _, p in keys.press(names)]


def test_a_combination_holds_its_modifiers() -> None:
    assert events("Control+Shift+ArrowLeft") == [
        ("rawKeyDown", "Control", 2),
        ("rawKeyDown", "Shift", 10),
        ("rawKeyDown", "ArrowLeft", 10),
        ("keyUp", "ArrowLeft", 10),
        ("keyUp", "Shift", 2),
        ("keyUp", "Control", 0),
    ]


@pytest.mark.parametrize(
    ("names", "key", "text"),
    [
        ("Enter", "Enter", "\r"),
        ("enter", "Enter", "\r"),
        ("Return", "Enter", "\r"),
        ("Space", " ", " "),
        ("a", "a", "a"),
        ("Shift+a", "A", "A"),
        ("+", "+", "+"),
        ("ü", "ü", "ü"),
        ("Esc", "Escape", None),
        ("Control+a", "a", None),
        ("Control++", "+", None),
        ("Shift+Tab", "Tab", "\t"),
    ],
)
def test_what_the_last_key_says_and_types(names: str, key: str, text: str | None) -> None:
    down = [params for _, params in keys.press(names) if params["type"].endswith("Down")][-1]
    assert (down["key"], down.get("text")) == (key, text)


def test_key_codes_are_those_of_a_us_keyboard() -> None:
    codes = {key: keys.stroke(key)[0][1] for key in ("a", "7", "Enter", " ", "F5", "ü")}
    assert {key: (p["windowsVirtualKeyCode"], p["code"]) for key, p in codes.items()} == {
        "a": (65, "KeyA"),
        "7": (55, "Digit7"),
        "Enter": (13, "Enter"),
        " ": (32, "Space"),
        "F5": (116, "F5"),
        "ü": (0, ""),
    }


@pytest.mark.parametrize("names", ["Entr", "", "Control+", "a+b", "Hyper+a", "hello"])
def test_unknown_keys_are_told(names: str) -> None:
    with pytest.raises(ToolError, match="there is no key|is not one of"):
        keys.press(names)
