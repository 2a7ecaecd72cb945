"""Starting processes, hearing of their end, and ending them with everything they started."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence

from loop import Flag, readable, sleep, start, wait
from wire import Refused, Request

MARK = "DOER_RUN"
"""What is started gets a mark of its own in its environment: so whatever leaves its group and its
session is still found."""

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: orphans become ours, and so are reaped


class Child:
    """A process of ours, the leader of its session."""

    def __init__(self, pid: int, mark: str) -> None:
        self.pid, self.mark = pid, mark
        self.exited = Flag()
        self.code = 0  # minus the signal's number when a signal ended it

    def signal(self, number: int) -> None:
        """To its whole process group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


_CHILDREN: dict[int, Child] = {}


def adopt(pid: int, mark: str) -> Child:
    """Hear of the end of a process that was just started."""
    child = _CHILDREN[pid] = Child(pid, mark)
    return child


def new_mark() -> str:
    return os.urandom(8).hex()


def work_folder(request: Request, home: str) -> str:
    """The folder a request wants its program to begin in: the home, or relative to it."""
    return os.path.join(home, os.path.expanduser(request.text("cwd", "") or home))


def find_program(name: str, env: Mapping[str, str]) -> str:
    """The file of a program. Raises `Refused`."""
    if "/" in name:
        candidates = [name]
    else:
        folders = env.get("PATH", os.defpath).split(":")
        candidates = [os.path.join(folder, name) for folder in folders]
    for one in candidates:
        if os.access(one, os.X_OK) and not os.path.isdir(one):
            return one
    raise Refused(f"there is no program {name!r}; name one that is installed")


def spawn(
    argv: Sequence[str],
    env: Mapping[str, str],
    cwd: str,
    fds: Mapping[int, int],
) -> Child:
    """Start a program in a session of its own. `fds`: its descriptor -> ours. Raises `Refused`."""
    mark = new_mark()
    full = {**env, MARK: mark}
    program = find_program(argv[0], full)
    # Ours may stand where its are to be: first out of their way, then into place.
    high = {theirs: _above(ours) for theirs, ours in fds.items()}
    back = os.open(".", os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.chdir(cwd)  # nobody else can see it: there is one thread
        pid = os.posix_spawn(
            program,
            list(argv),
            full,
            file_actions=[(os.POSIX_SPAWN_DUP2, ours, theirs) for theirs, ours in high.items()],
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD],
        )
    except BlockingIOError:
        raise Refused("no process can be started: the limit is reached; end some first") from None
    except OSError as error:
        raise Refused(f"{argv[0]!r} cannot be started in {cwd!r}: {error.strerror}") from None
    finally:
        os.fchdir(back)
        os.close(back)
        for ours in high.values():
            os.close(ours)
    _offer(pid)
    return adopt(pid, mark)


def _offer(pid: int) -> None:
    """When memory runs out, the kernel shall take it, and what it starts, before this daemon."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/oom_score_adj", "w") as file:
        file.write("500")


def _above(fd: int) -> int:
    duplicate = os.dup(fd)
    low: list[int] = []
    while duplicate < 10:
        low.append(duplicate)
        duplicate = os.dup(fd)
    for one in low:
        os.close(one)
    return duplicate


def _reap() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        child = _CHILDREN.pop(pid, None)
        if child is not None:
            ended = os.WIFSIGNALED(status)
            child.code = -os.WTERMSIG(status) if ended else os.WEXITSTATUS(status)
            child.exited.raise_()


def _heard(*_: object) -> None:
    """Without a handler the kernel's signal would not reach the wake-up socket."""


def watch_children() -> None:
    """Reap what ends from now on, orphans too."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _heard)

    async def reaping() -> None:
        while True:
            await wait(readable(ours.fileno()))
            with contextlib.suppress(BlockingIOError):
                ours.recv(4096)
            _reap()

    theirs.detach()  # signals are written to it as long as we live
    start(reaping())


def tell_parents() -> dict[int, tuple[int, int]]:
    """Process -> its parent and its session, of all that run."""
    found: dict[int, tuple[int, int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as stat:
                state, parent, _, session = stat.read().rpartition(b")")[2].split()[:4]
                if state not in (b"Z", b"X"):
                    found[int(name)] = int(parent), int(session)
    return found


def family(child: Child) -> list[int]:
    """What a child has started and is still there, itself too: below it, in its session, or
    bearing its mark."""
    there = tell_parents()
    mark = f"{MARK}={child.mark}".encode()
    found: set[int] = set()
    for pid, (_, session) in there.items():
        if pid != os.getpid() and (session == child.pid or _bears(pid, mark)):
            found.add(pid)
    if not child.exited.up:
        found.add(child.pid)
    while more := {pid for pid, (parent, _) in there.items() if parent in found} - found:
        found |= more
    return sorted(found & there.keys())


def _bears(pid: int, mark: bytes) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as environ:
            return mark in environ.read().split(b"\0")
    except OSError:
        return False


async def end(child: Child, grace_s: float = 1.0) -> None:
    """End a child and everything it started: asked first, killed after `grace_s`."""
    members = family(child)
    for pid in members:
        _send(pid, signal.SIGTERM)
        _send(pid, signal.SIGCONT)
    until = time.monotonic() + grace_s
    pause = 0.005
    while time.monotonic() < until and family(child):
        await sleep(pause)
        pause = min(pause * 2, 0.1)
    # Something may be making processes faster than they die: stop them all before killing.
    for _ in range(100):
        if not (members := family(child)):
            return
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in members:
                _send(pid, number)
        await sleep(0.01)


async def end_all() -> None:
    """End everything that was started here and still runs."""
    for child in list(_CHILDREN.values()):
        await end(child, grace_s=0.2)


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
