"""What the proxy is told: one message and one answer a connection, over a unix socket of the node.

Frames are a length (u32, big-endian) and JSON. The listening socket of a registration travels
beside its first byte (SCM_RIGHTS).
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from doer.records.computer import NetworkRules

SOCKET, OUTPUT = "control.sock", "node.log"
MAX_MESSAGE = 16 * 1024 * 1024


class Register(msgspec.Struct, frozen=True, tag=True):
    """`pid`: the registration ends when this process does; 0 for none."""

    name: str
    folder: str
    rules: NetworkRules
    pid: int = 0


class Update(msgspec.Struct, frozen=True, tag=True):
    name: str
    rules: NetworkRules


class Unregister(msgspec.Struct, frozen=True, tag=True):
    name: str


class AskStats(msgspec.Struct, frozen=True, tag=True):
    name: str


class Ping(msgspec.Struct, frozen=True, tag=True):
    pass


class Hold(msgspec.Struct, frozen=True, tag=True):
    """Answered like `Ping`; then the connection stays open as long as the proxy lives."""


Order = Register | Update | Unregister | AskStats | Ping | Hold


class ProxyStats(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes since the registration's folder first saw a proxy; connections now. `log_lost`: lines
    that could not be written."""

    up: int = 0
    down: int = 0
    connections: int = 0
    log_lost: int = 0


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """`error` says what is wrong; then nothing was done."""

    error: str = ""
    pid: int = 0
    names: tuple[str, ...] = ()
    stats: ProxyStats = ProxyStats()


def frame(message: Order | Reply) -> bytes:
    content = msgspec.json.encode(message)
    return len(content).to_bytes(4) + content


async def send(sock: socket.socket, message: Order | Reply, descriptor: int = -1) -> None:
    data = frame(message)
    if descriptor >= 0:
        socket.send_fds(sock, [data[:1]], [descriptor])
        data = data[1:]
    await asyncio.get_running_loop().sock_sendall(sock, data)


async def receive(sock: socket.socket) -> tuple[bytes, list[int]]:
    """A message's JSON and the descriptors that came with it, which are the caller's to close.
    Raises `OSError` when the other side closes before its end."""
    descriptors: list[int] = []
    try:
        size = int.from_bytes(await _exactly(sock, 4, descriptors))
        if size > MAX_MESSAGE:
            raise ConnectionError("a message of more than 16 MiB")
        return await _exactly(sock, size, descriptors), descriptors
    except BaseException:
        for one in descriptors:
            os.close(one)
        raise


async def _exactly(sock: socket.socket, size: int, descriptors: list[int]) -> bytes:
    taken = bytearray()
    while len(taken) < size:
        await readable(sock)
        with contextlib.suppress(BlockingIOError):
            data, received, _, _ = socket.recv_fds(sock, size - len(taken), 4)
            descriptors += received
            if not data:
                raise ConnectionResetError("closed")
            taken += data
    return bytes(taken)


async def readable(sock: socket.socket | int) -> None:
    """Wait until a read would not wait."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sock, lambda: found.done() or found.set_result(None))
    try:
        await found
    finally:
        loop.remove_reader(sock)


@contextmanager
def short_path(path: Path) -> Generator[str]:
    """A spelling of a unix socket's path that is short enough for the kernel (107 bytes)."""
    if len(os.fsencode(path)) <= 100:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
