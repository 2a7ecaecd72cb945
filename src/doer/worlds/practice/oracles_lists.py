"""Oracles of lists of things: tables, shops, mail, trees, menus, boards, labels, pairs of lists."""

import re

from doer.records.action import Action, Element
from doer.worlds.seen import (
    Elements,
    after,
    all_of,
    click,
    fill,
    find,
    named,
    quoted,
    submit,
)
from doer.worlds.world import Oracle

COLUMNS = ("city", "phone", "badge")
VERBS = ("Delete", "Archive", "Restart")


def filter_and_add(instruction: str, elements: Elements) -> Action | None:
    """A line tells what has been added; what is not shown is filtered for."""
    wanted = quoted(instruction)
    line = next((e.name for e in elements if e.name.startswith("Chosen: ")), "Chosen: ")
    added = [name for name in line.removeprefix("Chosen: ").split(", ") if name]
    for name in [*wanted, *added]:
        if (name in wanted) != (name in added):
            shown = after(elements, find(elements, "text", name))
            return click(find(shown, "button")) or fill(find(elements, "textbox"), name)
    return submit(elements)


def look_up(instruction: str, elements: Elements) -> Action | None:
    """Turn the pages; after the last, sorting leads back to the first."""
    row = after(elements, find(elements, "text", quoted(instruction)[0]))
    if not row:
        on = find(elements, "button", "Next")
        return click(find(elements, "button", "Name") if on and "disabled" in on.states else on)
    asked = re.split('"[^"]*"', instruction)
    column = next(n for n, name in enumerate(COLUMNS) if any(name in part for part in asked))
    return fill(find(elements, "textbox"), row[column].name) or submit(elements)


def choose_in_menu(instruction: str, elements: Elements) -> Action | None:
    """Click what is shown of the path, as deep as it goes."""
    path = quoted(instruction)
    items = all_of(elements, "menuitem")
    shown = [item for name in path if (item := next((e for e in items if e.name == name), None))]
    closed = [item for item in shown if "expanded" not in item.states]
    return click(closed[0]) if closed else None


def fill_cart(instruction: str, elements: Elements) -> Action | None:
    """A line of the cart is the name, fewer, the count, more, remove."""
    wanted = {name: int(n) for n, name in re.findall(r'(\d+) (?:of|x) "([^"]*)"', instruction)}
    wanted |= {name: int(n) for name, n in re.findall(r'"([^"]*)" \((\d+)\)', instruction)}
    shelf = elements
    cart = after(elements, find(elements, "text", "Your cart"))
    there: set[str] = set()
    for fewer in all_of(cart, "button"):
        if fewer.name.startswith("Fewer"):
            at = cart.index(fewer)
            name, count = cart[at - 1].name, int(cart[at + 1].name)
            there.add(name)
            if name not in wanted:
                return click(cart[at + 3])
            if count != wanted[name]:
                return click(fewer if count > wanted[name] else cart[at + 2])
    missing = [name for name in wanted if name not in there]
    if missing:
        return click(find(after(shelf, find(shelf, "text", missing[0])), "button"))
    return submit(elements)


def mail(instruction: str, elements: Elements) -> Action | None:
    """Open the mail and act on it; stars that do not belong are taken away."""
    verb = next((v for v in ("archive", "delete", "star") if _asks(v, instruction)), "reply")
    found = re.search(r'mail "([^"]*)" from "([^"]*)"', instruction)
    found = found or re.search(r'by "(?P<from>[^"]*)" about "([^"]*)"', instruction)
    subject = (found[2] if "from" in found.groupdict() else found[1]) if found else ""
    text = next((q for q in quoted(instruction) if found and q not in found.groups()), "")
    back = find(elements, "button", "Back to inbox")
    if back is None:
        starred = [elements[at - 1] for at, e in enumerate(elements) if e.name == "Starred"]
        wrong = next((e for e in starred if verb != "star" or e.name != subject), None)
        return click(wrong or find(elements, "button", subject))
    right = find(elements, "text", subject) is not None
    star = find(elements, "button", "Star")
    if star and "checked" in star.states and not (right and verb == "star"):
        return click(star)
    if not right:
        return click(back)
    if verb != "reply":
        return click(find(elements, "button", verb.capitalize()))
    field = find(elements, "textbox")
    write = find(elements, "button", "Reply")
    return fill(field, text) or click(find(elements, "button", "Send") or write)


def _asks(verb: str, instruction: str) -> bool:
    return any(verb in part.lower() for part in re.split('"[^"]*"', instruction))


def open_file(instruction: str, elements: Elements) -> Action | None:
    said = quoted(instruction)
    year = next(text for text in said if text.isdigit())
    name = next(text for text in said if "." in text)
    (top,) = (text for text in said if text not in (year, name))
    place = elements
    for folder in (top, year):
        head = find(place, "button", folder)
        if head is None or "expanded" not in head.states:
            return click(head)
        place = after(place, head)
    file = find(place, "button", name)
    return submit(elements) if file and "selected" in file.states else click(file)


def move_card(instruction: str, elements: Elements) -> Action | None:
    """A menu that is open may cover the others' buttons: it is closed first."""
    name, *column = quoted(instruction)
    menu = find(elements, "button", f"Menu of {name}")
    opened = next((e for e in all_of(elements, "button") if "expanded" in e.states), None)
    if opened and opened == menu:
        return click(named(elements, f"Move to {column[0]}" if column else "Add flag"))
    return click(opened or menu)


def change_labels(instruction: str, elements: Elements) -> Action | None:
    gone, _, added = re.sub(r"\b(add|put in|include) \"", '|"', instruction).partition("|")
    for name in quoted(gone):
        if remove := find(elements, "button", f"Remove {name}"):
            return click(remove)
    for name in quoted(added):
        if find(elements, "button", f"Remove {name}") is None:
            return click(find(elements, "option", name)) or fill(find(elements, "textbox"), name)
    return submit(elements)


def act_on_rows(instruction: str, elements: Elements) -> Action | None:
    """Tick the rows, press the button, confirm in the dialog, which hides the table."""
    verb = next(verb for verb in VERBS if _asks(verb.lower(), instruction))
    wanted = quoted(instruction)
    rows = all_of(elements, "checkbox")
    if not rows:
        listed = [sorted(e.name.split(", ")) for e in all_of(elements, "text")]
        right = sorted(wanted) in listed and find(elements, "button", verb)
        return click(right or find(elements, "button", "Cancel"))
    for box in rows:
        if (box.name.removeprefix("Select ") in wanted) != ("checked" in box.states):
            return click(box)
    return click(find(elements, "button", verb))


def transfer(instruction: str, elements: Elements) -> Action | None:
    """Two boxes below their heads, then the button that moves to the right, and the other."""
    moves = re.findall(r'((?:"[^"]*"(?:, | and )?)+) to "([^"]*)"', instruction)
    right, left, _ = all_of(elements, "button")
    options = all_of(elements, "option")
    for names, head in moves:
        there = find(elements, "text", head)
        other = _box_without(there, elements)
        waiting = [e for e in other if e.name in quoted(names)]
        if waiting:
            for option in other:
                if (option in waiting) != ("selected" in option.states):
                    return click(option)
            return click(right if other[0] is options[0] else left)
    return submit(elements)


def _box_without(head: Element | None, elements: Elements) -> list[Element]:
    """The options of the box that is not below this head."""
    before = all_of(elements[: elements.index(head)], "option") if head else []
    if before:
        return before
    behind = after(elements, head)
    heads = [e for e in behind if e.role == "text"]
    return all_of(after(behind, heads[0] if heads else None), "option")


ORACLES: dict[str, Oracle] = {
    "test-board": move_card,
    "test-labels": change_labels,
    "test-rows": act_on_rows,
    "test-transfer": transfer,
    "train-cart": fill_cart,
    "train-filter": filter_and_add,
    "train-inbox": mail,
    "train-menubar": choose_in_menu,
    "train-table": look_up,
    "train-tree": open_file,
}
