"""Oracles of date widgets: fields, lists, calendars of our own and of libraries."""

import re
from datetime import date

from doer.records.action import Action, Element
from doer.worlds.practice.told import MONTHS, complete, dates, told
from doer.worlds.seen import (
    Elements,
    after,
    all_of,
    check,
    choose,
    click,
    fill,
    find,
    label,
    quoted,
    submit,
    word,
)
from doer.worlds.world import Oracle


def native(instruction: str, elements: Elements) -> Action | None:
    """A date field holds yyyy-mm-dd and takes mm/dd/yyyy as well."""
    for field in all_of(elements, "textbox"):
        text = told(instruction, field.name) or ""
        if field.value != re.sub(r"(\d\d)/(\d\d)/(\d{4})", r"\3-\1-\2", text):
            return fill(field, text)
    return submit(elements)


def lists(instruction: str, elements: Elements) -> Action | None:
    (day,) = dates(instruction)
    name = next(text for text in quoted(instruction) if not dates(text))
    parts = {"Day": str(day.day), "Month": MONTHS[day.month - 1], "Year": str(day.year)}
    if action := fill(find(elements, "textbox"), name):
        return action
    for field in all_of(elements, "combobox"):
        if action := choose(field, parts[label(field)]):
            return action
    return submit(elements)


def month_of(caption: str) -> int | None:
    """The months from the year 0 to "March 2024"; None for any other text."""
    found = re.fullmatch(rf"({'|'.join(MONTHS)}) (\d+)", caption)
    return int(found[2]) * 12 + MONTHS.index(found[1]) if found else None


def turn_to(
    wanted: date, elements: Elements, caption: Element, turns: tuple[Element, Element]
) -> Action | None:
    """Turn an open calendar's page; None at the right month. `turns`: what leads back, and on."""
    away = wanted.year * 12 + wanted.month - 1 - (month_of(caption.name) or 0)
    return click(turns[away > 0]) if away else None


def captioned(elements: Elements) -> Element | None:
    return next((e for e in elements if month_of(e.name) is not None), None)


def day_in(elements: Elements, day: int) -> Element | None:
    """The cell of a day in a table of days that may begin in the month before."""
    cells = [e for e in elements if re.match(r"\d{1,2}( |$)", e.name)]
    numbers = [int(e.name.split()[0]) for e in cells]
    return cells[numbers.index(1) + day - 1] if 1 in numbers else None


def open_calendar(instruction: str, elements: Elements) -> Action | None:
    """The caption stands between the buttons that turn the page."""
    (day,) = dates(instruction)
    caption = captioned(elements)
    if caption is None:
        return None
    at = elements.index(caption)
    turned = turn_to(day, elements, caption, (elements[at - 1], elements[at + 1]))
    cell = day_in(after(elements, elements[at + 1]), day.day)
    return turned or check(cell) or submit(elements)


def two_days(instruction: str, elements: Elements) -> Action | None:
    """A line below the calendar tells what is chosen: From 2024-03-05 to …"""
    begin, end = dates(instruction)
    caption = captioned(elements)
    if caption is None:
        return None
    line = next(e.name for e in elements if e.name.startswith("From "))
    if line == f"From {begin} to {end}":
        return submit(elements)
    day = end if line == f"From {begin} to …" else begin
    back, on = elements[elements.index(caption) - 2 : elements.index(caption)]
    turned = turn_to(day, elements, caption, (back, on))
    return turned or click(day_in(after(elements, caption), day.day))


def flatpickr(instruction: str, elements: Elements) -> Action | None:
    """The year is a field of its own; the month is a list, or a text."""
    (day,) = dates(instruction)
    guest = next(text for text in quoted(instruction) if not dates(text))
    field = find(elements, "textbox", "Day")
    if action := fill(find(elements, "textbox", "Guest"), guest):
        return action
    if field is None or field.value == str(day):
        return submit(elements)
    year = find(elements, "textbox", "Year")
    if year is None:
        return click(field)
    months = find(elements, "combobox", "Month")
    if months:
        action = fill(year, str(day.year)) or choose(months, MONTHS[day.month - 1])
        return action or click(day_in(after(elements, year), day.day))
    month = next(e.name for e in elements if e.name in MONTHS)
    away = (day.year - int(year.value or 0)) * 12 + day.month - 1 - MONTHS.index(month)
    if away:
        return click(find(elements, "img", "Next month" if away > 0 else "Previous month"))
    return click(day_in(after(elements, year), day.day))


def datepicker(instruction: str, elements: Elements) -> Action | None:
    """The popup stands behind all else: the form's button is the first after the field."""
    (day,) = dates(instruction)
    field = find(elements, "textbox")
    if action := complete(instruction, elements):
        return action
    if field is None or field.value == str(day):
        return click(find(after(elements, field), "button"))
    caption = captioned(after(elements, field))
    if caption is None:
        return click(field)
    at = elements.index(caption)
    turned = turn_to(day, elements, caption, (elements[at - 1], elements[at + 1]))
    return turned or click(day_in(after(elements, elements[at + 1]), day.day))


def drill(instruction: str, elements: Elements) -> Action | None:
    """The first button tells how far one has come: 2024, March 2024, 5 March 2024."""
    (day,) = dates(instruction)
    month = MONTHS[day.month - 1]
    stages = [str(day.year), f"{month} {day.year}", f"{day.day} {month} {day.year}"]
    opener, *_ = all_of(elements, "button")
    if opener.name == stages[2]:
        return submit(elements)
    again = find(elements, "button", "Start again")
    if again is None:
        return click(opener)
    if opener.name not in ("Choose a date", *stages):
        return click(again)
    stage = stages.index(opener.name) + 1 if opener.name in stages else 0
    short = word(r"([A-Z][a-z]{2,})(?= \d)", instruction) if stage == 1 else ""
    wanted = (str(day.year), short, str(day.day))[stage]
    return click(find(after(elements, again), "button", wanted))


ORACLES: dict[str, Oracle] = {
    "test-date-datepicker": datepicker,
    "test-date-drill": drill,
    "test-date-range": two_days,
    "train-date-flatpickr": flatpickr,
    "train-date-grid": open_calendar,
    "train-date-native": native,
    "train-date-selects": lists,
}
