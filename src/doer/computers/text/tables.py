"""Tables: a line for each row, cells divided by ` | `, a rule below the header. A row that holds
more than cells (other tables, code, many paragraphs) is laid out as what it holds."""

import re
from dataclasses import dataclass, field

from doer.computers.text.element import Attributes
from doer.computers.text.flow import Flow, Leave, Line

MAX_SPAN = 64
MAX_DEPTH = 6
CELL_LINES = 8  # a cell of more is no cell of data
NUMBERS = re.compile(r"[\d\s]+")


@dataclass
class _Cell:
    lines: list[Line]
    header: bool
    columns: int
    rows: int


@dataclass
class _Table:
    cells: list[_Cell] = field(default_factory=list[_Cell])  # of the open row
    above: dict[int, tuple[int, str]] = field(default_factory=dict[int, tuple[int, str]])
    rows: int = 0
    head: bool = False


class Tables:
    """The tables that are open, the innermost last."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._open: list[_Table] = []

    def enter_table(self) -> Leave:
        self._flow.cut()
        self._open.append(_Table())

        def leave() -> None:
            self._flow.cut()
            self._open.pop()

        return leave

    def enter_head(self) -> Leave | None:
        if not self._open:
            return None
        table = self._open[-1]
        table.head = True

        def leave() -> None:
            table.head = False

        return leave

    def enter_row(self) -> Leave | None:
        if not self._open:
            return None
        self._flow.cut()
        table = self._open[-1]
        outer, table.cells = table.cells, []

        def leave() -> None:
            self._flow.cut()
            self._write(table)
            table.cells = outer

        return leave

    def enter_cell(self, attributes: Attributes, header: bool) -> Leave | None:
        if not self._open or len(self._open) > MAX_DEPTH:
            return self._flow.indent("", "")
        table = self._open[-1]
        back = self._flow.apart()
        raw, self._flow.raw = self._flow.raw, False
        columns, rows = _span(attributes.get("colspan")), _span(attributes.get("rowspan"))

        def leave() -> None:
            lines = back()
            self._flow.raw = raw
            table.cells.append(_Cell(lines, header, columns, rows))

        return leave

    def _write(self, table: _Table) -> None:
        cells = table.cells
        if any(_is_complex(cell) for cell in cells):
            table.above.clear()
            for cell in cells:
                text = "".join(line.text.strip("`") for line in cell.lines)
                if not (NUMBERS.fullmatch(text) and cell is not cells[-1]):  # numbers of lines
                    self._flow.lines += cell.lines
            return
        texts = _spread(table)
        if not any(texts):
            return
        self._flow.emit(" | ".join(texts).rstrip(), "row")
        ids = [id for cell in cells for line in cell.lines for id in line.ids]
        self._flow.lines[-1].ids += ids
        table.rows += 1
        header = table.head or all(cell.header for cell in cells)
        if table.rows == 1 and header and len(texts) > 1:
            self._flow.emit(" | ".join("---" for _ in texts), "row")


def _is_complex(cell: _Cell) -> bool:
    plain = all(line.kind == "text" for line in cell.lines)
    return len(cell.lines) > CELL_LINES or not plain


def _spread(table: _Table) -> list[str]:
    """The texts of a row by column: a cell over several rows stands in each of them."""
    texts: list[str] = []
    above = table.above

    def hang() -> None:
        while len(texts) in above:
            left, text = above[len(texts)]
            if left <= 1:
                del above[len(texts)]
            else:
                above[len(texts)] = left - 1, text
            texts.append(text)

    for cell in table.cells:
        hang()
        text = " / ".join(line.text for line in cell.lines).replace(" | ", " \\| ")
        for column in range(cell.columns):
            if cell.rows > 1:
                above[len(texts)] = cell.rows - 1, text if column == 0 else ""
            texts.append(text if column == 0 else "")
    hang()
    return texts


def _span(text: str | None) -> int:
    number = int(text) if text and text.isascii() and text.isdigit() and len(text) < 5 else 1
    return min(max(number, 1), MAX_SPAN)
