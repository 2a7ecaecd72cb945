"""The processes of a computer, seen from outside through /proc: who they are, what they use."""

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")
STOP_ROUNDS = 20


@dataclass(frozen=True)
class Process:
    """`pid` is that of this machine. `memory` in bytes: resident, shared pages counted fully."""

    pid: int
    group: int
    memory: int
    cpu_s: float
    state: str


def pids(root: int) -> list[int]:
    """`root` and all that descend from it, parents first."""
    found = [root]
    for pid in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                children = (task / "children").read_text()
                found += map(int, children.split())
    return found


def processes(root: int) -> Iterator[Process]:
    for pid in pids(root):
        if (seen := process(pid)) is not None:
            yield seen


def process(pid: int) -> Process | None:
    """None when it is gone, or dead and not waited for."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    words = text.rpartition(")")[2].split()
    if words[0] in "ZX":
        return None
    cpu_s = sum(map(int, words[11:15])) / TICK
    return Process(pid, int(words[2]), int(words[21]) * PAGE, cpu_s, words[0])


def shared_fairly(pid: int) -> int:
    """Bytes of memory with shared pages divided among those who share them (PSS)."""
    return shares(pid)[0]


def shares(pid: int) -> tuple[int, int]:
    """The same, and how much of it are files in memory."""
    found = {"Pss": 0, "Pss_Shmem": 0}
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name = line.partition(":")[0]
            if name in found:
                found[name] = int(line.split()[1]) * 1024
    return found["Pss"], found["Pss_Shmem"]


def stop(root: int) -> None:
    """Freeze them all. Repeated until no new one is found, because they may fork meanwhile."""
    stopped: set[int] = set()
    for _ in range(STOP_ROUNDS):
        new = [pid for pid in pids(root) if pid not in stopped]
        if not new:
            return
        for pid in new:
            send(pid, signal.SIGSTOP)
        stopped.update(new)


def go_on(root: int) -> None:
    for pid in reversed(pids(root)):
        send(pid, signal.SIGCONT)


def send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
