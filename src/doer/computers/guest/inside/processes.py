"""`processes`: what runs, and what it costs."""

from __future__ import annotations

import os
from contextlib import suppress

from loop import sleep
from wire import Connection, Json, Request

MAX_COMMAND = 300
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / (1 << 20)


async def processes(caller: Connection, request: Request) -> None:
    found: list[Json] = []
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        with suppress(OSError):  # it ended meanwhile
            found.append(_told(pid))
        await sleep(0)  # a PSS can take milliseconds
    # In parts: a frame is bounded, and there may be thousands.
    for at in range(0, len(found), 500):
        await caller.answer({"processes": found[at : at + 500]})
    await caller.answer({"complete": True})


def _told(pid: int) -> dict[str, Json]:
    stat = _read(pid, "stat")
    name = stat[stat.index(b"(") + 1 : stat.rindex(b")")]
    fields = stat[stat.rindex(b")") + 2 :].split()
    command = b""
    with suppress(OSError):
        command = _read(pid, "cmdline").replace(b"\0", b" ").strip()
    return {
        "pid": pid,
        "parent": int(fields[1]),
        "name": name.decode(errors="replace"),
        "command": command[:MAX_COMMAND].decode(errors="replace"),
        "state": fields[0].decode(),
        "cpu_s": (int(fields[11]) + int(fields[12])) * _TICK_S,
        "memory_mb": _memory_mb(pid, int(fields[21])),
    }


def _memory_mb(pid: int, pages: int) -> float:
    with suppress(OSError):
        for line in _read(pid, "smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) / 1024
    return pages * _PAGE_MB


def _read(pid: int, name: str) -> bytes:
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()
