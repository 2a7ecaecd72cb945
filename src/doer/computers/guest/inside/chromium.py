"""The one browser. Its debugging pipe (descriptors 3 and 4) is the very connection of whoever asked
for it: nothing is relayed, and no port is open."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Mapping

from children import Child, end, spawn
from desktop import Desktop
from journal import Journal
from loop import Flag, On, sleep, start, wait
from wire import Connection, Refused, Request

_END_S = 3.0
_STALE = ("SingletonLock", "SingletonCookie", "SingletonSocket", "DevToolsActivePort")


class BrowserSlot:
    """At most one browser: a second call ends the first and takes its place."""

    def __init__(self, folder: str, home: str, env: Mapping[str, str], desktop: Desktop) -> None:
        self._journal, self._home, self._env = Journal(folder), home, env
        self._desktop = desktop
        self._child: Child | None = None
        self._turn = Flag()
        self._turn.raise_()

    @property
    def running(self) -> bool:
        return self._child is not None and not self._child.exited.up

    async def start(self, caller: Connection, request: Request) -> None:
        """Start `argv` on the screen. After the answer the connection is the browser's; it ends
        with the browser, and the browser with it."""
        argv = request.texts("argv")
        profile = request.text("profile")
        if not argv or not profile:
            raise Refused("'argv' and 'profile' are needed")
        while not self._turn.up:  # one start after the other
            await wait(self._turn)
        self._turn.lower()
        try:
            await self._start(caller, argv, os.path.join(self._home, profile), request)
        finally:
            self._turn.raise_()

    async def _start(
        self, caller: Connection, argv: list[str], profile: str, request: Request
    ) -> None:
        await self.stop()
        env = {**self._env, **request.pairs("env")}
        if not request.flag("headless"):
            await self._desktop.ensure()
            env["DISPLAY"] = self._desktop.env["DISPLAY"]
        await _clear(profile)
        sock = caller.sock.dup()
        with self._journal.open("chromium.log") as log, open(os.devnull, "rb") as nothing:
            # Chromium reads and writes the pipe in threads that wait.
            os.set_blocking(sock.fileno(), True)
            fds = {0: nothing.fileno(), 1: log, 2: log, 3: sock.fileno(), 4: sock.fileno()}
            try:
                child = spawn(argv, env, self._home, fds)
            except Refused:
                os.set_blocking(sock.fileno(), False)
                sock.close()
                raise
        self._child = child
        caller.given_away = True
        try:
            await caller.answer({"started": child.pid})
        finally:  # a caller that has gone meanwhile takes the browser along
            start(_join(child, sock))

    async def stop(self) -> None:
        """End the browser, with time to write its profile."""
        if self._child is not None:
            child, self._child = self._child, None
            if not child.exited.up:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGTERM)  # its own children are its own business
                await wait(child.exited, until=time.monotonic() + _END_S)
            await end(child, grace_s=0.2)


async def _clear(profile: str) -> None:
    """End a browser that somebody else started on this profile (ours would hand its work to that
    one and leave), and remove what dead ones left."""
    lock = os.path.join(profile, _STALE[0])
    for number in (signal.SIGTERM, signal.SIGKILL):
        until = time.monotonic() + _END_S
        while (owner := _owner(lock)) and time.monotonic() < until:
            with contextlib.suppress(OSError):
                os.kill(owner, number)
            await sleep(0.05)
    for name in _STALE:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(os.path.join(profile, name))


def _owner(lock: str) -> int:
    """The process that a profile's lock names, if it is a Chromium that runs; or 0."""
    with contextlib.suppress(OSError, ValueError):
        host, _, pid = os.readlink(lock).rpartition("-")
        if host == socket.gethostname():
            with open(f"/proc/{int(pid)}/stat", "rb") as stat:
                name, _, rest = stat.read().rpartition(b")")
            if b"chrom" in name and rest.split()[0] != b"Z":
                return int(pid)
    return 0


async def _join(child: Child, sock: socket.socket) -> None:
    """When the browser or the connection ends, the other does."""
    try:
        await wait(child.exited, On(sock.fileno(), select.EPOLLRDHUP))
        if not child.exited.up:
            await wait(child.exited, until=time.monotonic() + _END_S)
        await end(child, grace_s=0.2)
    finally:
        # Others of its processes may hold the socket: the caller must hear the end all the same.
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()
