"""Fetched bytes to a document, by what they are."""

import msgspec

from doer.computers.text.charset import decode
from doer.computers.text.markup import Read, read_html
from doer.computers.text.page import (
    HTML,
    TEXT,
    Fetched,
    charset_of,
    file_name,
    mime_of,
)
from doer.computers.text.pdf import read_pdf
from doer.computers.text.picture import size_of
from doer.computers.text.plain import read_plain
from doer.records.document import Document


def extract(fetched: Fetched) -> Read:
    """Raises `ToolError` for a PDF that cannot be read."""
    mime = mime_of(fetched)
    by_scripts = False
    if mime in HTML:
        html = decode(fetched.content, charset_of(fetched))
        document, by_scripts = read_html(html, fetched.url)
    elif mime == "application/pdf":
        document = read_pdf(fetched.content, fetched.url)
    elif TEXT.fullmatch(mime):
        text = decode(fetched.content, charset_of(fetched))
        document = read_plain(text, fetched.url, is_json="json" in mime)
    elif mime.startswith("image/"):
        document = _image(fetched, mime)
    else:
        document = _file(fetched, mime)
    notes = [*fetched.notes, *document.notes]
    if fetched.cut and document.lines:
        notes.append(f"only the first {len(fetched.content):,} bytes were read")
    if fetched.rendered:
        notes.append("read as rendered: the page is made by its scripts")
    if (name := file_name(fetched)) and document.kind != "file":
        notes.append(f"the server offers this as a file to download: {name}")
    document = msgspec.structs.replace(document, status=fetched.status, notes=tuple(notes))
    return Read(document, by_scripts)


def _size(fetched: Fetched) -> str:
    size = fetched.size if fetched.size >= 0 else -1 if fetched.cut else len(fetched.content)
    return f"{size:,} bytes" if size >= 0 else "size unknown"


def _image(fetched: Fetched, mime: str) -> Document:
    size = size_of(fetched.content)
    pixels = f", {size[0]} x {size[1]} pixels" if size else ""
    line = f"[{mime}{pixels}, {_size(fetched)}: look at it in the screen view]"
    return Document(url=fetched.url, kind="image", lines=(line,))


def _file(fetched: Fetched, mime: str) -> Document:
    name = file_name(fetched)
    named = f"{name}: " if name else ""
    line = f"[{named}{mime}, {_size(fetched)}: no text; download it and open it with a program]"
    return Document(url=fetched.url, kind="file", lines=(line,))
