"""What is done on a screen by mouse and keyboard, and the picture that comes back.

The actions are OpenAI's `computer` actions, as JSON to the letter
(https://developers.openai.com/api/docs/guides/tools-computer-use). Places are in pixels of the
screen, from its upper left corner; checked against the screen where they are carried out.
"""

from typing import Literal

import msgspec

Button = Literal["left", "right", "wheel", "back", "forward"]
Keys = tuple[str, ...] | None
"""Names of keys held down meanwhile, such as `CTRL`."""


class _Act(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """One thing done with mouse or keyboard."""


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    x: int
    y: int


class Click(_Act, frozen=True, tag="click"):
    x: int
    y: int
    button: Button
    keys: Keys = None


class DoubleClick(_Act, frozen=True, tag="double_click"):
    x: int
    y: int
    keys: Keys = None


class Drag(_Act, frozen=True, tag="drag"):
    """Press the left button at the first point, follow the path, release at the last."""

    path: tuple[Point, ...]
    keys: Keys = None


class Keypress(_Act, frozen=True, tag="keypress"):
    """Hold the modifiers among the keys, and strike the others one after another."""

    keys: tuple[str, ...]


class Move(_Act, frozen=True, tag="move"):
    x: int
    y: int
    keys: Keys = None


class Screenshot(_Act, frozen=True, tag="screenshot"):
    """Nothing is done; a picture comes back after every call anyway."""


class Scroll(_Act, frozen=True, tag="scroll"):
    """Turn the wheel over a place. Distances are in pixels; positive goes down and right."""

    x: int
    y: int
    scroll_x: int
    scroll_y: int
    keys: Keys = None


class Type(_Act, frozen=True, tag="type"):
    """Type text into whatever has the focus. A newline is the Enter key, a tab the Tab key."""

    text: str


class Wait(_Act, frozen=True, tag="wait"):
    """Give the screen time to change, a few seconds at most."""


ScreenAction = Click | DoubleClick | Drag | Keypress | Move | Screenshot | Scroll | Type | Wait

Effect = Literal["confirmed", "no effect", "unverifiable"]
"""As far as pixels tell: the screen changed after the action; it did not; or that means nothing,
because the screen was changing anyway or the action changes no pixels by itself."""


class Shot(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of the screen or of a part of it. `size`: width and height of the picture;
    `digest`: SHA-256 of its bytes; `effects`: one for each action that led to it. `settled`: the
    screen had come to rest."""

    picture: bytes
    format: Literal["jpeg", "png"]
    size: tuple[int, int]
    digest: str
    effects: tuple[Effect, ...] = ()
    settled: bool = True
