"""Reads a home into a tar archive, or a tar archive into a home, in a keeper's namespaces.

Both go over files that may be made to harm: reading happens as the computer's own user, writing in
a sandbox that sees nothing but the folder to fill.
"""

import os
import resource
import socket
import sys
from pathlib import Path

from doer.computers import inside
from doer.computers.local.keeper import seccomp
from doer.computers.local.keeper.copying import Copier
from doer.computers.local.keeper.plan import Plan
from doer.computers.local.keeper.staging import COMPUTER, HOME, LAYERS, NOTE, STAGE, SYSTEM, stage

COPY = "copy to "
UNPACKING_BYTES = 1 << 30


def main() -> None:
    """Arguments: the descriptor that the plan is read from, and "pack" (the archive goes to
    standard output), "copy to LAYER", or the source of a programme that unpacks standard input."""
    with socket.socket(fileno=int(sys.argv[1])) as starter, starter.makefile("rb") as told:
        plan = Plan.decode(told.read())
    try:
        stage(plan)
        if sys.argv[2] == "pack":
            _pack()
        if sys.argv[2].startswith(COPY):
            Copier().copy(HOME, f"{LAYERS}/{sys.argv[2].removeprefix(COPY)}")
            return
        _unpack(plan, sys.argv[2])
    except OSError as error:
        sys.exit(str(error))


def _pack() -> None:
    os.execvp(
        "tar",
        [
            *("tar", "--create", "--file=-", "--format=pax", "--one-file-system", "--sparse"),
            *("--owner=1000", "--group=1000", "--numeric-owner", "--warning=no-file-ignored"),
            *("-C", STAGE, NOTE, Path(HOME).name),
        ],
    )


def _unpack(plan: Plan, programme: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (UNPACKING_BYTES, UNPACKING_BYTES))
    filtered = seccomp.build()
    os.set_inheritable(filtered, True)
    links = ("bin", "lib", "lib64")
    os.execv(
        plan.bubblewrap,
        [
            *(plan.bubblewrap, "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
            *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"),
            *("--unshare-net", "--unshare-cgroup", "--uid", "1000", "--gid", "1000"),
            *("--seccomp", str(filtered), "--ro-bind", f"{SYSTEM}/usr", "/usr"),
            *(word for link in links for word in ("--symlink", f"usr/{link}", f"/{link}")),
            *("--proc", "/proc", "--dev", "/dev", "--bind", f"{COMPUTER}/upper", inside.HOME),
            *("--remount-ro", "/dev", "--remount-ro", "/", "--clearenv"),
            *("--setenv", "PATH", "/usr/bin:/bin", "--chdir", inside.HOME, "--"),
            *("/usr/bin/python3", "-I", "-c", programme, str(plan.disk_mb << 20)),
        ],
    )
