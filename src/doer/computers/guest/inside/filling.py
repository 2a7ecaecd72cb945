"""Holds the home to its size where nobody outside does: while it is too large and grows, whoever
writes most is ended, with its whole session.

`du` measures, when the disk has visibly filled. What only fools `du` (folders that not even their
owner may read) or stops this daemon gets past it: against that, a disk of its own helps.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import time
from collections.abc import Mapping

from children import spawn, tell_parents
from loop import readable, sleep, wait
from wire import Refused

_LOOK_S, _MEASURE_S, _DU_S = 0.25, 60.0, 60.0
SLACK = 4 << 20  # what free space moves by before anybody measures


async def hold(home: str, limit: int, env: Mapping[str, str]) -> None:
    """For ever. `limit` in bytes."""
    used, free, measured_at = 0, 0, -_MEASURE_S
    written: dict[int, int] = {}
    while True:
        now, late = _free(home), time.monotonic() - measured_at > _MEASURE_S
        fell = free - now
        if fell >= max(SLACK, (limit - used) // 4) or (late and abs(fell) > SLACK):
            before, used = used, await _measure(home, env)
            free, measured_at = _free(home), time.monotonic()
            last, written = written, _written()
            if used > limit and used > before:
                _end(_session(last, written), used, limit)
        await sleep(_LOOK_S)


async def _measure(home: str, env: Mapping[str, str]) -> int:
    """Bytes on disk of what the home holds, and of files there that are open and have no name."""
    ours, theirs = os.pipe()
    try:
        with open(os.devnull, "r+b") as nothing:
            fds = {0: nothing.fileno(), 1: theirs, 2: nothing.fileno()}
            child = spawn(["du", "-sx", "--block-size=1", "--", home], env, "/", fds)
        until = time.monotonic() + _DU_S
        if not await wait(child.exited, until=until):
            child.signal(signal.SIGKILL)
            return 0
        await wait(readable(ours), until=until)
        os.set_blocking(ours, False)
        return int(os.read(ours, 64).split()[0]) + _nameless(os.stat(home).st_dev)
    except (Refused, OSError, ValueError, IndexError):
        return 0  # no process could be started, say: there is a next time
    finally:
        os.close(ours)
        os.close(theirs)


def _nameless(device: int) -> int:
    found: dict[int, int] = {}
    for pid in tell_parents():
        with contextlib.suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    seen = os.stat(f"/proc/{pid}/fd/{name}")
                    if not seen.st_nlink and stat.S_ISREG(seen.st_mode) and seen.st_dev == device:
                        found[seen.st_ino] = seen.st_blocks * 512
    return sum(found.values())


def _written() -> dict[int, int]:
    """Process -> bytes it has written so far."""
    found: dict[int, int] = {}
    for pid in tell_parents():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/io") as file:
            for line in file:
                if line.startswith("write_bytes:"):
                    found[pid] = int(line.split()[1])
    return found


def _session(before: Mapping[int, int], now: Mapping[int, int]) -> int:
    """The session that has written most since then; never the daemon's own. 0 for none."""
    totals: dict[int, int] = {}
    for pid, (_, session) in tell_parents().items():
        grown = now.get(pid, 0) - before.get(pid, 0)
        if grown > 0 and session != os.getsid(0):
            totals[session] = totals.get(session, 0) + grown
    return max(totals, key=lambda session: totals[session], default=0)


def _end(session: int, used: int, limit: int) -> None:
    if not session:
        return
    for pid, (_, its) in tell_parents().items():
        if its == session:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    print(f"the home takes {used >> 20} MB of {limit >> 20}: ended session {session}", flush=True)


def _free(home: str) -> int:
    seen = os.statvfs(home)
    return seen.f_bavail * seen.f_frsize
