"""Mouse and keyboard: each action as pointer and key messages to a mirror.

Everything is checked before anything is pressed, and whatever is down when a caller is cancelled
comes up again.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Generator, Iterable

from doer.computers.screen import keysyms
from doer.computers.screen.keyboard import ROOM, LoadKeyboard, keymap
from doer.computers.screen.mirror import Mirror
from doer.errors import ToolError
from doer.records.screen import (
    Button,
    Click,
    DoubleClick,
    Drag,
    Keypress,
    Keys,
    Move,
    Point,
    ScreenAction,
    Scroll,
    Type,
)

BUTTONS: dict[Button, int] = {"left": 1, "wheel": 2, "right": 4, "back": 128}
"""RFB's bits. There is none for a ninth button: `forward` is the keyboard's key for it."""
UP, DOWN, LEFT, RIGHT = 8, 16, 32, 64
NOTCH = 120
"""Pixels that one step of the wheel stands for, about what browsers scroll by one."""
MOST_NOTCHES = 200
LONGEST_TEXT = 20_000
DRAG_STEP = 16
"""Pixels between two positions of a drag: programs start dragging after a few."""
DRAG_STEP_S = 0.01
"""And the time between them: many programs look at the pointer once per frame."""
CLICKS_APART_S = 0.03
"""Chromium takes two clicks in one millisecond for one."""
STROKES_AT_ONCE = 200
LITTLE_ROOM = 16
"""Characters that the map an X server starts with has room for."""
LEARNT_S = 0.4
"""Programs have most likely learnt of a new keyboard map by then; nothing tells."""


class Hands:
    """Acts on one mirror. `settle` waits until programs have taken in what was typed."""

    def __init__(self, mirror: Mirror, load_keyboard: LoadKeyboard | None) -> None:
        self._mirror = mirror
        self._load_keyboard = load_keyboard
        self._mapped: list[int] | None = None  # foreign keys; not known at first

    def check(self, action: ScreenAction) -> None:
        """Raises `ToolError` that says what is allowed when the action cannot be done."""
        match action:
            case Click() | DoubleClick() | Move() | Scroll():
                self._check_places([Point(action.x, action.y)])
            case Drag():
                if len(action.path) < 2:
                    raise ToolError("a drag's path needs at least two points, its start and end")
                self._check_places(action.path)
            case Type():
                if len(action.text) > LONGEST_TEXT:
                    raise ToolError(
                        f"{len(action.text)} characters are too many to type; the most is"
                        f" {LONGEST_TEXT}: write a file instead"
                    )
                for character in set(action.text):
                    keysyms.of_character(character)
            case Keypress():
                keysyms.chord(action.keys)
            case _:
                return
        if isinstance(action, Click | DoubleClick | Drag | Move | Scroll) and action.keys:
            keysyms.chord(action.keys)
        if isinstance(action, Scroll) and max(map(abs, _notches(action))) > MOST_NOTCHES:
            raise ToolError(f"scrolls at most {MOST_NOTCHES * NOTCH} pixels at a time")

    async def do(self, action: ScreenAction, settle: Callable[[], Awaitable[object]]) -> None:
        match action:
            case Click():
                with self._holding(action.keys):
                    self._click(action)
            case DoubleClick():
                with self._holding(action.keys):
                    one = Click(x=action.x, y=action.y, button="left")
                    self._click(one)
                    await self._mirror.ping()
                    await asyncio.sleep(CLICKS_APART_S)
                    self._click(one)
            case Move():
                with self._holding(action.keys):
                    self._mirror.move(action.x, action.y)
            case Scroll():
                with self._holding(action.keys):
                    self._scroll(action)
            case Drag():
                with self._holding(action.keys):
                    await self._drag(action.path)
            case Keypress():
                held, struck = keysyms.chord(action.keys)
                await self._type(struck, settle, held)
            case Type():
                text = action.text.replace("\r\n", "\n")
                await self._type([keysyms.of_character(one) for one in text], settle, [])
            case _:
                pass

    def _check_places(self, places: Iterable[Point]) -> None:
        width, height = self._mirror.width, self._mirror.height
        for place in places:
            if not (0 <= place.x < width and 0 <= place.y < height):
                raise ToolError(
                    f"({place.x}, {place.y}) is not on the screen:"
                    f" x goes from 0 to {width - 1}, y from 0 to {height - 1}"
                )

    @contextlib.contextmanager
    def _holding(self, keys: Keys) -> Generator[None]:
        held, struck = keysyms.chord(keys) if keys else ([], [])
        with self._down([*held, *struck]):
            yield

    @contextlib.contextmanager
    def _down(self, keys: list[int]) -> Generator[None]:
        """Keys go down now and come up in the end, whatever happens."""
        for key in keys:
            self._mirror.key(key, True)
        try:
            yield
        finally:
            if self._mirror.alive:
                for key in reversed(keys):
                    self._mirror.key(key, False)

    def _click(self, click: Click) -> None:
        self._mirror.move(click.x, click.y)
        if click.button == "forward":
            self._stroke(keysyms.NAMED["browserforward"])
            return
        self._mirror.move(click.x, click.y, BUTTONS[click.button])
        self._mirror.move(click.x, click.y)

    def _scroll(self, scroll: Scroll) -> None:
        across, down = _notches(scroll)
        self._mirror.move(scroll.x, scroll.y)
        for steps, less, more in ((down, UP, DOWN), (across, LEFT, RIGHT)):
            for _ in range(abs(steps)):
                self._mirror.move(scroll.x, scroll.y, more if steps > 0 else less)
                self._mirror.move(scroll.x, scroll.y)

    async def _drag(self, path: tuple[Point, ...]) -> None:
        last = path[0]
        self._mirror.move(last.x, last.y)
        try:
            self._mirror.move(last.x, last.y, BUTTONS["left"])
            for point in path[1:]:
                far = max(abs(point.x - last.x), abs(point.y - last.y))
                steps = max(1, far // DRAG_STEP)
                for n in range(1, steps + 1):
                    x = last.x + (point.x - last.x) * n // steps
                    y = last.y + (point.y - last.y) * n // steps
                    self._mirror.move(x, y, BUTTONS["left"])
                    await asyncio.sleep(DRAG_STEP_S)
                last = point
            await self._mirror.ping()
        finally:
            if self._mirror.alive:
                self._mirror.move(*self._mirror.pointer_at)

    def _stroke(self, key: int) -> None:
        self._mirror.key(key, True)
        self._mirror.key(key, False)

    async def _type(
        self, keys: list[int], settle: Callable[[], Awaitable[object]], held: list[int]
    ) -> None:
        """Strike keys in order, with others held, making room for foreign ones in time."""
        if held:  # nothing may be down while the map changes
            await self._make_room(keys, settle)
        with self._down(held):
            for n, key in enumerate(keys):
                if not held and keysyms.foreign(key) and key not in (self._mapped or ()):
                    await self._make_room(keys[n:], settle)
                self._stroke(key)
                if n % STROKES_AT_ONCE == 0:
                    await self._mirror.ping()
        await self._mirror.ping()

    async def _make_room(self, keys: list[int], settle: Callable[[], Awaitable[object]]) -> None:
        """See to it that the first of the coming foreign keys are in the map."""
        coming = list(dict.fromkeys(filter(keysyms.foreign, keys)))[:ROOM]
        fresh = [key for key in coming if key not in (self._mapped or ())]
        if not fresh:
            return
        if self._load_keyboard is None:  # Xvnc makes room, as long as it can
            self._mapped = [*(self._mapped or ()), *fresh]
            if len(self._mapped) > LITTLE_ROOM:
                raise ToolError(
                    f"this screen types at most {LITTLE_ROOM} different characters that a US"
                    " keyboard lacks; write a file instead, or paste"
                )
            return
        if self._mapped is None or len(self._mapped) + len(fresh) > ROOM:
            self._mapped, fresh = [], coming
            # a program that still has old keys before it would read them with the new map
            await self._mirror.ping()
            await settle()
        wanted, self._mapped = [*self._mapped, *fresh], None  # not known if this fails
        await self._load_keyboard(keymap(wanted))
        await asyncio.sleep(LEARNT_S)
        self._mapped = wanted


def _notches(scroll: Scroll) -> tuple[int, int]:
    """Steps across and down. The smallest distance is a step."""

    def steps(pixels: int) -> int:
        return (1 if pixels > 0 else -1) * max(1, round(abs(pixels) / NOTCH)) if pixels else 0

    return steps(scroll.scroll_x), steps(scroll.scroll_y)
