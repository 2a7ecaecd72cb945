"""Preformatted text, kept to the character between fences; numbers of lines are left out."""

import re

from selectolax.lexbor import LexborNode

from doer.computers.text.element import Attributes
from doer.computers.text.flow import Flow, Leave

LANGUAGE = re.compile(r"(?:^|\s)(?:language|lang|highlight|sourceCode)[-\s]([\w+#.-]{1,20})")
NUMBERED = re.compile(r"(?:^|\s)(?:linenos?|linenodiv|line-numbers?|gutter|ln-num)(?:\s|$)")
LISTING = 0.2  # so much of the text in links: a list of files


def enter_pre(flow: Flow, node: LexborNode, attributes: Attributes) -> Leave:
    flow.cut()
    if flow.raw:
        return flow.cut
    outer, flow.unmarked = flow.unmarked, flow.unmarked or not _is_listing(node)
    flow.raw = True

    def leave() -> None:
        lines = flow.taken().split("\n")
        flow.raw, flow.unmarked = False, outer
        while lines and not lines[-1].strip():
            lines.pop()
        if lines:
            flow.emit(f"```{_language(node, attributes)}", "code")
            for line in lines:
                flow.emit(line.rstrip("\r"), "code")
            flow.emit("```", "code")

    return leave


def is_number_of_line(attributes: Attributes) -> bool:
    """Whether an element within code only counts its lines."""
    return bool(NUMBERED.search(attributes.get("class") or ""))


def _language(node: LexborNode, attributes: Attributes) -> str:
    """As authors and generators write it: a class of the block, of the code in it, or around it."""
    code = node.css_first("code")
    parent = node.parent
    around = [parent, parent.parent if parent is not None else None]
    for one in [code, *around]:
        classes = one.attributes.get("class") if one is not None and one.is_element_node else ""
        if found := LANGUAGE.search(f"{attributes.get('class') or ''} {classes or ''}"):
            return found[1]
    return ""


def _is_listing(node: LexborNode) -> bool:
    if node.css_first("code") is not None:
        return False
    links = sum(len(link.text() or "") for link in node.css("a[href]"))
    return links > LISTING * len("".join((node.text() or "").split()))
