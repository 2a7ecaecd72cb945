"""Dates in the words of an instruction, and months in the names of elements."""

import re
from typing import NamedTuple

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_NAMES = {name[:size]: n for n, name in enumerate(_MONTHS, 1) for size in (3, len(name))}
_WRITTEN = re.compile(r"(\d+) / (\d+) / (\d{4})")  # month / day / year
_ISO = re.compile(r"(\d{4}) - (\d+) - (\d+)")
_SPOKEN = re.compile(r"(?:(\d+) )?([a-z]{3,9}) (?:(\d+) )?(?:, )?(\d{4})")


class Dated(NamedTuple):
    year: int
    month: int
    day: int


class Month(NamedTuple):
    """A month, of a year if it says so."""

    month: int
    year: int | None


def dated(text: str) -> Dated | None:
    """The first date of a text whose words and signs have single spaces between them."""
    if found := _WRITTEN.search(text):
        month, day, year = map(int, found.groups())
        return Dated(year, month, day)
    if found := _ISO.search(text):
        return Dated(*map(int, found.groups()))
    for found in _SPOKEN.finditer(text.casefold()):
        before, name, after, year = found.groups()
        if name in _NAMES and (before or after):
            return Dated(int(year), _NAMES[name], int(before or after))
    return None


def month_of(name: str) -> Month | None:
    """The month that an element is called by: "March", "Mar", "March 2026"."""
    word, _, year = name.casefold().partition(" ")
    if word not in _NAMES or not (year == "" or re.fullmatch(r"\d{4}", year)):
        return None
    return Month(_NAMES[word], int(year) if year else None)
