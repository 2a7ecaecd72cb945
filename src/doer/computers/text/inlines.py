"""Links, buttons, pictures and small marks within a line."""

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from selectolax.lexbor import LexborNode

from doer.computers.text.element import Attributes, words
from doer.computers.text.flow import Flow, Leave
from doer.computers.text.forms import put_field
from doer.computers.text.unseen import seen

PERMALINK = re.compile("[¶#§\U0001f517\u2693\\s]*")
SKIP = re.compile(r"(skip|jump) to .{0,40}", re.I)
RAISED = re.compile(r"[\d+\u2212n-]{1,4}")
LABEL_CHARS = 200


def enter_link(flow: Flow, node: LexborNode, attributes: Attributes) -> Leave | None:
    href = attributes.get("href")
    if href is None:
        return None
    addresses = flow.addresses
    if addresses.fragment(
        addresses.absolute(href)
    ):  # marks that point at their own heading, and ways around a menu
        text = node.text() or ""
        if len(text) < 60 and (PERMALINK.fullmatch(text) or SKIP.fullmatch(text.strip())):
            return _silent(flow)
    empty = attributes.get("aria-label") or attributes.get("title") or ""
    if not empty and node.css_first("img, svg") is not None:
        empty = _file_name(href)
    return flow.mark(lambda text: flow.addresses.linked(href, text), seen(" ".join(empty.split())))


def _silent(flow: Flow) -> Leave:
    flow.muted += 1

    def leave() -> None:
        flow.muted -= 1

    return leave


def _file_name(href: str) -> str:
    try:
        parts = urlsplit(href)
    except ValueError:
        return ""
    return unquote(PurePosixPath(parts.path).name)[:60] or parts.netloc


def enter_button(flow: Flow, node: LexborNode, attributes: Attributes, role: str) -> Leave:
    if flow.raw or flow.muted:  # it copies the code around it, or stands in another
        return _silent(flow)
    name = attributes.get("aria-label") or words(node, skip=_NONE) or attributes.get("title") or ""
    put_field(flow, role, name or attributes.get("value") or "", "", attributes)
    return _silent(flow)


_NONE = frozenset({"script", "style", "template"})


def put_image(flow: Flow, attributes: Attributes) -> None:
    alt = attributes.get("alt")
    label = alt if alt is not None else attributes.get("title") or attributes.get("aria-label")
    if label and label.strip() and not flow.muted:
        flow.put(f" [image: {seen(' '.join(label.split()))[:LABEL_CHARS]}] ")


def put_drawing(flow: Flow, node: LexborNode, attributes: Attributes) -> None:
    title = attributes.get("aria-label")
    if not title:
        found = node.css_first("title")
        title = found.text() if found is not None else ""
    put_image(flow, {"alt": title})


def put_media(flow: Flow, node: LexborNode, attributes: Attributes) -> None:
    """A video, a sound, another page in a frame: a link to it."""
    source = attributes.get("src") or attributes.get("data")
    if not source:
        child = node.css_first("source[src]")
        source = child.attributes.get("src") if child is not None else None
    title = attributes.get("title") or attributes.get("aria-label") or ""
    kind = {"iframe": "frame", "embed": "object"}.get(node.tag or "", node.tag or "")
    if source and flow.addresses.absolute(source) not in ("", "about:blank"):
        name = seen(" ".join((title or _file_name(source)).split()))[:LABEL_CHARS]
        flow.put(f" [{kind}: {flow.addresses.linked(source, name)}] ")


def put_formula(flow: Flow, node: LexborNode, attributes: Attributes) -> bool:
    """A formula by the text its author gave it. False when there is none."""
    source = attributes.get("alttext")
    if not source:
        found = node.css_first("annotation")
        source = found.text() if found is not None else ""
    if source:
        flow.put(f" {seen(' '.join(source.split()))} ")
    return bool(source)


def enter_raised(flow: Flow, node: LexborNode) -> None:
    """x² is not x2."""
    if RAISED.fullmatch((node.text() or "").strip()) and node.css_first("a") is None:
        flow.put("^")


def enter_struck(flow: Flow) -> Leave | None:
    """A price that is crossed out is not the price."""
    return None if flow.raw else flow.mark(lambda text: f"~~{text}~~")


def enter_code(flow: Flow, node: LexborNode) -> Leave | None:
    if not flow.raw:
        return flow.mark(lambda text: f"`{text}`")
    if node.prev is not None and node.prev.tag == "code":  # versions of one example
        flow.cut()
    return None
