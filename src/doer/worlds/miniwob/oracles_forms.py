"""Oracles of forms: text typed or copied, values looked up, options chosen."""

import re

from doer.records.action import Action
from doer.worlds.seen import (
    Elements,
    after,
    all_of,
    choose,
    click,
    fill,
    find,
    ordinal,
    quoted,
    submit,
    word,
)
from doer.worlds.world import Oracle


def enter_quoted(instruction: str, elements: Elements) -> Action | None:
    return fill(find(elements, "textbox"), quoted(instruction)[0]) or submit(elements)


def enter_in_case(instruction: str, elements: Elements) -> Action | None:
    text = quoted(instruction)[0]
    text = text.upper() if "upper case" in instruction else text.lower()
    return fill(find(elements, "textbox"), text) or submit(elements)


def enter_twice(instruction: str, elements: Elements) -> Action | None:
    first, second = all_of(elements, "textbox")
    text = quoted(instruction)[0]
    return fill(first, text) or fill(second, text) or submit(elements)


def log_in(instruction: str, elements: Elements) -> Action | None:
    """Name and password; a pop-up asks whether to leave, and is cancelled."""
    if cancel := find(elements, "button", "Cancel"):
        return click(cancel)
    user, password = quoted(instruction)
    first, second = all_of(elements, "textbox")
    return fill(first, user) or fill(second, password) or submit(elements)


def focus_only_field(instruction: str, elements: Elements) -> Action | None:
    return click(find(elements, "textbox"))


def focus_nth_field(instruction: str, elements: Elements) -> Action | None:
    return click(all_of(elements, "textbox")[ordinal(instruction)])


def choose_from_list(instruction: str, elements: Elements) -> Action | None:
    wanted = word(r"Select (.*) from the list", instruction)
    return choose(find(elements, "combobox"), wanted) or submit(elements)


def choose_and_press(instruction: str, elements: Elements) -> Action | None:
    """A list of the page's own opens over the buttons, and closes when its option is clicked."""
    wanted = word(r"Choose (.*) from the dropdown", instruction)
    if action := choose(find(elements, "combobox"), wanted):
        return action
    options = [e for e in all_of(elements, "generic") if e.name == wanted]
    opened = len([e for e in all_of(elements, "generic") if re.match(r"\d", e.name)]) > 1
    return click(options[0] if opened else find(elements, "button", quoted(instruction)[0]))


def autocomplete(instruction: str, elements: Elements) -> Action | None:
    """Type the start, take a suggestion with the right end."""
    start, end = (quoted(instruction) + [""])[:2]
    field = find(elements, "textbox")
    if field is None:
        return None
    value = field.value or ""
    if value.startswith(start) and value.endswith(end) and value != start:
        return submit(elements)
    for option in after(elements, field):
        if option.name.startswith(start) and option.name.endswith(end):
            return click(option)
    return fill(field, start) or submit(elements)


def transform(instruction: str, elements: Elements) -> Action | None:
    """Type the letters that stand before the field."""
    field = find(elements, "textbox")
    before = elements[: elements.index(field)] if field else ()
    return fill(field, "".join(e.name for e in before).replace(" ", "")) or submit(elements)


def copy_text(instruction: str, elements: Elements) -> Action | None:
    """Copy the field that is full into the one that is not."""
    fields = all_of(elements, "textbox")
    full = max(fields, key=lambda field: field.box[3])
    line = next(field for field in fields if field is not full)
    return fill(line, full.value or "") or submit(elements)


def copy_nth_text(instruction: str, elements: Elements) -> Action | None:
    fields = all_of(elements, "textbox")
    text = fields[ordinal(instruction)].value or ""
    return fill(fields[-1], text) or submit(elements)


def nth_word(instruction: str, elements: Elements) -> Action | None:
    text = " ".join(e.name for e in all_of(elements, "text"))
    wanted = re.sub(r"\W", "", text.split()[ordinal(instruction)])
    return fill(find(elements, "textbox"), wanted) or submit(elements)


def arithmetic(instruction: str, elements: Elements) -> Action | None:
    problem = " ".join(e.name for e in all_of(elements, "text"))
    a, sign, b = re.findall(r"(\d+) ([-+x]) (\d+) =", problem)[0]
    result = {"+": int(a) + int(b), "-": int(a) - int(b), "x": int(a) * int(b)}[sign]
    return fill(find(elements, "textbox"), str(result)) or submit(elements)


def algebra(instruction: str, elements: Elements) -> Action | None:
    """Solve `x - a = b`, `x + a = b`, `a - x = b` or `a + x = b`."""
    problem = " ".join(e.name for e in all_of(elements, "text"))
    left, sign, right, b = re.findall(r"(x|\d+) ([-+]) (x|\d+) = (\d+)", problem)[0]
    a = int(right if left == "x" else left)
    x = {"x+": int(b) - a, "+x": int(b) - a, "x-": int(b) + a, "-x": a - int(b)}
    return fill(
        find(elements, "textbox"), str(x[f"{left}{sign}{right}".strip("0123456789")])
    ) or submit(elements)


def read_table(instruction: str, elements: Elements) -> Action | None:
    key = word(r"value of (.*) into", instruction)
    value = after(elements, find(elements, "text", key))[0].name
    return fill(find(elements, "textbox"), value) or submit(elements)


def read_table_twice(instruction: str, elements: Elements) -> Action | None:
    """Before each field stands the key that its value has in the table."""
    for field in all_of(elements, "textbox"):
        key = elements[elements.index(field) - 1].name.rstrip(":")
        value = after(elements, find(elements, "text", key))[0].name
        if action := fill(field, value):
            return action
    return submit(elements)


def search_movies(instruction: str, elements: Elements) -> Action | None:
    """Three fields in any order, each with its label before or after it."""
    genre, director, year = re.findall(
        r"Search for (.*) movies directed by (.*) from year (\d+)", instruction
    )[0]
    wanted = {"Genre": genre, "Director": director, "Year": year, "Released": year}
    labels = [e for e in elements if e.role == "text" and any(w in e.name for w in wanted)]
    for field, label in zip(all_of(elements, "textbox"), labels, strict=True):
        text = next(value for key, value in wanted.items() if key in label.name)
        if action := fill(field, text):
            return action
    return click(elements[-1])


ORACLES: dict[str, Oracle] = {
    "choose-list": choose_from_list,
    "copy-paste": copy_text,
    "copy-paste-2": copy_nth_text,
    "enter-password": enter_twice,
    "enter-text": enter_quoted,
    "enter-text-2": enter_in_case,
    "enter-text-dynamic": enter_quoted,
    "find-word": nth_word,
    "focus-text": focus_only_field,
    "focus-text-2": focus_nth_field,
    "form-sequence-3": choose_and_press,
    "login-user": log_in,
    "login-user-popup": log_in,
    "multi-layouts": search_movies,
    "multi-orderings": search_movies,
    "read-table": read_table,
    "read-table-2": read_table_twice,
    "simple-algebra": algebra,
    "simple-arithmetic": arithmetic,
    "text-transform": transform,
    "use-autocomplete": autocomplete,
    "use-autocomplete-nodelay": autocomplete,
}
