"""Named terminals. They outlive calls; what they print is kept, up to a limit. A reader waits here,
inside, for a text, for quiet, or for the end, so that nobody polls."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import signal
import struct
import termios
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from children import MARK, Child, adopt, end, find_program, new_mark, work_folder
from loop import Flag, readable, start, wait, writable
from wire import OUT, Connection, Json, Refused, Request

MAX_TERMINALS = 32
MAX_KEPT = 1 << 20
MAX_WAIT_S = 3600.0
BASHRC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bashrc")
PLACES = ".cache/doer/terminals"
_CHUNK = 1 << 16
_AGAIN = 1 << 12  # bytes already searched that are searched again with what is new
_UNREADABLE = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]|\r"
)
_SEARCH_S = 0.1  # of the processor for one search: a pattern can be made to run for ever


class Terminal:
    """A program at the other end of a pseudo-terminal."""

    def __init__(self, name: str, argv: list[str], child: Child, master: int) -> None:
        self.name, self.argv, self.child, self.master = name, argv, child, master
        self.kept = bytearray()
        self.start = 0  # how many bytes came before `kept`
        self.spoke_at = time.monotonic()
        self.changed = Flag()
        self.closed = Flag()
        start(self._pump())

    @property
    def end(self) -> int:
        return self.start + len(self.kept)

    @property
    def running(self) -> bool:
        return not self.child.exited.up

    async def _pump(self) -> None:
        while True:
            if self.running:
                await wait(readable(self.master), self.child.exited)
            else:
                await wait(readable(self.master), until=time.monotonic() + 0.1)
            try:
                data = os.read(self.master, _CHUNK)
            except BlockingIOError:
                if not self.running:
                    break
                continue
            except OSError:  # nobody holds the other end
                break
            if not data:
                break
            self._keep(data)
        os.close(self.master)
        self.master = -1
        if self.running:
            await wait(self.child.exited)
        self.closed.raise_()
        self.changed.raise_()

    def _keep(self, data: bytes) -> None:
        self.kept += data
        if (over := len(self.kept) - MAX_KEPT) > 0:
            del self.kept[: over + MAX_KEPT // 4]
            self.start += over + MAX_KEPT // 4
        self.spoke_at = time.monotonic()
        self.changed.raise_()

    def told(self) -> dict[str, Json]:
        return {
            "name": self.name,
            "argv": list(self.argv),
            "pid": self.child.pid,
            "running": self.running,
            "exit": None if self.running else self.child.code,
            "quiet_s": time.monotonic() - self.spoke_at,
            "end": self.end,
        }


class Terminals:
    def __init__(self, home: str, env: Mapping[str, str]) -> None:
        self._home, self._env = home, env
        self._all: dict[str, Terminal] = {}

    def _named(self, request: Request) -> Terminal:
        name = request.text("name")
        if name not in self._all:
            there = ", ".join(self._all) or "none"
            raise Refused(f"there is no terminal {name!r} (there are: {there}); open it first")
        return self._all[name]

    async def open(self, caller: Connection, request: Request) -> None:
        name = request.text("name")
        if not 0 < len(name) <= 64 or not name.isprintable():
            raise Refused("a terminal's name has 1 to 64 printable characters")
        if (old := self._all.get(name)) is not None and old.running:
            raise Refused(f"terminal {name!r} is open; write to it, or close it first")
        if old is None and len(self._all) >= MAX_TERMINALS:
            raise Refused(f"{MAX_TERMINALS} terminals are open; close one first")
        own = not request.has("argv")
        argv = ["bash", "--rcfile", BASHRC, "-i"] if own else request.texts("argv")
        if not argv:
            raise Refused("'argv' is empty; name a program")
        cwd = work_folder(request, self._home)
        if not os.path.isdir(cwd):
            raise Refused(f"there is no folder {cwd}")
        size = request.whole("rows", 24, 1), request.whole("columns", 80, 1)
        env = {"TERM": "xterm-256color", **self._env, **request.pairs("env")}
        place = self._place(name)
        if own:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            env["DOER_PLACE"] = place
        self._all[name] = terminal = _open(name, argv, env, cwd, size)
        start(_forget(terminal, place))
        await caller.answer(terminal.told())

    def _place(self, name: str) -> str:
        """The file that says where a shell of this name stands."""
        return os.path.join(self._home, PLACES, name.encode().hex())

    async def write(self, caller: Connection, request: Request) -> None:
        terminal = self._named(request)
        data = await caller.body()
        until = time.monotonic() + request.number("timeout_s", 5)
        before = terminal.end
        while data:
            if not terminal.running or terminal.master < 0:
                raise Refused(f"terminal {terminal.name!r} has ended; open it again")
            try:
                data = data[os.write(terminal.master, data) :]
            except BlockingIOError:
                things = writable(terminal.master), terminal.closed
                if not await wait(*things, until=until):
                    text = f"its program does not read; {len(data)} bytes were not taken"
                    raise Refused(f"terminal {terminal.name!r}: {text}") from None
            except OSError as error:
                raise Refused(f"terminal {terminal.name!r}: {error.strerror}") from None
        await caller.answer({**terminal.told(), "end": before})

    async def read(self, caller: Connection, request: Request) -> None:
        """What was printed after byte `after`, once it matches `until`, no more has come for
        `idle_s`, the program has ended, or `timeout_s` is over."""
        terminal = self._named(request)
        after = min(request.whole("after", 0), terminal.end)  # of one of its name before, perhaps
        limit = min(request.whole("limit", MAX_KEPT, 1), MAX_KEPT)
        why = await _waited(caller, terminal, request, after)
        first = min(max(after, terminal.start), terminal.end)
        first = max(first, terminal.end - limit)
        caller.put(OUT, bytes(terminal.kept[first - terminal.start :]))
        await caller.answer({**terminal.told(), "why": why, "lost": max(0, first - after)})

    async def signal(self, caller: Connection, request: Request) -> None:
        terminal = self._named(request)
        name = request.text("signal").upper()
        number = signal.Signals.__members__.get(name if name.startswith("SIG") else f"SIG{name}")
        if number is None:
            raise Refused(f"there is no signal {name!r}; name one such as INT, TERM or KILL")
        if terminal.running and terminal.master >= 0:
            with contextlib.suppress(OSError):
                os.killpg(os.tcgetpgrp(terminal.master), number)
        await caller.answer(terminal.told())

    async def resize(self, caller: Connection, request: Request) -> None:
        terminal = self._named(request)
        size = request.whole("rows", None, 1), request.whole("columns", None, 1)
        if terminal.master >= 0:
            _resize(terminal.master, size)
        await caller.answer(terminal.told())

    async def list(self, caller: Connection, request: Request) -> None:
        await caller.answer({"terminals": [one.told() for one in self._all.values()]})

    async def close(self, caller: Connection, request: Request) -> None:
        terminal = self._named(request)
        await end(terminal.child, request.number("grace_s", 0.3))
        await wait(terminal.closed, until=time.monotonic() + 2)
        if self._all.get(terminal.name) is terminal:
            del self._all[terminal.name]
            _unlink(self._place(terminal.name))
        await caller.answer(terminal.told())


async def _forget(terminal: Terminal, place: str) -> None:
    """A shell that has ended stands nowhere; one that dies with the computer is remembered."""
    await wait(terminal.child.exited)
    _unlink(place)


def _unlink(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


async def _waited(caller: Connection, terminal: Terminal, request: Request, after: int) -> str:
    pattern = _pattern(request.text("until")) if request.has("until") else None
    idle_s = request.number("idle_s") if request.has("idle_s") else None
    deadline = time.monotonic() + min(request.number("timeout_s", 0), MAX_WAIT_S)
    searched = after
    while True:
        terminal.changed.lower()
        if pattern is not None:
            begin = max(after - terminal.start, 0)
            again = max(searched - _AGAIN - terminal.start, begin)
            line = terminal.kept.rfind(b"\n", begin, again) + 1  # whole lines, for `^`
            if _found(pattern, bytes(terminal.kept[max(line, begin) :])):
                return "match"
            searched = terminal.end
        if not terminal.running and terminal.closed.up:
            return "exited"
        until = deadline
        if idle_s is not None and terminal.end > after:
            if time.monotonic() >= terminal.spoke_at + idle_s:
                return "idle"
            until = min(until, terminal.spoke_at + idle_s)
        if time.monotonic() >= deadline:
            return "timeout"
        # Several may read: each is woken before the flag is lowered again.
        if caller.heard in await wait(terminal.changed, caller.heard, until=until):
            caller.poll()


def _pattern(text: str) -> re.Pattern[bytes]:
    if len(text) > 1000:
        raise Refused("the pattern is longer than 1000 characters")
    try:
        with _in_time():
            return re.compile(text.encode(), re.MULTILINE)
    except (re.error, RecursionError, OverflowError) as error:
        raise Refused(f"{text!r} is not a regular expression: {error}") from None


def _found(pattern: re.Pattern[bytes], data: bytes) -> bool:
    """In what was printed, or in what of it can be read."""
    with _in_time():
        return bool(pattern.search(data) or pattern.search(_UNREADABLE.sub(b"", data)))


@contextmanager
def _in_time() -> Generator[None, None, None]:
    """Some patterns take for ever, and this one thread serves everybody."""

    def ring(*_: object) -> None:
        raise TimeoutError

    old = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, _SEARCH_S)
    try:
        yield
    except TimeoutError:
        raise Refused("the pattern takes too long; use a simpler one") from None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, old)


def _open(
    name: str, argv: list[str], env: Mapping[str, str], cwd: str, size: tuple[int, int]
) -> Terminal:
    mark = new_mark()
    full = {**env, MARK: mark}
    program = find_program(argv[0], full)
    try:
        pid, master = os.forkpty()
    except OSError as error:
        raise Refused(f"no terminal can be opened: {error.strerror}; end some programs") from None
    if pid == 0:
        try:
            os.chdir(cwd)
            for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            os.execve(program, argv, full)
        finally:
            os._exit(127)
    os.set_inheritable(master, False)
    os.set_blocking(master, False)
    _resize(master, size)
    return Terminal(name, argv, adopt(pid, mark), master)


def _resize(master: int, size: tuple[int, int]) -> None:
    if max(size) > 1000:
        raise Refused("a terminal has 1000 rows and columns at most")
    with contextlib.suppress(OSError):
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
