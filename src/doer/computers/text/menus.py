"""What a page is not about: its menus. They are put at the end of the text, one line each, with a
pointer where they stood, so that nothing is lost and the first lines are about something."""

import re

from selectolax.lexbor import LexborNode

from doer.computers.text.addresses import Addresses
from doer.computers.text.element import Attributes, words
from doer.computers.text.flow import Flow, Leave
from doer.computers.text.unseen import seen

FEW_LINKS = 5  # a menu of so many stays where it is
MANY_LINKS = 8  # a list of so many that all stood before is a menu
SHARE = 0.7  # so much of the text of a menu is links
NAMED = re.compile(
    r"(?:^|[\s_-])(?:nav|navi|navbar|navigation|navheader|navfooter|menu|menubar|sidebar|topbar)"
    r"(?:$|[\s_-])",
    re.I,
)
HOLDERS = frozenset({"div", "ul", "ol", "table", "td", "section", "aside", "header", "footer"})
_NONE: frozenset[str] = frozenset({"script", "style", "template"})


def is_menu(flow: Flow, node: LexborNode, attributes: Attributes) -> bool:
    """Whether an element that is no <nav> is a menu all the same: by its name, or because it
    repeats links that stood before."""
    tag = node.tag or ""
    if tag not in HOLDERS or not flow.looks:
        return False
    name = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
    if name != " " and NAMED.search(name):
        flow.looks -= 1
        links = node.css("a[href]")
        return len(links) > FEW_LINKS and _is_mostly(links, node)
    if tag in ("ul", "ol"):
        flow.looks -= 1
        links = node.css("a[href]")
        return len(links) >= MANY_LINKS and _are_known(flow.addresses, links)
    return False


def _is_mostly(links: list[LexborNode], node: LexborNode) -> bool:
    linked = sum(len(words(link, _NONE)) for link in links)
    return linked > SHARE * len(words(node, _NONE))


def _are_known(addresses: Addresses, links: list[LexborNode]) -> bool:
    unknown = sum(not addresses.is_known(link.attributes.get("href") or "") for link in links)
    return unknown <= len(links) // 10


def enter_menu(flow: Flow, node: LexborNode, attributes: Attributes) -> Leave:
    links = len(node.css("a[href]"))
    back = flow.apart()

    def leave() -> None:
        lines = back()
        if not lines:
            return
        inner = any(line.kind == "pointer" for line in lines)
        if links <= FEW_LINKS or inner:
            flow.lines += lines if inner else []
            if not inner:
                flow.emit(" · ".join(line.text for line in lines))
            return
        name = seen(attributes.get("aria-label") or "")[:80]
        flow.menus.append(" · ".join(line.text for line in lines))
        titled = f'menu "{name}"' if name else "menu"
        flow.emit(f"{titled}, {links} links", "pointer", len(flow.menus) - 1)
        flow.lines[-1].ids += [id for line in lines for id in line.ids]

    return leave
