"""PDF to lines, page by page."""

import io
import time
from itertools import chain

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from doer.computers.text.unseen import seen
from doer.errors import ToolError
from doer.records.document import Document

MAX_PAGES = 1000
READ_S = 15.0  # after this the pages read so far must do
BROKEN = (PyPdfError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)
"""What pypdf raises on files that do not keep to the format."""


def read_pdf(content: bytes, url: str) -> Document:
    """Raises `ToolError` when the file is encrypted or broken."""
    began = time.monotonic()
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ToolError("this PDF is encrypted: its password is needed to read it")
        total = len(reader.pages)
        title = str(reader.metadata.title or "") if reader.metadata else ""
    except BROKEN as error:
        raise ToolError(f"this PDF is broken: {type(error).__name__}: {error}") from error
    lines: list[str] = []
    pages: list[int] = []
    notes: list[str] = []
    for number in range(min(total, MAX_PAGES)):
        if time.monotonic() - began > READ_S:
            break
        pages.append(len(lines) + 1)
        lines.append(f"[page {number + 1}]")
        try:
            text = reader.pages[number].extract_text()
        except BROKEN as error:
            notes.append(f"page {number + 1} cannot be read: {type(error).__name__}")
            continue
        lines += [seen(line.rstrip()) for line in text.splitlines() if line.strip()]
    if len(pages) < total:
        notes.append(f"only the first {len(pages)} of {total} pages were read")
    if len(lines) == len(pages) and pages:
        notes.append("no text in this PDF: its pages are pictures; look at it in the screen view")
    return Document(
        url=url,
        title=seen(" ".join(title.split()))[:300],
        kind="pdf",
        lines=tuple(lines),
        pages=tuple(pages),
        notes=tuple(chain(notes[:10], ["more pages cannot be read"] if notes[10:] else [])),
    )
