"""The mouse as CDP commands. Points are x, y in CSS pixels of the viewport."""

from typing import Any

from doer.computers.browser.cdp import Command

Point = tuple[float, float]

DRAG_MOVES = 6  # enough for pages that follow the direction and the neighbours passed


def move(to: Point, held: bool = False) -> Command:
    button = {"button": "left", "buttons": 1} if held else {}
    return _event("mouseMoved", to, **button)


def press(at: Point) -> Command:
    return _event("mousePressed", at, button="left", buttons=1, clickCount=1)


def release(at: Point) -> Command:
    return _event("mouseReleased", at, button="left", clickCount=1)


def click(at: Point) -> list[Command]:
    """Move there first: menus that open under the pointer, and pages that watch it, expect that."""
    return [move(at), press(at), release(at)]


def path(start: Point, end: Point) -> list[Point]:
    """Points of a straight drag, the end last; the first is near: libraries wait for a small move
    before they take a press for a drag."""
    (x, y), (to_x, to_y) = start, end
    parts = [0.05, *(n / (DRAG_MOVES - 1) for n in range(1, DRAG_MOVES))]
    return [(x + (to_x - x) * part, y + (to_y - y) * part) for part in parts]


def wheel(at: Point, dy: int) -> Command:
    return _event("mouseWheel", at, deltaX=0, deltaY=dy)


def _event(type: str, at: Point, **more: Any) -> Command:
    return "Input.dispatchMouseEvent", {"type": type, "x": at[0], "y": at[1], **more}
