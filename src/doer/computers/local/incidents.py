"""What befell a computer since its last start, as its keeper wrote it down."""

from contextlib import suppress
from pathlib import Path

import msgspec

from doer.computers.local.keeper.events import FILE
from doer.records.computer import Incident


def read(host: Path, after: float = 0) -> tuple[Incident, ...]:
    """Those later than `after`, oldest first; the last megabyte of them at least."""
    found: list[Incident] = []
    for path in (host / f"{FILE}.old", host / FILE):
        if path.is_file():
            for line in path.read_bytes().splitlines():
                with suppress(msgspec.DecodeError):  # a full disk cuts lines
                    found.append(msgspec.json.decode(line, type=Incident))
    return tuple(one for one in found if one.at > after)
