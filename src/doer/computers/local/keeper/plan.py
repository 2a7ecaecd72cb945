"""What a keeper is told when it starts: one JSON object, made by the process that starts it.

A named tuple, because a keeper would take half as long again to start with dataclasses.
"""

import json
from typing import NamedTuple


class Plan(NamedTuple):
    """`folder` is that of the computer; `layers` are folders, the topmost first. Everything runs
    as `uid` and `gid` of this machine. `system` is a root file system ("/" for this machine's),
    `guest` the folder of our daemon. `cgroups` are folders of control groups with limits in place,
    empty where none can be made. `beside`: absolute paths of folders that are kept in the home and
    bound beside it. `note`: what an archive says of the computer; the home is then
    its layers alone, read-only."""

    name: str
    folder: str
    layers_folder: str
    layers: tuple[str, ...]
    uid: int
    gid: int
    system: str
    guest: str
    bubblewrap: str
    environment: dict[str, str]
    memory_mb: int
    processes: int
    disk_mb: int
    cpus: float
    cgroups: tuple[str, ...] = ()
    note: str = ""
    beside: tuple[str, ...] = ()

    def encode(self) -> bytes:
        return json.dumps(self._asdict()).encode()

    @classmethod
    def decode(cls, text: bytes) -> "Plan":
        told = json.loads(text)
        told["layers"] = tuple(told["layers"])
        told["cgroups"] = tuple(told["cgroups"])
        told["beside"] = tuple(told["beside"])
        return cls(**told)
