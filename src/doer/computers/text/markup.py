"""HTML to a document: one walk over the tree, each kind of element entered and left.

Nothing that is shown is lost. What the page is not about (its menus) is put at the end, with a
pointer where it stood. Style sheets are not read; a rendered page says by itself what is hidden.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

from doer.computers.text import code, forms, inlines, menus
from doer.computers.text.addresses import Addresses
from doer.computers.text.bare import is_too_deep, without_tags
from doer.computers.text.element import DROPPED, Attributes, shown
from doer.computers.text.flow import CUT, Flow, Full, Leave
from doer.computers.text.layout import lay
from doer.computers.text.plain import read_plain
from doer.computers.text.tables import Tables
from doer.computers.text.unseen import HIDES, hides, seen
from doer.records.document import Document, Form

MAX_ELEMENTS = 500_000
TITLE_CHARS = 300
FEW_WORDS, MANY_WORDS = 40, 250  # fewer may be a shell that scripts fill; more is a page
SCRIPT_WEIGHT = 400  # characters of script for each word
NAMES = """address article aside body caption center dd details dialog div dl dt fieldset figcaption
    figure footer header hgroup html legend main marquee menu noframes ol optgroup option p search
    section summary tbody tfoot title ul"""
BLOCKS = frozenset(NAMES.split())
HEADING = re.compile("h[1-6]")
DEEP = "the page is nested too deeply to be read as a page: only its words are shown"

Enter = Callable[["Walk", LexborNode, Attributes], Leave | None]


class Walk:
    """One page being read."""

    def __init__(self, tree: LexborHTMLParser, url: str) -> None:
        self.flow = Flow(url, _base(tree, url))
        self.tables = Tables(self.flow)
        self.forms: list[Form] = []
        self.lists: list[int] = []  # number of the next item of each open list, or -1
        self.named = self._named(tree)
        self._elements = 0
        if tree.body is not None:
            forms.gather_labels(self.flow, tree.body)

    def _named(self, tree: LexborHTMLParser) -> set[str]:
        """What links within the page point at."""
        addresses = self.flow.addresses
        hrefs = (link.attributes.get("href") or "" for link in tree.css("a[href*='#']"))
        return {addresses.fragment(addresses.absolute(href)) for href in hrefs} - {""}

    def over(self, root: LexborNode) -> None:
        """Walk without recursion: a page may be nested as deep as it likes."""
        open_elements: list[tuple[LexborNode, Leave | None]] = []
        node = root.first_child
        while True:
            if node is None:
                if not open_elements:
                    return
                parent, leave = open_elements.pop()
                if leave is not None:
                    leave()
                node = parent.next
            elif node.is_text_node:
                self.flow.write(node.text_content or "")
                node = node.next
            elif not node.is_element_node or (node.tag or "") in DROPPED:
                node = node.next
            else:
                leave = self._enter(node)
                if leave is NOTHING_INSIDE:
                    node = node.next
                else:
                    open_elements.append((node, leave))
                    node = node.first_child

    def _enter(self, node: LexborNode) -> Leave | None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise Full
        attributes: Attributes = node.attributes
        tag = node.tag or ""
        if attributes:
            if not shown(attributes):
                return NOTHING_INSIDE
            name = attributes.get("id") or (attributes.get("name") if tag == "a" else None)
            if name and name in self.named:
                if tag in BLOCKS:
                    self.flow.cut()
                self.flow.note_id(name)
            role = attributes.get("role")
            if role and tag not in NATIVE and (enter := ROLES.get(role)):
                return enter(self, node, attributes)
        if (attributes or tag == "ul") and menus.is_menu(self.flow, node, attributes):
            return menus.enter_menu(self.flow, node, attributes)
        if enter := TAGS.get(tag):
            return enter(self, node, attributes)
        if tag in BLOCKS:
            self.flow.cut()
            return self.flow.cut
        return None


def _nothing() -> None:
    pass


NOTHING_INSIDE: Leave = _nothing
"""Returned by an `Enter` that has dealt with all that the element holds."""


class Read(NamedTuple):
    """`by_scripts`: there is so little that the page is probably made by its scripts."""

    document: Document
    by_scripts: bool


def read_html(html: str, url: str) -> Read:
    """The document of a page. Never fails; what is past the limits is cut off, with a note."""
    if is_too_deep(html):
        document = read_plain(without_tags(html), url)
        said = (*document.notes, DEEP)
        return Read(msgspec.structs.replace(document, kind="html", notes=said), False)
    tree = LexborHTMLParser(html, options=LexborDocumentOptions.WO_EVENTS)  # they cost squares
    walk = Walk(tree, url)
    notes: list[str] = []
    try:
        if tree.root is not None:
            walk.over(tree.root)
    except Full:
        notes.append(CUT)
    walk.flow.finish()
    if hides(html):
        notes.append(HIDES)
    laid = lay(walk.flow)
    title = tree.css_first("head > title, title")
    document = Document(
        url=url,
        title=" ".join(seen(title.text() or "").split())[:TITLE_CHARS] if title else "",
        lines=tuple(laid.lines),
        links=tuple(walk.flow.addresses.placed(laid.ids)),
        forms=tuple(walk.forms),
        sections=tuple(laid.sections),
        notes=tuple(notes),
    )
    count = sum(len(line.text.split()) for line in walk.flow.lines)
    return Read(document, _is_by_scripts(tree, count))


def _is_by_scripts(tree: LexborHTMLParser, count: int) -> bool:
    """Whether a page with so many words of text, menus left out, should be rendered."""
    if count > MANY_WORDS:
        return False
    refresh = tree.css_first("meta[http-equiv=refresh i]")
    if refresh is not None and "url" in (refresh.attributes.get("content") or "").lower():
        return True  # it leads to another page
    scripts = [one for one in tree.css("script") if _runs(one)]
    if not scripts:
        return False
    asked = any("javascript" in (one.text() or "").lower() for one in tree.css("noscript"))
    weight = sum(len(one.text_content or one.text() or "") for one in scripts)
    return count < FEW_WORDS or asked or weight > SCRIPT_WEIGHT * count


def _runs(script: LexborNode) -> bool:
    kind = (script.attributes.get("type") or "").lower()
    return kind in ("", "module") or "javascript" in kind


def _base(tree: LexborHTMLParser, url: str) -> str:
    base = tree.css_first("base[href]")
    href = base.attributes.get("href") if base is not None else None
    return Addresses(url, url).absolute(href or "") or url


def _heading(walk: Walk, node: LexborNode, attributes: Attributes) -> Leave:
    level = (node.tag or "")[1:] if HEADING.fullmatch(node.tag or "") else ""
    number = level or attributes.get("aria-level") or "2"
    depth = min(max(int(number), 1), 6) if number.isdigit() and len(number) < 3 else 2
    walk.flow.cut()
    return lambda: walk.flow.cut("heading", depth)


def _list(walk: Walk, node: LexborNode, attributes: Attributes) -> Leave:
    start = attributes.get("start") or "1"
    first = int(start) if start.isascii() and start.isdigit() and len(start) < 10 else 1
    walk.lists.append(first if node.tag == "ol" else -1)
    walk.flow.cut()

    def leave() -> None:
        walk.flow.cut()
        walk.lists.pop()

    return leave


def _item(walk: Walk, node: LexborNode, attributes: Attributes) -> Leave:
    number = walk.lists[-1] if walk.lists else -1
    if number < 0:
        return walk.flow.indent("- ", "  ")
    value = attributes.get("value") or ""
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else number
    walk.lists[-1] = number + 1
    return walk.flow.indent(f"{number}. ", "   ")


def _menu(walk: Walk, node: LexborNode, attributes: Attributes) -> Leave:
    return menus.enter_menu(walk.flow, node, attributes)


def _break(walk: Walk, node: LexborNode, attributes: Attributes) -> Leave:
    if walk.flow.raw:
        walk.flow.put("\n")
    else:
        walk.flow.cut()
    return NOTHING_INSIDE


def _span(walk: Walk, node: LexborNode, attributes: Attributes) -> Leave | None:
    counts = walk.flow.raw and code.is_number_of_line(attributes)
    return NOTHING_INSIDE if counts else None


def _dialog(walk: Walk, node: LexborNode, attributes: Attributes) -> Leave:
    walk.flow.cut()
    return walk.flow.cut if "open" in attributes else NOTHING_INSIDE


def _alone(put: Callable[[Flow, LexborNode, Attributes], object]) -> Enter:
    """For an element that is written as a whole."""

    def enter(walk: Walk, node: LexborNode, attributes: Attributes) -> Leave:
        if not walk.flow.muted or node.tag in ("input", "select", "textarea"):
            put(walk.flow, node, attributes)
        return NOTHING_INSIDE

    return enter


def _formula(walk: Walk, node: LexborNode, attributes: Attributes) -> Leave | None:
    return NOTHING_INSIDE if inlines.put_formula(walk.flow, node, attributes) else None


def _raised(walk: Walk, node: LexborNode, attributes: Attributes) -> None:
    inlines.enter_raised(walk.flow, node)


def _button(role: str) -> Enter:
    return lambda walk, node, attributes: inlines.enter_button(walk.flow, node, attributes, role)


NATIVE = frozenset({"a", "button", "input", "select", "textarea", "table", "ul", "ol", "li"})
ROLES: dict[str, Enter] = {
    "button": _button("button"),
    "tab": _button("tab"),
    "checkbox": _button("checkbox"),
    "switch": _button("checkbox"),
    "radio": _button("radio"),
    "heading": _heading,
    "navigation": _menu,
    "menubar": _menu,
    "textbox": _button("textbox"),
}


def _cell(header: bool) -> Enter:
    return lambda walk, _, attributes: walk.tables.enter_cell(attributes, header)


TAGS: dict[str, Enter] = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), _heading),
    **dict.fromkeys(("ul", "ol", "menu", "dir"), _list),
    **dict.fromkeys(("del", "s", "strike"), lambda walk, _node, _: inlines.enter_struck(walk.flow)),
    **dict.fromkeys(("iframe", "video", "audio", "embed", "object"), _alone(inlines.put_media)),
    "li": _item,
    "dd": lambda walk, _node, _: walk.flow.indent("  ", "  "),
    "blockquote": lambda walk, _node, _: walk.flow.indent("> ", "> "),
    "nav": _menu,
    "br": _break,
    "hr": _break,
    "pre": lambda walk, node, attributes: code.enter_pre(walk.flow, node, attributes),
    "code": lambda walk, node, _: inlines.enter_code(walk.flow, node),
    "span": _span,
    "dialog": _dialog,
    "a": lambda walk, node, attributes: inlines.enter_link(walk.flow, node, attributes),
    "img": _alone(lambda flow, _, attributes: inlines.put_image(flow, attributes)),
    "svg": _alone(inlines.put_drawing),
    "math": _formula,
    "sup": _raised,
    "form": lambda walk, _, attributes: forms.enter_form(walk.flow, walk.forms, attributes),
    "label": lambda walk, node, attributes: forms.enter_label(walk.flow, node, attributes),
    "input": _alone(lambda flow, _, attributes: forms.put_input(flow, attributes)),
    "textarea": _alone(forms.put_textarea),
    "select": _alone(forms.put_select),
    "button": _button("button"),
    "table": lambda walk, _node, _: walk.tables.enter_table(),
    "thead": lambda walk, _node, _: walk.tables.enter_head(),
    "tr": lambda walk, _node, _: walk.tables.enter_row(),
    "td": _cell(False),
    "th": _cell(True),
}
