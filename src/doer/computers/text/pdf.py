"""PDF to lines, page by page, by the library that shows PDFs in Chromium."""

import time
from collections.abc import Iterator
from typing import Any, Protocol, cast

import pypdfium2  # pyright: ignore[reportMissingTypeStubs]

from doer.computers.text.unseen import seen
from doer.errors import ToolError
from doer.records.document import Document

MAX_PAGES = 2000
READ_S = 10.0  # after this the pages read so far must do
HYPHEN = "\ufffe"  # stands where a word was divided at the end of a line


class _Text(Protocol):
    def get_text_range(self) -> str: ...
    def close(self) -> None: ...


class _Page(Protocol):
    def get_textpage(self) -> _Text: ...
    def close(self) -> None: ...


class _Pdf(Protocol):
    """What we use of `pypdfium2.PdfDocument`, which has no types of its own."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> _Page: ...
    def get_metadata_value(self, key: str) -> str: ...
    def close(self) -> None: ...


def read_pdf(content: bytes, url: str) -> Document:
    """Raises `ToolError` when the file is encrypted or broken."""
    pdf = _opened(content)
    try:
        total = len(pdf)
        title = seen(" ".join(pdf.get_metadata_value("Title").split()))
        lines: list[str] = []
        pages: list[int] = []
        for text in _texts(pdf):
            pages.append(len(lines) + 1)
            lines.append(f"[page {len(pages)}]")
            lines += [seen(line.rstrip()) for line in text.splitlines() if line.strip()]
    finally:
        pdf.close()
    notes: list[str] = []
    if len(pages) < total:
        notes.append(f"only the first {len(pages)} of {total} pages were read")
    if len(lines) == len(pages):
        notes.append("no text in this PDF: its pages are pictures; look at it in the screen view")
    return Document(
        url=url,
        title=title[:300],
        kind="pdf",
        lines=tuple(lines),
        pages=tuple(pages),
        notes=tuple(notes),
    )


def _opened(content: bytes) -> _Pdf:
    try:
        return cast(Any, pypdfium2.PdfDocument)(content)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise ToolError("this PDF is encrypted: its password is needed to read it") from None
        raise ToolError(f"this PDF is broken: {error}") from None


def _texts(pdf: _Pdf) -> Iterator[str]:
    """The text of each page; "" for one that is broken."""
    began = time.monotonic()
    for number in range(min(len(pdf), MAX_PAGES)):
        if time.monotonic() - began > READ_S:
            return
        try:
            page = pdf[number]
            text = page.get_textpage()
            yield text.get_text_range().replace(HYPHEN, "")
            text.close()
            page.close()
        except pypdfium2.PdfiumError:
            yield ""
