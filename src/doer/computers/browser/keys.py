"""Keys of a US keyboard as CDP commands, from names like `Enter`, `a`, `Control+Shift+ArrowLeft`.

Key names: https://www.w3.org/TR/uievents-key/
"""

import re
from typing import Any

from doer.computers.browser.cdp import Command
from doer.errors import ToolError

MODIFIERS = {"Alt": 1, "Control": 2, "Meta": 4, "Shift": 8}
ALIASES = {
    **{"Ctrl": "Control", "Cmd": "Meta", "Esc": "Escape", "Return": "Enter", "Del": "Delete"},
    **{"Up": "ArrowUp", "Down": "ArrowDown", "Left": "ArrowLeft", "Right": "ArrowRight"},
    "Space": " ",
}
CODES = {  # windowsVirtualKeyCode, the keyCode that pages see
    **{"Backspace": 8, "Tab": 9, "Enter": 13, "Shift": 16, "Control": 17, "Alt": 18, "Escape": 27},
    **{" ": 32, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36, "ArrowLeft": 37},
    **{"ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Insert": 45, "Delete": 46, "Meta": 91},
    **{f"F{n}": 111 + n for n in range(1, 13)},
}
TEXTS = {"Enter": "\r", "Tab": "\t"}
EDITING = {"a": "selectAll", "c": "copy", "v": "paste", "x": "cut", "y": "redo", "z": "undo"}
"""What Control and a letter do in a text field: the window system's part, absent when headless."""


def press(keys: str) -> list[Command]:
    """Hold the modifiers, press and release the last key. Raises `ToolError` for unknown keys."""
    *held, last = (_name(word, keys) for word in re.split(r"\+(?=.)", keys))
    if wrong := [key for key in held if key not in MODIFIERS]:
        raise ToolError(f'"{wrong[0]}" in "{keys}" is not one of {", ".join(MODIFIERS)}')
    bits = 0
    down: list[Command] = []
    up: list[Command] = []
    for key in held:
        up.insert(0, _event("keyUp", key, bits))
        bits |= MODIFIERS[key]
        down.append(_event("rawKeyDown", key, bits))
    return [*down, *stroke(last, bits), *up]


def stroke(key: str, modifiers: int = 0) -> list[Command]:
    """One key down and up: a named key, or any single character."""
    if modifiers & MODIFIERS["Shift"] and len(key) == 1:
        key = key.upper()
    text = TEXTS.get(key, key if len(key) == 1 else "")
    if modifiers & ~MODIFIERS["Shift"]:
        text = ""  # a command, not a character
    down, params = _event("keyDown" if text else "rawKeyDown", key, modifiers)
    if text:
        params["text"] = text
    if modifiers == MODIFIERS["Control"] and key.lower() in EDITING:
        params["commands"] = [EDITING[key.lower()]]
    return [(down, params), _event("keyUp", key, modifiers)]


def _name(word: str, keys: str) -> str:
    name = word if len(word) == 1 else word[:1].upper() + word[1:]
    name = ALIASES.get(name, name)
    if len(name) != 1 and name not in CODES:
        raise ToolError(f'there is no key "{word}" in "{keys}"; keys are a, 7, Enter, ArrowDown...')
    return name


def _event(type: str, key: str, modifiers: int) -> Command:
    number, place = CODES.get(key, 0), {" ": "Space"}.get(key, key)
    if len(key) == 1 and key.isascii() and key.isalnum():
        number, place = ord(key.upper()), f"{'Digit' if key.isdigit() else 'Key'}{key.upper()}"
    elif key in MODIFIERS:
        place = f"{key}Left"
    params: dict[str, Any] = {"type": type, "key": key, "modifiers": modifiers}
    params |= {"windowsVirtualKeyCode": number, "code": place if len(place) > 1 else ""}
    return "Input.dispatchKeyEvent", params
