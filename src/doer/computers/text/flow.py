"""Text as it comes, made into logical lines: one for each paragraph, list item, table row or line
of code. Wrapped by `layout.py`, which gives them their numbers."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from doer.computers.text.addresses import Addresses
from doer.computers.text.unseen import seen
from doer.records.document import Field

LineKind = Literal["text", "row", "code", "heading", "pointer"]
Leave = Callable[[], None]
MAX_CHARS = 4_000_000
MAX_LINES = 100_000
CUT = "the page is longer than this: its end is left out"
MAX_INDENTS = 12
MAX_MARKS = 20
MAX_LOOKS = 500


@dataclass
class Line:
    """`first` stands before its text, `rest` before what is wrapped. `level`: of a heading, or the
    number of the menu that a pointer points to. `ids`: what fragments of addresses name here."""

    text: str
    kind: LineKind = "text"
    first: str = ""
    rest: str = ""
    level: int = 0
    ids: list[str] = field(default_factory=list[str])


@dataclass
class _Mark:
    """Something inline that is open: `wrap` gets its words when it closes or its line ends."""

    start: int
    wrap: Callable[[str], str]
    used: bool = False


@dataclass
class _Indent:
    first: str
    rest: str
    used: bool = False


@dataclass
class _Outer:
    """What is set aside while a cell or a menu is gathered apart."""

    lines: list[Line]
    indents: list[_Indent]
    marks: list[_Mark]


class Full(Exception):
    """There is more text than a document may hold."""


class Flow:
    """Gathers what is written. `Full` is raised past the limits; what came before can be used."""

    def __init__(self, url: str, base: str) -> None:
        self.url = url
        self.addresses = Addresses(url, base)
        self.lines: list[Line] = []
        self.menus: list[str] = []
        self.fields: list[Field] = []  # of the form that is open
        self.labels: dict[str, str] = {}  # id of a control -> its label
        self.label = ""  # the label around what is being written
        self.muted = 0
        self.looks = MAX_LOOKS  # that may still be taken at what could be a menu
        self.raw = False  # inside preformatted text
        self.unmarked = False  # links and the like are written as plain text
        self._pieces: list[str] = []
        self._marks: list[_Mark] = []
        self._indents: list[_Indent] = []
        self._ids: list[str] = []
        self._outer: list[_Outer] = []
        self._chars = 0
        self._count = 0

    def write(self, text: str) -> None:
        """Add inline text of the page."""
        if not self.muted:
            self.put(seen(text))

    def put(self, text: str) -> None:
        """Add inline text of our own making."""
        room = MAX_CHARS - self._chars
        self._chars += len(text)
        self._pieces.append(text if len(text) <= room else text[:room])
        if len(text) > room:
            raise Full

    def note_id(self, name: str) -> None:
        """The next line is where a fragment of an address points."""
        self._ids.append(name)

    def cut(self, kind: LineKind = "text", level: int = 0) -> None:
        """End the paragraph, if there is one; in preformatted text, the line."""
        if self.raw:
            if self._pieces and not self._pieces[-1].endswith("\n"):
                self._pieces.append("\n")
            return
        for mark in reversed(self._marks):
            self._wrap(mark)
            mark.start = 0
        text = " ".join("".join(self._pieces).split())
        self._pieces = []
        if text:
            self.emit(text, kind, level)

    def emit(self, text: str, kind: LineKind = "text", level: int = 0) -> None:
        """Add a whole line."""
        self._count += 1
        if self._count > MAX_LINES:
            raise Full
        first, rest = self._prefix(kind)
        self.lines.append(Line(text, kind, first, rest, level, self._ids))
        self._ids = []

    def _prefix(self, kind: LineKind) -> tuple[str, str]:
        if kind == "code":
            return "", ""
        indents = self._indents[:MAX_INDENTS]
        first = "".join(one.rest if one.used else one.first for one in indents)
        for one in indents:
            one.used = True
        return first, "".join(one.rest for one in indents)

    def indent(self, first: str, rest: str) -> Leave:
        """Put a prefix before the lines that follow, until the returned function is called."""
        self.cut()
        self._indents.append(_Indent(first, rest))

        def leave() -> None:
            self.cut()
            self._indents.pop()

        return leave

    def mark(self, wrap: Callable[[str], str], empty: str = "") -> Leave:
        """Wrap the words that follow, or `empty` when there are none. Of several paragraphs the
        first is wrapped."""
        if len(self._marks) >= MAX_MARKS:
            return _nothing
        mark = _Mark(len(self._pieces), wrap)
        self._marks.append(mark)

        def leave() -> None:
            self._wrap(mark)
            if not mark.used and empty:
                self.put(wrap(empty))
            self._marks.remove(mark)

        return leave

    def _wrap(self, mark: _Mark) -> None:
        inner = "".join(self._pieces[mark.start :])
        words = " ".join(inner.split())
        if mark.used or not words or self.unmarked:
            return
        mark.used = True
        before = inner[: len(inner) - len(inner.lstrip())]
        after = inner[len(inner.rstrip()) :]
        self._pieces[mark.start :] = [before, mark.wrap(words), after]

    def taken(self) -> str:
        """What was written since the last line, exactly, taken away again."""
        text = "".join(self._pieces)
        self._pieces = []
        return text

    def apart(self) -> Callable[[], list[Line]]:
        """Gather the lines that follow apart, until the returned function is called."""
        self.cut()
        self._outer.append(_Outer(self.lines, self._indents, self._marks))
        self.lines, self._indents, self._marks = [], [], []

        def back() -> list[Line]:
            self.cut()
            return self._back()

        return back

    def _back(self) -> list[Line]:
        inner, outer = self.lines, self._outer.pop()
        self.lines, self._indents, self._marks = outer.lines, outer.indents, outer.marks
        return inner

    def finish(self) -> None:
        """End what is open, in whatever state the walk was left."""
        self.raw = False
        with suppress(Full):
            self.cut()
        while self._outer:
            inner = self._back()
            self.lines += inner


def _nothing() -> None:
    pass
