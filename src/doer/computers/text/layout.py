"""Logical lines to numbered ones: wrapped, with sections and the targets of fragments; the menus of
the page are put at its end, with a pointer where they stood."""

from dataclasses import dataclass, field

from doer.computers.text.flow import Flow, Line
from doer.records.document import Section

WIDTH = 100
ROW_WIDTH = 300  # a row of a table is easier to read on one line
CODE_WIDTH = 1000
MIN_ROOM = 20  # however far a line is indented
ENDS = "\u21a9"  # marks a line of code that goes on in the next


@dataclass
class Laid:
    """`ids`: where each named place is."""

    lines: list[str] = field(default_factory=list[str])
    sections: list[Section] = field(default_factory=list[Section])
    ids: dict[str, int] = field(default_factory=dict[str, int])


def lay(flow: Flow) -> Laid:
    laid = Laid()
    pointers: list[tuple[int, Line]] = []
    for line in flow.lines:
        if line.kind == "heading" and laid.lines and laid.lines[-1]:
            laid.lines.append("")
        number = len(laid.lines) + 1
        for name in line.ids:
            laid.ids.setdefault(name, number)
        if line.kind == "heading":
            laid.sections.append(Section(line=number, level=line.level, title=line.text[:200]))
        if line.kind == "pointer":
            pointers.append((number, line))
        laid.lines += wrapped(line)
    places: list[int] = []
    for menu in flow.menus:
        places.append(len(laid.lines) + 2)
        laid.lines += ["", *fill(menu, WIDTH, "", "")]
    for number, line in pointers:
        laid.lines[number - 1] = f"{line.first}[{line.text}, at L{places[line.level]}]"
    return laid


def wrapped(line: Line) -> list[str]:
    match line.kind:
        case "code":
            text = line.text
            parts = [text[i : i + CODE_WIDTH] for i in range(0, len(text), CODE_WIDTH)] or [""]
            return [f"{part}{ENDS}" for part in parts[:-1]] + parts[-1:]
        case "heading":
            first, rest = f"{line.first}{'#' * line.level} ", line.rest
            return fill(line.text, WIDTH, first, rest)
        case "row":
            return fill(line.text, ROW_WIDTH, line.first, line.rest + "    ")
        case _:
            return fill(line.text, WIDTH, line.first, line.rest)


def fill(text: str, width: int, first: str, rest: str) -> list[str]:
    """Wrap at spaces; a word that is longer than a line is divided."""
    if len(first) + len(text) <= width:
        return [first + text]
    lines: list[str] = []
    line, room = first, max(width - len(rest), MIN_ROOM)
    is_empty = True
    for word in text.split(" "):
        if not is_empty and len(line) + 1 + len(word) > width:
            lines.append(line)
            line, is_empty = rest, True
        *whole, last = [word[i : i + room] for i in range(0, len(word), room)] or [""]
        for part in whole:
            lines.append(line + part)
            line = rest
        line = f"{line}{last}" if is_empty or whole else f"{line} {last}"
        is_empty = False
    return [*lines, line]
