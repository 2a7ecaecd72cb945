"""Oracles of date and time fields, typed and chosen from a calendar."""

import re

from doer.records.action import Action
from doer.worlds.seen import Elements, click, fill, find, named, submit, word
from doer.worlds.world import Oracle

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def enter_date(instruction: str, elements: Elements) -> Action | None:
    """A date field holds and takes yyyy-mm-dd."""
    month, day, year = word(r"(\d+/\d+/\d+)", instruction).split("/")
    return fill(find(elements, "textbox"), f"{year}-{month}-{day}") or submit(elements)


def enter_time(instruction: str, elements: Elements) -> Action | None:
    """A time field holds and takes hh:mm of 24 hours."""
    hour, minute, half = re.findall(r"(\d+):(\d+)\s*([AP]M)", instruction)[0]
    of_day = int(hour) % 12 + (12 if half == "PM" else 0)
    return fill(find(elements, "textbox"), f"{of_day:02}:{minute}") or submit(elements)


def choose_date(instruction: str, elements: Elements) -> Action | None:
    """Open the calendar, go to the month, take the day."""
    date = word(r"(\d+/\d+/\d+)", instruction)
    field = find(elements, "textbox")
    if field and field.value == date:
        return submit(elements)
    shown = next((e.name for e in elements if e.name in MONTHS), None)
    if shown is None:
        return click(field)
    month, day, _ = (int(part) for part in date.split("/"))
    ahead = month - 1 - MONTHS.index(shown)
    wanted = str(day) if ahead == 0 else "Next" if ahead > 0 else "Prev"
    return click(named(elements, wanted))


ORACLES: dict[str, Oracle] = {
    "choose-date": choose_date,
    "choose-date-easy": choose_date,
    "choose-date-medium": choose_date,
    "choose-date-nodelay": choose_date,
    "enter-date": enter_date,
    "enter-time": enter_time,
}
