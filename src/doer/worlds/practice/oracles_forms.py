"""Oracles of forms in one piece, in parts that open, in steps, and with widgets of their own."""

import re

from doer.records.action import Action
from doer.worlds.practice.told import form, told
from doer.worlds.seen import (
    Elements,
    after,
    all_of,
    check,
    click,
    fill,
    find,
    named,
    quoted,
    submit,
    word,
)
from doer.worlds.world import Oracle

SEATS = ("Front", "Middle", "Back")


def in_tabs(instruction: str, elements: Elements) -> Action | None:
    """A line on the page tells what has been changed in all tabs."""
    changes = re.findall(r'tab "([^"]*)" set ([a-z ]+) to "([^"]*)"', instruction)
    for label, value, tab in re.findall(
        r'(?:Change|set|and) ([a-z ]+) to "([^"]*)" \(tab "([^"]*)"\)', instruction
    ):
        changes.append((tab, label, value))
    changed = next((e.name for e in elements if e.name.startswith("Not saved yet:")), "")
    for tab, label, value in changes:
        if f"{label}: {value}".lower() not in changed.lower():
            field = next((e for e in elements if e.name.lower() == label), None)
            return fill(field, value) or click(find(elements, "tab", tab))
    return submit(elements)


def in_sections(instruction: str, elements: Elements) -> Action | None:
    pairs = re.findall(r'"([^"]*)" (?:for|under|in the section) "([^"]*)"', instruction)
    for option, section in pairs:
        head = find(elements, "button", section)
        radio = find(after(elements, head), "radio", option)
        if radio is None or "checked" not in radio.states:
            return click(radio or head)
    return submit(elements)


def suggest(instruction: str, elements: Elements) -> Action | None:
    """A text counts only when it is taken from the list that opens below its field."""
    for field in all_of(elements, "textbox"):
        text = told(instruction, field.name) or ""
        if action := click(find(elements, "option", text)) or fill(field, text):
            return action
    return submit(elements)


def switch(instruction: str, elements: Elements) -> Action | None:
    before, _, behind = instruction.partition(" off ")
    on, off = quoted(before), quoted(behind)
    for knob in all_of(elements, "switch"):
        if knob.name in (off if "checked" in knob.states else on):
            return click(knob)
    return submit(elements)


def edit_member(instruction: str, elements: Elements) -> Action | None:
    """A dialog hides the list below it."""
    who, role = quoted(instruction)
    new = re.search("new member|Invite", instruction) is not None
    field = find(elements, "textbox")
    if field is None:
        line = after(elements, find(elements, "text", who))
        change = find(elements, "button", f"Edit {who}") or find(line, "button")
        return click(find(elements, "button", "Add member") if new else change)
    title = "New member" if new else "Edit member"
    if named(elements, title) is None or (not new and field.value != who):
        return click(find(elements, "button", "Cancel"))
    return fill(field, who) or check(find(elements, "radio", role)) or submit(elements)


def tickets(instruction: str, elements: Elements) -> Action | None:
    """Buttons that open lists, counters, and buttons of which one stays pressed."""
    said = quoted(instruction)
    counts = {kind: int(n) for n, kind in re.findall(r'(\d+) "([^"]*)"', instruction)}
    for label, begin in (("Film", "The "), ("Time", word(r'"(\d\d:\d\d)"', instruction))):
        wanted = next(text for text in said if text.startswith(begin))
        opener = find(after(elements, find(elements, "text", label)), "button")
        if opener and opener.name != wanted:
            return click(find(elements, "option", wanted) or opener)
    for more in all_of(elements, "button"):
        if more.name.startswith("More "):
            fewer, count = elements[elements.index(more) - 2 : elements.index(more)]
            missing = counts.get(more.name.removeprefix("More ").capitalize(), 0) - int(count.name)
            if missing:
                return click(more if missing > 0 else fewer)
    seat = next(e for e in all_of(elements, "button") if e.name in said and e.name in SEATS)
    return check(seat) or submit(elements)


def review(instruction: str, elements: Elements) -> Action | None:
    stars = re.findall(r'"(\d stars?)" for "([^"]*)"', instruction)
    for count, aspect in stars:
        star = find(after(elements, find(elements, "text", aspect)), "radio", count)
        if action := check(star):
            return action
    field = find(elements, "textbox")
    said = quoted(instruction)
    before = elements[: elements.index(field)] if field else ()
    for button in all_of(before, "button"):
        if (button.name in said) != ("checked" in button.states):
            return click(button)
    parts = {button.name for button in all_of(before, "button")} | {p for s in stars for p in s}
    text = next(text for text in said if text not in parts)
    return fill(field, text) or submit(elements)


ORACLES: dict[str, Oracle] = {
    "test-review": review,
    "test-tickets": tickets,
    "train-accordion": in_sections,
    "train-dialog": edit_member,
    "train-form": form,
    "train-search": suggest,
    "train-signup": form,
    "train-switches": switch,
    "train-tabs": in_tabs,
    "train-wizard": form,
}
