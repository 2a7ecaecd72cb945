"""Rectangles of a screen that changed, and how to tell of many with a few."""

from collections.abc import Iterable
from typing import NamedTuple, Self

MOST = 12
"""More rectangles than this are told as one around all of them."""
WASTE = 1.4
"""Two rectangles become one when that is at most this many times their area: a message has its
price too."""


class Rect(NamedTuple):
    """Pixels from (x, y), width to the right and height down."""

    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> int:
        return self.width * self.height

    def around(self, other: Self) -> "Rect":
        """The smallest rectangle that holds both."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        right = max(self.x + self.width, other.x + other.width)
        bottom = max(self.y + self.height, other.y + other.height)
        return Rect(x, y, right - x, bottom - y)

    def clipped(self, width: int, height: int) -> "Rect":
        """What of it lies on a screen of that size; perhaps nothing."""
        x, y = min(max(self.x, 0), width), min(max(self.y, 0), height)
        right = min(max(self.x + self.width, x), width)
        bottom = min(max(self.y + self.height, y), height)
        return Rect(x, y, right - x, bottom - y)

    def inside(self, width: int, height: int) -> bool:
        """Whether it is not empty and lies on a screen of that size."""
        fits = self.x + self.width <= width and self.y + self.height <= height
        return fits and self.x >= 0 <= self.y and self.width > 0 < self.height


def merged(rects: Iterable[Rect]) -> list[Rect]:
    """Few rectangles that cover all of the given ones."""
    left: list[Rect] = []
    for rect in rects:
        _add(left, rect)
        if len(left) > MOST:
            whole = left[0]
            for one in left[1:]:
                whole = whole.around(one)
            left = [whole]
    return left


def _add(rects: list[Rect], new: Rect) -> None:
    """Put it in, swallowing those that are cheaper told together with it."""
    at = 0
    while at < len(rects):
        both = rects[at].around(new)
        if both.area <= WASTE * (rects[at].area + new.area):
            del rects[at]
            new, at = both, 0
        else:
            at += 1
    rects.append(new)
