"""What befell a computer in a container, as far as engines tell: that the kernel ended something of
it for memory, and how its last run ended."""

import time
from pathlib import Path
from typing import Literal

import msgspec

from doer.computers.docker.running import Status
from doer.records.computer import Incident

FILE = "incidents.jsonl"


def read(folder: Path, after: float = 0) -> tuple[Incident, ...]:
    """Those later than `after`, the oldest first."""
    path = folder / FILE
    lines = path.read_bytes().splitlines() if path.is_file() else []
    found = (msgspec.json.decode(line, type=Incident) for line in lines)
    return tuple(one for one in found if one.at > after)


def begin(folder: Path, before: Status | None) -> None:
    """A new run begins. `before`: how the last one's container was found, if it was there still."""
    (folder / FILE).unlink(missing_ok=True)
    if before is not None:
        _tell(folder, "ended", f"it had ended with exit code {before.exit_code}")
        look(folder, before)


def look(folder: Path, now: Status) -> None:
    """Tell, once a run, that the limit of memory was reached."""
    if now.oom_killed and not any(one.what == "memory" for one in read(folder)):
        _tell(folder, "memory", "the kernel ended one or more processes: the limit was reached")


def _tell(folder: Path, what: Literal["memory", "ended"], said: str) -> None:
    line = msgspec.json.encode(Incident(at=time.time(), what=what, said=said))
    with (folder / FILE).open("ab") as file:
        file.write(line + b"\n")
