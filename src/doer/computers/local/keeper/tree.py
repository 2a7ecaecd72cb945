"""The processes of a computer, seen from outside through its own /proc: who they are, what they do.

They are numbered as inside: 1 is the wrapping, 2 the daemon. However many this machine runs, only
the computer's own are looked at.
"""

import contextlib
import os
import signal
from pathlib import Path
from typing import NamedTuple

WRAPPING, DAEMON = 1, 2
PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")
STOP_ROUNDS = 20


class Process(NamedTuple):
    """`memory` in bytes: resident, shared pages counted fully."""

    pid: int
    group: int
    memory: int
    cpu_s: float
    threads: int


class Tree:
    """`root`: this machine's number of the process that waits for the wrapping."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._proc = ""

    def place(self, pid: int, name: str) -> str:
        """Where /proc tells something of a process."""
        return f"{self._proc}/{pid}/{name}"

    def pids(self) -> list[int]:
        """None before the computer has its /proc, nor after its end."""
        if not self._proc and not self._enter():
            return []
        try:
            return [int(name) for name in os.listdir(self._proc) if name.isdigit()]  # noqa: PTH208
        except OSError:
            return []

    def processes(self) -> list[Process]:
        return [seen for pid in self.pids() if (seen := self._process(pid)) is not None]

    def name(self, pid: int) -> str:
        with contextlib.suppress(OSError):
            return _read(self.place(pid, "comm")).strip()
        return "?"

    def written(self, pid: int) -> int:
        """Bytes it has written to files so far."""
        with contextlib.suppress(OSError):
            for line in _read(self.place(pid, "io")).splitlines():
                if line.startswith("write_bytes:"):
                    return int(line.split()[1])
        return 0

    def shares(self, pid: int) -> tuple[int, int]:
        """Bytes of memory with shared pages divided among those who share them (PSS), and how much
        of it are files in memory."""
        found = {"Pss": 0, "Pss_Shmem": 0}
        with contextlib.suppress(OSError):
            for line in _read(self.place(pid, "smaps_rollup")).splitlines():
                name = line.partition(":")[0]
                if name in found:
                    found[name] = int(line.split()[1]) * 1024
        return found["Pss"], found["Pss_Shmem"]

    def send(self, pid: int, number: signal.Signals) -> None:
        """To the very process that has the number now, if any."""
        with contextlib.suppress(OSError):
            process = os.open(f"{self._proc}/{pid}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                signal.pidfd_send_signal(process, number)
            finally:
                os.close(process)

    def stop(self) -> None:
        """Freeze them all. Repeated until no new one is found, because they may fork meanwhile."""
        stopped: set[int] = set()
        for _ in range(STOP_ROUNDS):
            new = [pid for pid in self.pids() if pid not in stopped]
            if not new:
                return
            for pid in new:
                self.send(pid, signal.SIGSTOP)
            stopped.update(new)

    def go_on(self) -> None:
        for pid in reversed(self.pids()):
            self.send(pid, signal.SIGCONT)

    def end(self) -> None:
        """Kill them all: with the first all others die."""
        self.send(WRAPPING, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._root, signal.SIGKILL)

    def _process(self, pid: int) -> Process | None:
        """None when it is gone, or dead and not waited for."""
        try:
            text = _read(self.place(pid, "stat"))
        except OSError:
            return None
        words = text.rpartition(")")[2].split()
        if words[0] in "ZX":
            return None
        cpu_s = sum(map(int, words[11:15])) / TICK
        return Process(pid, int(words[2]), int(words[21]) * PAGE, cpu_s, int(words[17]))

    def _enter(self) -> bool:
        """Open the computer's /proc, once the wrapping has mounted it."""
        with contextlib.suppress(OSError, ValueError):
            children = Path(f"/proc/{self._root}/task/{self._root}/children").read_text()
            first = int(children.split()[0])
            proc = os.open(f"/proc/{first}/root/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            seen = f"/proc/self/fd/{proc}"
            if len(Path(f"/proc/{first}/status").read_text().split("NSpid:")[1].split()) > 1 and (
                Path(seen, str(DAEMON)).is_dir() and not Path(seen, str(first)).is_dir()
            ):
                self._proc = seen
                return True
            os.close(proc)
        return False


def _read(path: str) -> str:
    """A file of /proc, quickly."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, 4096).decode(errors="replace")
    finally:
        os.close(file)
