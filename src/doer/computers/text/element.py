"""What the walk asks of an element: its attributes, whether it is shown, its words, its text."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborNode

Attributes = dict[str, str | None]
UNSHOWN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(hidden|collapse)"
    r"|font-size\s*:\s*0(\.0*)?\s*(px|em|rem|pt|%)?\s*(;|$|!)",
    re.I,
)
NEVER_SHOWN = """script style template noscript head link meta base param source track canvas
    datalist rp frameset col colgroup area applet"""
DROPPED = frozenset(NEVER_SHOWN.split())
NODES = 200_000  # of one element's words


def shown(attributes: Attributes) -> bool:
    """As far as the element itself says: style sheets are not read. What is transparent counts as
    shown, because pages fade in what they begin with."""
    if "hidden" in attributes and attributes["hidden"] != "until-found":
        return False
    if attributes.get("aria-hidden") == "true":
        return False
    style = attributes.get("style")
    return not (style and UNSHOWN.search(style))


def below(node: LexborNode, skip: frozenset[str] = DROPPED) -> Iterator[LexborNode]:
    """All that is shown below an element, in order; at any depth without recursion."""
    current = node.first_child
    for _ in range(NODES):
        if current is None:
            return
        inside = None
        if current.is_text_node:
            yield current
        elif current.is_element_node and (current.tag or "") not in skip:
            attributes = current.attributes
            if not attributes or shown(attributes):
                yield current
                inside = current.first_child
        current = inside or _after(current, node)


def _after(current: LexborNode, root: LexborNode) -> LexborNode | None:
    following = current.next
    while following is None:
        parent = current.parent
        if parent is None or parent.mem_id == root.mem_id:  # `==` compares what they hold
            return None
        current, following = parent, parent.next
    return following


CONTROLS = DROPPED | {"select", "textarea", "button", "input", "svg"}


def words(node: LexborNode, skip: frozenset[str] = CONTROLS) -> str:
    """The words below an element, on one line."""
    texts = (one.text_content or "" for one in below(node, skip) if one.is_text_node)
    return " ".join("".join(texts).split())
