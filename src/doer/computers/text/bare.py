"""The words of HTML without a tree: for pages nested so deeply that parsing them would take
minutes, which no person wrote."""

import html
import re

MAX_DEPTH = 3000
NESTING = (b"div", b"section", b"article", b"blockquote", b"ul", b"ol", b"dl", b"center", b"main")
DROPPED = re.compile(r"<!--.*?-->|<(script|style|template)\b.*?</\1\s*>", re.S | re.I)
BLOCK = re.compile(r"</?(p|div|section|article|li|tr|h[1-6]|br|table|blockquote|dd|dt)\b", re.I)
TAG = re.compile(r"<[^<>]{0,2000}>")


def is_too_deep(text: str) -> bool:
    """Whether more elements are opened than closed, by far."""
    content = text.encode("utf-8", "replace").lower()
    left_open = (content.count(b"<" + tag) - content.count(b"</" + tag) for tag in NESTING)
    return sum(max(count, 0) for count in left_open) > MAX_DEPTH


def without_tags(text: str) -> str:
    """Its text, a line for each block."""
    text = DROPPED.sub(" ", text)
    text = TAG.sub("", BLOCK.sub(r"\n<\1", text))
    lines = (" ".join(html.unescape(line).split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
