"""What was fetched, before it is made into text, and what kind of thing it is."""

import re

import msgspec

from doer.records.document import Document

MAX_BYTES = 16 * 1024 * 1024
CHARSET = re.compile(r"charset\s*=\s*([^;\s]+)", re.I)
FILE_NAME = re.compile(r"""filename\s*=\s*"?([^";]{1,200})""", re.I)
HTML = ("text/html", "application/xhtml+xml")
TEXT = re.compile(
    r"text/.*|application/(?:[\w.-]+\+)?(?:json|xml|yaml|javascript|ecmascript|x-sh|sql|toml|x-tex"
    r"|x-ndjson|x-www-form-urlencoded|rtf|x-yaml|ld\+json)|image/svg\+xml|message/.*|multipart/.*"
)
PDF_SIGN = b"%PDF-"


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request. `size` is that of the whole, -1 when it is not known; `content` may
    be only its beginning, and is empty where the type makes no text. `rendered`: the content is the
    page as Chromium shows it."""

    url: str
    content: bytes = b""
    status: int = 0
    content_type: str = ""
    disposition: str = ""
    size: int = -1
    cut: bool = False
    rendered: bool = False
    notes: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker made of it: a document, or why there is none. `by_scripts`: there is so
    little text that the page is probably made by its scripts."""

    document: Document | None = None
    by_scripts: bool = False
    refused: str = ""


def mime_of(fetched: Fetched) -> str:
    """The type as told; when none is told, or one that says nothing, as the bytes look."""
    mime = fetched.content_type.partition(";")[0].strip().lower()
    if fetched.content.startswith(PDF_SIGN):
        return "application/pdf"
    if mime and mime not in ("application/octet-stream", "unknown/unknown"):
        return mime
    start = fetched.content[:1024].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "text/html"
    if fetched.content and b"\0" not in fetched.content[:1024] and not mime:
        return "text/plain"
    return mime or "application/octet-stream"


def is_readable(content_type: str) -> bool:
    """Whether a body of this type is worth fetching: an unknown one is, for a look at it."""
    mime = content_type.partition(";")[0].strip().lower()
    known = ("", "application/octet-stream", "unknown/unknown", "application/pdf", *HTML)
    return mime in known or bool(TEXT.fullmatch(mime)) or mime.startswith("image/")


def charset_of(fetched: Fetched) -> str:
    found = CHARSET.search(fetched.content_type)
    return found[1] if found else ""


def file_name(fetched: Fetched) -> str:
    if not fetched.disposition.lower().startswith("attachment"):
        return ""
    found = FILE_NAME.search(fetched.disposition)
    return found[1].strip() if found else fetched.url.rpartition("/")[2][:200] or "a file"
