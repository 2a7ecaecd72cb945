"""What oracles say and ask: find an element among those seen, and the action on it.

Finders answer None when nothing fits and actions on None are None, so that an oracle reads as
"this, or else that": `fill(field, text) or click(button)`.
"""

import re
from collections.abc import Iterable

from doer.records.action import Action, Element

Elements = tuple[Element, ...]


def label(element: Element) -> str:
    """The name of an element; of a list its own label, without the options that follow it."""
    return element.name.partition(": ")[0] if element.role == "combobox" else element.name


def find(elements: Iterable[Element], role: str, name: str | None = None) -> Element | None:
    """The first element of a role, or of a role and a name or label."""
    fitting = (e for e in elements if e.role == role)
    return next((e for e in fitting if name in (None, e.name, label(e))), None)


def all_of(elements: Iterable[Element], *roles: str) -> list[Element]:
    return [e for e in elements if e.role in roles]


def named(elements: Iterable[Element], name: str) -> Element | None:
    """The first element with this name; one that is no plain text goes before."""
    fitting = [e for e in elements if e.name == name]
    return next((e for e in fitting if e.role != "text"), fitting[0] if fitting else None)


def after(elements: Elements, element: Element | None) -> Elements:
    """What comes after an element in reading order; nothing after None."""
    return () if element is None else elements[elements.index(element) + 1 :]


def click(element: Element | None) -> Action | None:
    return Action(tool="click", arguments={"ref": element.ref}) if element else None


def fill(field: Element | None, text: str) -> Action | None:
    """Type a text, unless the field holds it already."""
    if field is None or field.value == text:
        return None
    return Action(tool="type", arguments={"ref": field.ref, "text": text})


def choose(combobox: Element | None, option: str) -> Action | None:
    """Choose an option, unless it is chosen already."""
    if combobox is None or combobox.value == option:
        return None
    return Action(tool="select", arguments={"ref": combobox.ref, "option": option})


def check(box: Element | None) -> Action | None:
    """Click a checkbox or radio button, unless it is on already."""
    return None if box is None or "checked" in box.states else click(box)


def submit(elements: Elements) -> Action | None:
    """Click the last button: the one a form ends with."""
    buttons = all_of(elements, "button")
    return click(buttons[-1]) if buttons else None


def quoted(instruction: str) -> list[str]:
    return re.findall(r'"(.*?)"', instruction)


def word(pattern: str, text: str) -> str:
    """The first group of a pattern that must be there."""
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"no {pattern!r} in {text!r}")
    return found[1]


def ordinal(instruction: str) -> int:
    """The place that "1st", "2nd", "3rd", "4th" ... names, from 0."""
    return int(word(r"(\d+)(?:st|nd|rd|th)\b", instruction)) - 1
