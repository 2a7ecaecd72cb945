"""What is on a page, as data (`PageView`) and as the text a model reads (`render`)."""

from typing import Any
from urllib.parse import urlsplit

import msgspec

from doer.records.action import Element

TEXT_CHARS = 4000  # about 1,024 tokens
URL_CHARS = 200
ORIGIN_CHARS = 64


class PageView(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of a page. Its references hold until the next reading.

    `above` and `below` count elements left out because the page has more than one view holds.
    `origins`: other origins whose frames are part of the page (`https://example.com`).
    `notes` are things that happened and that a reader must know of (a dialog, a new window).
    `signal` is what the page's own `window.__doerSignal()` returned.
    """

    url: str
    title: str
    elements: tuple[Element, ...] = ()
    above: int = 0
    below: int = 0
    origins: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    signal: dict[str, Any] = {}


def origin_of(url: str) -> str:
    """Scheme, host and port of an address; of one without a host its beginning."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else url[:ORIGIN_CHARS]


def render(view: PageView, chars: int = TEXT_CHARS) -> str:
    """The page as lines `L3: [7] button "Submit" (focused)` below its title and address.

    Plain text has a reference too: a word on a page can be clicked. After about `chars` characters
    the text is cut at a line, and says so.
    """
    url = view.url if len(view.url) <= URL_CHARS else f"{view.url[:URL_CHARS]}..."
    lines = [f"{view.title} ({url})" if view.title else url, *view.notes]
    if view.above:
        lines.append(f"... {view.above} elements above: scroll up to read them")
    size = sum(len(line) + 1 for line in lines)
    left = len(view.elements) + view.below
    for number, element in enumerate(view.elements, 1):
        line = f"L{number}: {_described(element)}"
        size += len(line) + 1
        if size > chars:
            break
        lines.append(line)
        left -= 1
    if left:
        lines.append(f"... {left} elements left out: scroll down to read them")
    return "\n".join(lines)


def _described(element: Element) -> str:
    words = f'[{element.ref}] {element.role} "{element.name}"'
    if element.value is not None:
        words += ' = "' + element.value.replace("\n", "\\n") + '"'
    return f"{words} ({', '.join(element.states)})" if element.states else words
