"""Oracles of date and time fields, typed and chosen from a calendar."""

import re

from doer.records.action import Action, Element
from doer.worlds.seen import Elements, click, fill, find, named, submit, word
from doer.worlds.world import Oracle

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def enter_date(instruction: str, elements: Elements) -> Action | None:
    """A date field takes mm/dd/yyyy and holds yyyy-mm-dd."""
    said = word(r"(\d+/\d+/\d+)", instruction)
    month, day, year = said.split("/")
    return _enter(elements, said, f"{year}-{month:0>2}-{day:0>2}")


def enter_time(instruction: str, elements: Elements) -> Action | None:
    """A time field takes hh:mm of 12 hours and holds that of 24."""
    said = word(r"(\d+:\d+\s*[AP]M)", instruction)
    hour, minute, half = re.findall(r"\d+|[AP]", said)
    of_day = int(hour) % 12 + (12 if half == "P" else 0)
    return _enter(elements, said, f"{of_day:02}:{minute}")


def _enter(elements: Elements, said: str, held: str) -> Action | None:
    """Type what was said, unless the field holds its value, then submit."""
    field = find(elements, "textbox")
    done = field is not None and field.value == held
    return submit(elements) if done else fill(field, said)


def choose_date(instruction: str, elements: Elements) -> Action | None:
    date = word(r"(\d+/\d+/\d+)", instruction)
    return take_day(date, find(elements, "textbox"), elements) or submit(elements)


def take_day(date: str, field: Element | None, elements: Elements) -> Action | None:
    """Open a field's calendar, go to the month, take the day; None when the field has the date."""
    if field is None or field.value == date:
        return None
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
