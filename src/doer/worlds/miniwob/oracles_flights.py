"""Oracle of a flight's booking: two places out of suggestions, a day, the best of those found."""

import re

from doer.records.action import Action, Element
from doer.worlds.miniwob.oracles_dates import take_day
from doer.worlds.seen import Elements, after, all_of, click, fill, find
from doer.worlds.world import Oracle


def book_flight(instruction: str, elements: Elements) -> Action | None:
    origin, goal, day = re.findall(r"from: (.*) to: (.*) on (\S+)\.", instruction)[0]
    fields = all_of(elements, "textbox")
    if not fields:
        return click(_best("shortest" in instruction, elements))
    suggestions = after(elements, find(elements, "button", "Search"))
    for field, place in zip(fields, (origin, goal), strict=False):
        if not _is_at(place, field.value or ""):
            taken = next((e for e in suggestions if _is_at(place, e.name)), None)
            return click(taken) or fill(field, place)
    return take_day(day, fields[-1], elements) or click(find(elements, "button", "Search"))


def _is_at(place: str, airport: str) -> bool:
    """Whether an airport, "Rosario, WA (RSJ)", is called by its city or its code."""
    return airport.startswith(f"{place} (") or airport.endswith(f"({place})")


def _best(shortest: bool, elements: Elements) -> Element:
    """The button of the shortest or the cheapest flight; before it stands "3h 20m"."""
    flights = [e for e in all_of(elements, "button") if "$" in e.name]

    def cost(button: Element) -> int:
        if not shortest:
            return int(button.name.rpartition("$")[2])
        hours, minutes = re.findall(r"\d+", elements[elements.index(button) - 1].name)
        return int(hours) * 60 + int(minutes)

    return min(flights, key=cost)


ORACLES: dict[str, Oracle] = {
    "book-flight": book_flight,
    "book-flight-nodelay": book_flight,
}
