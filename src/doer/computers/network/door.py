"""One computer's listening socket. Who calls is told by the socket that was called."""

import asyncio
import contextlib
import errno
import logging
import socket

from doer.computers.network import http, socks
from doer.computers.network.gate import Gate
from doer.computers.network.streams import SocketStream
from doer.errors import ComputerError, boundary

MAX_CONNECTIONS = 128
_LINGER_S, _LINGER_BYTES = 2, 256 * 1024

_PASSING = (errno.ECONNABORTED, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_BREATH_S = 0.1

_log = logging.getLogger(__name__)


class Door:
    """Accepts at most `most` connections at once; more wait in the kernel, at no cost to others."""

    def __init__(self, gate: Gate, listener: socket.socket, most: int = MAX_CONNECTIONS) -> None:
        """Takes the listener over."""
        listener.setblocking(False)
        self.gate = gate
        self._listener = listener
        self._free = asyncio.Semaphore(most)
        self._talks: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        return len(self._talks)

    async def serve(self) -> None:
        """Until cancelled, or the listener fails; then all connections are closed."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self.gate.turn()
                await self._free.acquire()
                try:
                    sock, _ = await loop.sock_accept(self._listener)
                except OSError as error:
                    self._free.release()
                    if error.errno not in _PASSING:
                        raise
                    await asyncio.sleep(_BREATH_S)
                    continue
                talk = asyncio.create_task(self._talk(sock))
                self._talks.add(talk)
                talk.add_done_callback(self._ended)
        finally:
            self._listener.close()
            talks = list(self._talks)
            for talk in talks:
                talk.cancel()
            await asyncio.gather(*talks, return_exceptions=True)
            self.close()

    def close(self) -> None:
        """Let go of the socket and the rest; also when `serve` was cancelled before it began."""
        self._listener.close()
        self.gate.close()

    def _ended(self, talk: asyncio.Task[None]) -> None:
        self._talks.discard(talk)
        self._free.release()

    async def _talk(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = SocketStream(sock, self.gate.meter, self.gate.deadlines.stall_s)
        try:
            with (
                boundary(ComputerError, f"proxy of {self.gate.name}"),
                contextlib.suppress(OSError, TimeoutError),
            ):
                await self._serve(wire)
                await _linger(wire)
        except ComputerError as fault:
            _log.error("%s", fault)
        finally:
            wire.close()

    async def _serve(self, wire: SocketStream) -> None:
        async with asyncio.timeout(self.gate.deadlines.ask_s):
            first = await wire.read()
        if not first:
            return
        wire.unread(first)
        if first[0] == socks.VERSION:
            await socks.serve(self.gate, wire)
        else:
            await http.Http(self.gate, wire, wire).serve()


async def _linger(wire: SocketStream) -> None:
    """Say that this is the end, and let the caller read it: closing with something unread would
    throw away what was written last."""
    await wire.end()
    left = _LINGER_BYTES
    async with asyncio.timeout(_LINGER_S):
        while left > 0 and (data := await wire.read()):
            left -= len(data)
