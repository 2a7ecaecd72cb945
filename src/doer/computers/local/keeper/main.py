"""The keeper: one small process per computer, which outlives the one that started it.

It makes the namespaces, starts bubblewrap in them, and answers on a control socket until the
computer ends. When it dies the computer dies, and the other way round. Standard library only; it
is run by path, isolated, with no site packages.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from doer.computers.local.keeper import kernel, seccomp, wrapping
from doer.computers.local.keeper.keeping import Keeping
from doer.computers.local.keeper.plan import Plan
from doer.computers.local.keeper.staging import COMPUTER, hold_lifetime, stage


def main() -> None:
    """Read the plan from the descriptor named by the first argument, answer on it "ready" or what
    went wrong, and keep the computer."""
    starter = socket.socket(fileno=int(sys.argv[1]))
    with starter.makefile("rb") as told:
        plan = Plan.decode(told.read())
    if os.fork():
        os._exit(0)  # so that nobody has to wait for a keeper
    try:
        keeping = _prepare(plan)
    except (OSError, subprocess.SubprocessError) as error:
        starter.sendall(str(error).encode())
        os._exit(1)
    starter.sendall(b"ready")
    starter.close()
    keeping.keep()


def _prepare(plan: Plan) -> Keeping:
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    groups = [os.open(f"{group}/cgroup.procs", os.O_WRONLY) for group in plan.cgroups]
    listener = stage(plan)
    os.chdir(f"{COMPUTER}/host")
    lifetime = hold_lifetime()
    with contextlib.suppress(FileNotFoundError):
        Path("control.sock").unlink()
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control.bind("control.sock")
    control.listen(64)
    bubblewrap = _start(plan, lifetime, groups)
    for group in groups:
        os.close(group)
    return Keeping(plan, bubblewrap, control, listener)


def _start(plan: Plan, lifetime: int, groups: list[int]) -> subprocess.Popen[bytes]:
    pinned = bool(plan.cpus) and not groups
    filtered = seccomp.build(pinned)

    def confine() -> None:
        kernel.die_with_parent()
        for group in groups:
            os.write(group, b"0")
        if pinned:
            _pin(plan)
        wrapping.limit(plan)

    try:
        return subprocess.Popen(
            wrapping.command(plan, filtered, lifetime),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(filtered, lifetime),
            preexec_fn=confine,  # this process has one thread
            start_new_session=True,
            cwd="/",
            env={},
        )
    finally:
        os.close(filtered)


def _pin(plan: Plan) -> None:
    """Without control groups whole cores can be limited: a computer always gets the same."""
    cores = sorted(os.sched_getaffinity(0))
    first = sum(plan.name.encode()) % len(cores)
    count = min(len(cores), max(1, round(plan.cpus)))
    os.sched_setaffinity(0, {cores[(first + n) % len(cores)] for n in range(count)})
