"""Text that is no HTML: plain, JSON, XML, tables of values. Line by line as it is."""

import json

from doer.computers.text.flow import CUT, MAX_LINES
from doer.computers.text.layout import CODE_WIDTH, ENDS
from doer.computers.text.unseen import HIDES, hides, seen
from doer.records.document import Document

LONG = 400  # a line of JSON that nobody can read


def read_plain(text: str, url: str, *, is_json: bool = False) -> Document:
    """JSON on one long line is indented."""
    notes = [HIDES] if hides(text) else []
    if is_json and max(map(len, text.splitlines()), default=0) > LONG:
        text = _indented(text)
    lines: list[str] = []
    for line in text.splitlines():
        clean = seen(line.replace("\f", ""))
        parts = [clean[i : i + CODE_WIDTH] for i in range(0, len(clean), CODE_WIDTH)] or [""]
        lines += [*(f"{part}{ENDS}" for part in parts[:-1]), parts[-1]]
        if len(lines) > MAX_LINES:
            notes.append(CUT)
            break
    return Document(url=url, kind="text", lines=tuple(lines[:MAX_LINES]), notes=tuple(notes))


def _indented(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
