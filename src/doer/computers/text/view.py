"""A document as a model reads it: a part of its lines with their numbers, within a budget."""

import re

from doer.computers.text.unseen import seen
from doer.errors import ToolError
from doer.records.document import Document

TOKENS = 1024
URL_CHARS = 200
MATCHES = 50
MATCH_LINES = 3
PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+|\s+|[^\x00-\x7f]|.")


def tokens(text: str) -> int:
    """An estimate of a text's tokens that errs high, except for words that no language has: a word,
    or part of a name like `partOfName`, is one for every six letters, a number one for every three
    digits, everything else one a character."""
    count = 0
    for part in PART.findall(text):
        if part.isspace():
            count += len(part) > 1
        elif part.isascii() and part.isalpha():
            count += -(-len(part) // 6)
        elif part.isdigit() and part.isascii():
            count += -(-len(part) // 3)
        else:
            count += 1
    return count


def render(document: Document, line: int = 0, budget: int = TOKENS) -> str:
    """The document from a line on, as much as fits into `budget` tokens; at least one line.

    Raises `ToolError` when there is no such line.
    """
    total = len(document.lines)
    first = max(line, 1)
    if first > max(total, 1) or line < 0:
        raise ToolError(f"there is no line {line}: the lines of this page are 1 to {total}")
    head = _head(document)
    used = sum(map(tokens, head)) + 12
    shown: list[str] = []
    for number in range(first, total + 1):
        text = f"L{number}: {document.lines[number - 1]}"
        used += tokens(text) + 1
        if used > budget and shown:
            break
        shown.append(text)
    if not shown:
        return "\n".join([*head, "(no text)"])
    last = first + len(shown) - 1
    where = f"viewing lines [{first} - {last}] of {total}"
    return "\n".join([*head, where, "", *shown])


def _head(document: Document) -> list[str]:
    url = document.url
    short = url if len(url) <= URL_CHARS else f"{url[:URL_CHARS]}..."
    said = f"{document.title} ({short})" if document.title else short
    status = [f"status {document.status}"] if document.status >= 400 else []
    pages = [f"{len(document.pages)} pages"] if document.pages else []
    return [said, *[f"note: {note}" for note in (*status, *pages, *document.notes)]]


def find(document: Document, pattern: str, budget: int = TOKENS) -> str:
    """The places where a text occurs, small and capital letters alike, with the lines after it.

    Raises `ToolError` when it does not occur.
    """
    sought = " ".join(seen(pattern).split()).casefold()
    if not sought:
        raise ToolError("there is nothing to find: give a word or a phrase")
    places = _places(document.lines, sought)
    if not places:
        raise ToolError(f'"{pattern[:100]}" is not on this page: try a shorter or another word')
    out = [f'{len(places)} places with "{pattern[:100]}"']
    used = tokens(out[0])
    done = 0
    for count, place in enumerate(places):
        if place <= done:
            continue
        until = min(place + MATCH_LINES - 1, len(document.lines))
        block = [f"L{n}: {document.lines[n - 1]}" for n in range(place, until + 1)]
        used += sum(tokens(text) + 1 for text in block) + 1
        if count >= MATCHES or (used > budget and count):
            out.append(f"... {len(places) - count} more from L{place} on")
            break
        out += ["", *block]
        done = until
    return "\n".join(out)


def _places(lines: tuple[str, ...], sought: str) -> list[int]:
    """The lines in which an occurrence begins; it may go on in the next line."""
    folded = [" ".join(line.split()).casefold() for line in lines]
    found: list[int] = []
    for number, line in enumerate(folded, 1):
        if sought in line:
            found.append(number)
        elif number < len(folded) and (following := folded[number]) and sought not in following:
            joined = f"{line[-len(sought) :]} {following[: len(sought)]}"
            if sought in joined:
                found.append(number)
    return found


def cite(document: Document, first: int, last: int = 0) -> str:
    """The exact lines a citation names. Raises `ToolError` when they do not exist."""
    last = last or first
    total = len(document.lines)
    if not 1 <= first <= last <= total:
        raise ToolError(f"there are no lines {first} to {last}: this page has 1 to {total}")
    return "\n".join(document.lines[first - 1 : last])


CITATION = re.compile(r"【([^†】\s]+)†L(\d{1,7})(?:-L(\d{1,7}))?】")


def citation(page: str, first: int, last: int = 0) -> str:
    return f"【{page}†L{first}-L{last}】" if last > first else f"【{page}†L{first}】"
