"""`run`: one command with separate outputs, a deadline, and nothing left of it when its caller is
gone."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping

from children import Child, end, family, spawn, work_folder
from loop import Flag, On, readable, start, wait, writable
from output import Kept, new_name
from wire import ERR, OUT, Connection, Gone, Json, Refused, Request

MAX_SECONDS = 24 * 3600.0
MAX_KEPT = 1 << 20
_CHUNK = 1 << 16
_DRAIN_S = 0.1  # for what a background process writes after the command's own end


class _Pipes:
    """The three ends of a command's pipes that are ours."""

    def __init__(self) -> None:
        read_in, self.stdin = os.pipe2(os.O_CLOEXEC)
        self.stdout, write_out = os.pipe2(os.O_CLOEXEC)
        self.stderr, write_err = os.pipe2(os.O_CLOEXEC)
        self.theirs = {0: read_in, 1: write_out, 2: write_err}
        for fd in (self.stdin, self.stdout, self.stderr):
            os.set_blocking(fd, False)

    def hand_over(self) -> None:
        for fd in self.theirs.values():
            os.close(fd)
        self.theirs = {}


class _Running:
    def __init__(self, child: Child, pipes: _Pipes, kept: Mapping[int, Kept]) -> None:
        self.child, self.kept = child, kept
        self.kinds = {pipes.stdout: OUT, pipes.stderr: ERR}  # those still open
        self.stdin = pipes.stdin
        self.input = bytearray()
        self.input_ended = False

    def hear(self, caller: Connection) -> None:
        """Take what the caller sends: input for the command."""
        while len(self.input) < _CHUNK and (frame := caller.poll()) is not None:
            kind, data = frame
            if kind == OUT and data:
                self.input += data
            else:
                self.input_ended = True

    def feed(self) -> None:
        """Give the command as much of its input as it takes."""
        try:
            while self.input and self.stdin >= 0:
                del self.input[: os.write(self.stdin, self.input[:_CHUNK])]
        except BlockingIOError:
            return
        except OSError:  # it reads no more
            self.input.clear()
            self.input_ended = True
        if self.input_ended and not self.input:
            self.close_stdin()

    def pass_on(self, caller: Connection) -> None:
        """Give the command what the caller has sent, also what came along with the request."""
        moved = True
        while moved:
            self.hear(caller)
            waiting = len(self.input)
            self.feed()
            moved = len(self.input) < waiting and not self.input  # all of it: there may be more

    def close_stdin(self) -> None:
        if self.stdin >= 0:
            os.close(self.stdin)
            self.stdin = -1

    def drain(self, fd: int) -> bytes:
        """Read an output once; its part that is sent at once."""
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            kind = self.kinds.pop(fd)
            self.kept[kind].close()
            os.close(fd)
            return b""
        return self.kept[self.kinds[fd]].feed(data)

    def things(self, caller: Connection) -> list[On]:
        things = [readable(fd) for fd in self.kinds]
        # While the command does not read, its caller need not be read, but may still go away.
        things.append(caller.heard if len(self.input) < _CHUNK else caller.left)
        if self.input and self.stdin >= 0:
            things.append(writable(self.stdin))
        return things + caller.full


async def run(caller: Connection, request: Request, home: str, env: Mapping[str, str]) -> None:
    began = time.monotonic()
    timeout_s = request.number("timeout_s", 60)
    if not 0 < timeout_s <= MAX_SECONDS:
        raise Refused(f"'timeout_s' must lie between 0 and {MAX_SECONDS:g}")
    running = _start(request, home, env)
    timed_out = False
    try:
        timed_out = not await _until_end(caller, running, began + timeout_s)
        if timed_out:
            await end(running.child)
        await _until_end(caller, running, time.monotonic() + _DRAIN_S, outputs=True)
    except Gone:
        await end(running.child)
        raise
    finally:
        running.close_stdin()
        start(_drain_rest(running))
    for kind, kept in running.kept.items():
        if kept.tail:
            caller.put(kind, bytes(kept.tail))
    left: list[Json] = list(family(running.child)) if running.kinds and not timed_out else []
    await caller.answer(
        {
            "exit": running.child.code,
            "timed_out": timed_out,
            "seconds": time.monotonic() - began,
            "left": left,
            "stdout": _told(running.kept[OUT]),
            "stderr": _told(running.kept[ERR]),
        }
    )


def _start(request: Request, home: str, env: Mapping[str, str]) -> _Running:
    argv = request.texts("argv") if request.has("argv") else ["bash", "-c", request.text("script")]
    if not argv:
        raise Refused("'argv' is empty; name a program")
    cwd = work_folder(request, home)
    head, tail = request.whole("head", 1 << 16), request.whole("tail", 1 << 16)
    if head > MAX_KEPT or tail > MAX_KEPT:
        raise Refused(f"'head' and 'tail' are {MAX_KEPT} at most; the whole is in a file")
    pipes = _Pipes()
    try:
        child = spawn(argv, {**env, **request.pairs("env")}, cwd, pipes.theirs)
    except Refused:
        for fd in (pipes.stdin, pipes.stdout, pipes.stderr):
            os.close(fd)
        raise
    finally:
        pipes.hand_over()
    name = new_name()
    kept = {OUT: Kept(f"{name}.stdout", home, head, tail)}
    kept[ERR] = Kept(f"{name}.stderr", home, head, tail)
    running = _Running(child, pipes, kept)
    if not request.flag("stdin"):
        running.input_ended = True
        running.feed()
    return running


async def _until_end(
    caller: Connection, running: _Running, until: float, outputs: bool = False
) -> bool:
    """Pass input and output on until the command ends (with `outputs`: until they do), or the
    deadline; whether it ended. Raises `Gone`."""
    exited: list[Flag] = [] if outputs else [running.child.exited]
    while running.kinds if outputs else not running.child.exited.up:
        running.pass_on(caller)  # first: what lies in our own buffer wakes nobody
        ready = await wait(*running.things(caller), *exited, until=until)
        if not ready:
            return False
        if caller.left in ready:
            raise Gone
        caller.flush()
        for fd in [fd for fd in running.kinds if readable(fd) in ready]:
            kind = running.kinds[fd]
            if head := running.drain(fd):
                caller.put(kind, head)
        if time.monotonic() >= until:
            return False
    return True


async def _drain_rest(running: _Running) -> None:
    """What stays in the background may go on writing: into its file, until that is full."""
    while running.kinds:
        ready = await wait(*[readable(fd) for fd in running.kinds])
        for fd in [fd for fd in running.kinds if readable(fd) in ready]:
            with contextlib.suppress(OSError):
                running.drain(fd)


def _told(kept: Kept) -> dict[str, Json]:
    return {"bytes": kept.bytes, "file": kept.path, "stored": kept.stored}
