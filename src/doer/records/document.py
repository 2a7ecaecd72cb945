"""A page as text: numbered lines, with its links, forms and sections beside them.

A document never changes, so what cites a line of it can be checked later. Stored as `encode`d bytes
under their digest, as all big things are. Lines are counted from 1.
"""

from typing import Literal

import msgspec

Kind = Literal["html", "pdf", "text", "image", "file"]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """`line` is where the same document has the target, 0 for other documents."""

    text: str
    url: str
    line: int = 0


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A control: `name` is what people see, `key` what is sent. Secret values are masked."""

    role: str
    name: str
    key: str = ""
    value: str = ""
    states: tuple[str, ...] = ()


class Form(msgspec.Struct, frozen=True, kw_only=True):
    method: str
    action: str
    fields: tuple[Field, ...] = ()


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A heading: its level (1 to 6) and line."""

    line: int
    level: int
    title: str


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """`status` is the HTTP status, 0 where there was none. Link n of the text is `links[n - 1]`.

    `pages` are the lines at which the pages of a PDF begin. `notes` say what a reader must know:
    that text was cut, that it was rendered, that invisible characters were taken out.
    """

    url: str
    title: str = ""
    kind: Kind = "html"
    status: int = 0
    lines: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    forms: tuple[Form, ...] = ()
    sections: tuple[Section, ...] = ()
    pages: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def encode(document: Document) -> bytes:
    """The same document always gives the same bytes."""
    return msgspec.json.encode(document)


def decode(content: bytes) -> Document:
    """Raises `msgspec.MsgspecError` when these are not a document's bytes."""
    return msgspec.json.decode(content, type=Document)
