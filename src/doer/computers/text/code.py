"""Preformatted text, kept to the character between fences; numbers of lines are left out."""

import re

from selectolax.lexbor import LexborNode

from doer.computers.text.element import Attributes, below, words
from doer.computers.text.flow import Flow, Leave

LANGUAGE = re.compile(r"(?:^|\s)(?:language|lang|highlight|sourceCode)[-\s]([\w+#.-]{1,20})")
NUMBERED = re.compile(r"(?:^|\s)(?:linenos?|linenodiv|line-numbers?|gutter|ln-num)(?:\s|$)")
LINKS = 30  # of one block of code are listed below it


def enter_pre(flow: Flow, node: LexborNode, attributes: Attributes) -> Leave:
    flow.cut()
    if flow.raw:
        return flow.cut
    links = node.css("a[href]")
    listing = bool(links) and _is_listing(node, len(links))
    outer, flow.unmarked = flow.unmarked, flow.unmarked or not listing
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
        if links and not listing and not flow.muted:
            _list_links(flow, links)

    return leave


def is_number_of_line(attributes: Attributes) -> bool:
    """Whether an element within code only counts its lines."""
    return bool(NUMBERED.search(attributes.get("class") or ""))


def _list_links(flow: Flow, links: list[LexborNode]) -> None:
    """The links in code, which would spoil it if they were marked there, and are new."""
    fresh: list[str] = []
    for link in links[:LINKS]:
        href, text = link.attributes.get("href") or "", words(link)
        if text and not flow.addresses.is_known(href):
            fresh.append(flow.addresses.linked(href, text))
    if fresh:
        flow.emit(f"[links in this code: {' '.join(fresh)}]")


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


def _is_listing(node: LexborNode, links: int) -> bool:
    """Whether most lines begin with a link and have no other, as those of a list of files do."""
    leading = 0
    line = ""
    for one in below(node):
        if one.is_text_node:
            line = f"{line}{one.text_content or ''}".rpartition("\n")[2]
        elif one.tag == "a" and "href" in one.attributes and not line.strip():
            leading += 1
    lines = len((node.text() or "").strip().splitlines())
    return 2 * leading > lines and 4 * links <= 5 * leading
