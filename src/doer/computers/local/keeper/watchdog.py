"""Holds a computer to its limits where the kernel does not do it for us.

Disk, always: what its folders take is measured when the disk has visibly filled, and while that is
too much and grows, whoever writes is ended. Memory is added up, and the largest group of processes
is ended; a control group, where there is one, is the harder wall behind it. Never the daemon: when
it is the one who takes too much, the whole computer ends. Each act is told in the events.
"""

import contextlib
import os
import signal
import time
from collections import Counter
from pathlib import Path

from doer.computers.local.keeper import events, usage
from doer.computers.local.keeper.plan import Plan
from doer.computers.local.keeper.staging import COMPUTER
from doer.computers.local.keeper.tree import DAEMON, WRAPPING, Process, Tree

MB = 1 << 20
SLACK = 4 * MB  # what free space and shared memory move by before somebody is looked at closely
MEASURE_S = 60.0
FLOOR = 512 * MB
"""When less is free on the disk, a computer that grows is over its limit whatever that is."""
OFTEN, SELDOM = 2, 4
CROWDED, CROWDED_LOOKS = 0.9, 4
OFFERED = 500


class Watchdog:
    def __init__(self, plan: Plan, tree: Tree) -> None:
        self._plan = plan
        self._tree = tree
        self._disk = 0
        self._free = 0
        self._measured_at = -MEASURE_S
        self._written: dict[int, int] = {}
        self._ticks = 0
        self._offered: set[int] = set()
        self._shared = 0
        self._held = 0
        self._crowded = 0
        self._killed = 0

    def look(self) -> None:
        """To be called several times a second. What costs more is looked at less often."""
        self._ticks += 1
        self._look_at_disk()
        if self._ticks % (SELDOM if self._plan.cgroups else OFTEN):
            return
        living = self._tree.processes()
        self._offer(living)
        if self._plan.cgroups:
            self._look_at_kernel()
        self._look_at_memory(living)
        self._look_at_number(sum(one.threads for one in living))

    def measure_disk(self) -> int:
        """Bytes of the disk that the computer takes now."""
        self._free = _free()
        self._measured_at = time.monotonic()
        try:
            folders = sum(usage.blocks(f"{COMPUTER}/{part}") for part in ("upper", "run"))
        except OSError:  # too deep to walk: nobody needs that but who hides something
            folders = self._plan.disk_mb * MB + 1
        self._disk = folders + usage.nameless(self._tree, self._tree.pids())[0]
        return self._disk

    def measure_memory(self) -> int:
        """Bytes of memory: each process's fair share, and files in memory that are not mapped."""
        return _memory(self._tree, self._tree.pids())

    def _look_at_disk(self) -> None:
        limit = self._plan.disk_mb * MB
        free = _free()
        fell = self._free - free
        room = max(SLACK, (limit - self._disk) // 4)
        late = time.monotonic() - self._measured_at > MEASURE_S and abs(fell) > SLACK
        if self._free and fell < room and not late and free > FLOOR:
            return
        before = self._disk
        now = self.measure_disk()
        writing = self._writers()
        if (now <= limit and free > FLOOR) or now <= before:
            return
        said = f"its files take {now // MB} MB; {self._plan.disk_mb} MB are allowed"
        if now > limit * 1.5 + 64 * MB and not writing:
            self._end_all("disk", said)
        elif writing:
            self._end_group("disk", said, writing[0])

    def _writers(self) -> list[Process]:
        """Who has written since the last look, most first; never the daemon."""
        before, self._written = self._written, {}
        grown: list[tuple[int, Process]] = []
        for one in self._killable():
            written = self._written[one.pid] = self._tree.written(one.pid)
            if written > before.get(one.pid, 0):
                grown.append((written - before.get(one.pid, 0), one))
        return [one for _, one in sorted(grown, key=lambda pair: -pair[0])]

    def _look_at_kernel(self) -> None:
        """Tell what the kernel has killed for memory."""
        killed = sum(map(_killed, self._plan.cgroups))
        if killed > self._killed:
            said = f"the kernel ended {killed - self._killed} process(es)"
            events.tell("memory", f"{said}: {self._plan.memory_mb} MB are allowed")
        self._killed = killed

    def _offer(self, living: list[Process]) -> None:
        """Let the kernel, when memory runs out, take anyone before the daemon."""
        new = {one.pid for one in living} - self._offered
        for one in self._killable(living) if new else ():
            if one.pid in new:
                with contextlib.suppress(OSError):
                    Path(self._tree.place(one.pid, "oom_score_adj")).write_text(str(OFFERED))
        self._offered = {one.pid for one in living}

    def _look_at_memory(self, living: list[Process]) -> None:
        limit = self._plan.memory_mb * MB
        pids = [one.pid for one in living]
        files = usage.in_memory_file_systems(self._tree)
        files += self._nameless(pids)
        if sum(one.memory for one in living) + files < limit:
            return  # shared pages were counted fully, so it cannot be more
        if (total := _memory(self._tree, pids)) < limit:
            return
        groups: Counter[int] = Counter()
        for one in self._killable():
            held = usage.nameless(self._tree, [one.pid])[1]
            groups[one.group] += self._tree.shares(one.pid)[0] + held
        said = f"it takes {total // MB} MB of memory; {self._plan.memory_mb} MB are allowed"
        if not groups:
            self._end_all("memory", said)
            return
        largest = max(groups, key=groups.__getitem__)
        victim = next(one for one in self._killable() if one.group == largest)
        self._end_group("memory", said, victim)

    def _nameless(self, pids: list[int]) -> int:
        """Bytes in memory of files without a name. They are searched for only when this machine's
        files in memory have grown."""
        now = usage.files_in_memory_of_all()
        self._shared = min(self._shared, now)
        if now - self._shared > SLACK:
            self._shared = now
            self._held = usage.nameless(self._tree, pids)[1]
        return self._held

    def _look_at_number(self, number: int) -> None:
        """A crowd that stays leaves no room to start a command: the largest kind of it ends. The
        kernel's limit counts threads: `number` is theirs."""
        crowded = number > self._plan.processes * CROWDED
        self._crowded = self._crowded + 1 if crowded else 0
        if self._crowded < CROWDED_LOOKS:
            return
        self._crowded = 0
        self._tree.stop()
        try:
            name, kind = self._largest_kind()
            for one in kind:
                self._tree.send(one.pid, signal.SIGKILL)
        finally:
            self._tree.go_on()
        said = f"{number} processes and threads ran; {self._plan.processes} are allowed"
        events.tell("processes", f"{said}. {name} was ended, {len(kind)} times")

    def _largest_kind(self) -> tuple[str, list[Process]]:
        """All processes of one name: of the one with more threads than everybody else together may
        have, or else of which there are most."""
        kinds: dict[str, list[Process]] = {}
        for one in self._killable():
            kinds.setdefault(self._tree.name(one.pid), []).append(one)
        for name, kind in kinds.items():
            if max(one.threads for one in kind) > self._plan.processes // 2:
                return name, kind
        name = max(kinds, key=lambda one: len(kinds[one]), default="")
        return name, kinds.get(name, [])

    def _killable(self, living: list[Process] | None = None) -> list[Process]:
        """All but the wrapping, the daemon, and what runs in the daemon's own group."""
        living = self._tree.processes() if living is None else living
        kept = {one.group for one in living if one.pid in (WRAPPING, DAEMON)}
        return [one for one in living if one.group not in kept]

    def _end_group(self, what: str, said: str, victim: Process) -> None:
        name = self._tree.name(victim.pid)
        for one in self._killable():
            if one.group == victim.group:
                self._tree.send(one.pid, signal.SIGKILL)
        events.tell(what, f"{said}. {name} was ended, with all of its group")

    def _end_all(self, what: str, said: str) -> None:
        events.tell(what, f"{said}. The computer was ended")
        self._tree.end()


def _memory(tree: Tree, pids: list[int]) -> int:
    shares = [tree.shares(pid) for pid in pids]
    mapped = sum(shared for _, shared in shares)
    files = usage.in_memory_file_systems(tree) + usage.nameless(tree, pids)[1]
    return sum(fair for fair, _ in shares) - mapped + max(mapped, files)


def _free() -> int:
    seen = os.statvfs(COMPUTER)
    return seen.f_bavail * seen.f_frsize


def _killed(group: str) -> int:
    for name in ("memory.events", "memory.oom_control"):
        with contextlib.suppress(OSError, ValueError):
            for line in Path(group, name).read_text().splitlines():
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    return 0
