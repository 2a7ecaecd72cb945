"""What befell a computer since its last start, as its keeper wrote it down."""

from pathlib import Path
from typing import Literal

import msgspec

from doer.computers.local.keeper.events import FILE


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """`at` in seconds since 1970. `ended` is the end of the computer itself; the others tell whom
    the watchdog or the kernel ended, and why."""

    at: float
    what: Literal["memory", "disk", "processes", "ended"]
    said: str


def read(host: Path, after: float = 0) -> tuple[Incident, ...]:
    """Those later than `after`, oldest first; the last megabyte of them at least."""
    found: list[Incident] = []
    for path in (host / f"{FILE}.old", host / FILE):
        if path.is_file():
            lines = path.read_bytes().splitlines()
            found += (msgspec.json.decode(line, type=Incident) for line in lines)
    return tuple(one for one in found if one.at > after)
