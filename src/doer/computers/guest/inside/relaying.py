"""For a network in which no listener of the host can be planted: 127.0.0.1:3128 is ours,
and what comes there is copied to and from the unix socket that the proxy listens at."""

from __future__ import annotations

import contextlib
import socket
import time

from loop import Flag, readable, sleep, start, wait, writable

PORT = 3128
MAX_CONNECTIONS = 256
_CHUNK = 1 << 16
_CONNECT_S, _RETRY_S = 10.0, 0.01


async def relay(path: str) -> None:
    """Copy for ever. Raises `OSError` when the port is taken."""
    listener = socket.socket(socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", PORT))
    listener.listen(128)
    listener.setblocking(False)
    room = _Room()
    while True:
        await wait(room.free)
        await wait(readable(listener.fileno()))
        try:
            caller, _ = listener.accept()
        except OSError:
            continue
        start(_copy(caller, path, room))


class _Room:
    def __init__(self) -> None:
        self.free = Flag()
        self.free.raise_()
        self._taken = 0

    def take(self) -> None:
        self._taken += 1
        if self._taken >= MAX_CONNECTIONS:
            self.free.lower()

    def leave(self) -> None:
        self._taken -= 1
        self.free.raise_()


async def _copy(caller: socket.socket, path: str, room: _Room) -> None:
    room.take()
    proxy = socket.socket(socket.AF_UNIX)
    try:
        for one in (caller, proxy):
            one.setblocking(False)
        if await _connect(proxy, path):
            ended = Flag()
            start(_back(proxy, caller, ended))
            await _pump(caller, proxy)
            await wait(ended)
    finally:
        caller.close()
        proxy.close()
        room.leave()


async def _back(proxy: socket.socket, caller: socket.socket, ended: Flag) -> None:
    try:
        await _pump(proxy, caller)
    finally:
        ended.raise_()


async def _connect(proxy: socket.socket, path: str) -> bool:
    """False when nobody listens there: the proxy has gone, and the caller is let go."""
    until = time.monotonic() + _CONNECT_S
    while time.monotonic() < until:
        try:
            proxy.connect(path)
            return True
        except BlockingIOError:  # its queue is full, which nothing tells the end of
            await sleep(_RETRY_S)
        except OSError:
            return False
    return False


async def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Copy until the source ends; then the sink is told. A break ends both ways."""
    try:
        while True:
            await wait(readable(source.fileno()))
            with contextlib.suppress(BlockingIOError):
                data = source.recv(_CHUNK)
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                await _send(sink, data)
    except OSError:
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


async def _send(sink: socket.socket, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[sink.send(rest) :]
        except BlockingIOError:
            await wait(writable(sink.fileno()))
