"""What an instruction says: the value of a field, dates, and forms filled in by it."""

import re
from datetime import date

from doer.records.action import Action, Element
from doer.worlds.seen import Elements, check, choose, click, fill, label, quoted, submit

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WRITTEN = re.compile(r"(?P<a>[A-Z][a-z]{2,}) (?P<b>\d+), (?P<c>\d+)|(\d+) ([A-Z][a-z]{2,}) (\d+)")


def told(instruction: str, field: str) -> str | None:
    """The value that is given for a field: `"x" as label`, `label "x"` and the like."""
    name = re.escape(field.lower())
    found = re.search(rf'"([^"]*)" as {name}\b', instruction)
    found = found or re.search(rf'(?i)\b{name}(?: to|:| =)? "([^"]*)"', instruction)
    return found[1] if found else None


def dates(instruction: str) -> list[date]:
    """The dates that are written with the month in letters, in short or in full."""
    found: list[date] = []
    for match in WRITTEN.finditer(instruction):
        month, day, year = match["a"] or match[5], match["b"] or match[4], match["c"] or match[6]
        number = next((n for n, name in enumerate(MONTHS, 1) if name.startswith(month)), 0)
        if number:
            found.append(date(int(year), number, int(day)))
    return found


def entry(instruction: str, element: Element) -> Action | None:
    """What is left to do to one part of a form; None when nothing is."""
    named = element.name in quoted(instruction)
    match element.role:
        case "textbox":
            text = told(instruction, element.name.removeprefix("Repeat "))
            return fill(element, text) if text is not None else None
        case "combobox":
            text = told(instruction, label(element))
            return choose(element, text) if text is not None else None
        case "radio":
            return check(element) if named else None
        case "checkbox":
            return click(element) if named != ("checked" in element.states) else None
        case _:
            return None


def complete(instruction: str, elements: Elements) -> Action | None:
    """The first thing left to do in a form."""
    return next((action for e in elements if (action := entry(instruction, e))), None)


def form(instruction: str, elements: Elements) -> Action | None:
    """Fill in a form, then press its last button."""
    return complete(instruction, elements) or submit(elements)
