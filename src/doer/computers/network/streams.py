"""Byte streams over non-blocking sockets, with TLS on either side, each wait under a deadline.

Sockets are used bare: nothing is buffered that the other side has not asked for, so a slow reader
slows its writer, and bytes looked at can be put back (asyncio's transports cannot do that for TLS).
"""

import asyncio
import contextlib
import socket
import ssl
import struct
from typing import Protocol

from doer.computers.network.meter import Meter

CHUNK = 64 * 1024


class Stream(Protocol):
    async def read(self) -> bytes:
        """What there is, at most 64 KiB; b"" at the end. Raises `OSError`."""
        ...

    async def write(self, data: bytes) -> None: ...

    async def end(self) -> None:
        """Say that nothing more is written; reading goes on."""
        ...

    def close(self) -> None: ...


class SocketStream:
    """A connected socket. With a meter, what is read counts as up and what is written as down.

    `up` and `down` are this stream's own bytes. While `limited`, a meter that is full ends it with
    `Refusal`; requests and refusals are not, so that the caller can be told. A write that moves
    nothing for `stall_s` fails."""

    def __init__(
        self, sock: socket.socket, meter: Meter | None = None, stall_s: float = 60
    ) -> None:
        self.sock = sock
        self._meter = meter
        self._stall_s = stall_s
        self._again = b""
        self.limited = False
        self.up = 0
        self.down = 0

    async def read(self) -> bytes:
        if self._again:
            data, self._again = self._again, b""
            self.up += len(data)
            return data
        size = self._meter.chunk(CHUNK) if self._meter else CHUNK
        data = await asyncio.get_running_loop().sock_recv(self.sock, size)
        self.up += len(data)
        if self._meter:
            await self._meter.count(up=len(data))
            if self.limited:
                self._meter.check()
        return data

    def unread(self, data: bytes) -> None:
        """Let the next read give these bytes, which came first."""
        self.up -= len(data)
        self._again = data + self._again

    async def write(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        size = self._meter.chunk(CHUNK) if self._meter else CHUNK
        for at in range(0, len(data), size):
            part = data[at : at + size]
            if self._meter:
                if self.limited:
                    self._meter.check()
                await self._meter.count(down=len(part))
            self.down += len(part)
            async with asyncio.timeout(self._stall_s):
                await loop.sock_sendall(self.sock, part)

    async def end(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.sock.close()

    def stale(self) -> bool:
        """Whether the other side has closed, or spoken out of turn."""
        return self._waiting() is not None

    async def gone(self) -> None:
        """Wait until the other side has closed, without taking what it sends. Once it has sent
        something there is no telling, and this waits for ever."""
        await self.readable()
        if self._again or self._waiting():
            await asyncio.get_running_loop().create_future()

    async def readable(self) -> None:
        """Wait until a read would not wait. Takes nothing, so it may be cancelled."""
        if self._again:
            return
        loop = asyncio.get_running_loop()
        found: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self.sock, lambda: found.done() or found.set_result(None))
        try:
            await found
        finally:
            loop.remove_reader(self.sock)

    def abort(self) -> None:
        """Close so that the other side sees a failure and not an end."""
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _waiting(self) -> bytes | None:
        """A first byte of what waits to be read; b"" at the end, None while there is nothing."""
        try:
            return self.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            return b""


class TlsStream:
    """TLS over another stream. Call `handshake` first."""

    def __init__(
        self,
        under: Stream,
        context: ssl.SSLContext,
        *,
        server_side: bool = False,
        host: str | None = None,
    ) -> None:
        self._under = under
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=host
        )
        self._flushing = asyncio.Lock()

    async def handshake(self) -> None:
        """Raises `ssl.SSLError` or `OSError`."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._feed()
            except ssl.SSLError:
                with contextlib.suppress(OSError):
                    await self._flush()  # the alert, which says to the other side what is wrong
                raise
            else:
                await self._flush()
                return

    async def read(self) -> bytes:
        while True:
            try:
                data = self._tls.read(CHUNK)
            except ssl.SSLWantReadError:
                await self._flush()
                await self._feed()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            else:
                return data

    async def write(self, data: bytes) -> None:
        for at in range(0, len(data), CHUNK):
            self._tls.write(data[at : at + CHUNK])
            await self._flush()

    async def end(self) -> None:
        with contextlib.suppress(ssl.SSLError, OSError):
            self._tls.unwrap()
        with contextlib.suppress(OSError):
            await self._flush()
        await self._under.end()

    def close(self) -> None:
        self._under.close()

    async def _feed(self) -> None:
        data = await self._under.read()
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def _flush(self) -> None:
        async with self._flushing:  # two tasks may write, and their records must not mix
            data = self._outgoing.read()
            if data:
                await self._under.write(data)


async def relay(one: Stream, other: Stream, idle_s: float, half_open_s: float) -> None:
    """Copy both ways until both have ended, either fails, or nothing moved for `idle_s`
    (`half_open_s` once one side has ended). Raises `TimeoutError` and `OSError` of either."""
    loop = asyncio.get_running_loop()
    patience = idle_s

    async with asyncio.timeout(idle_s) as limit:

        async def copy(source: Stream, target: Stream) -> None:
            nonlocal patience
            while data := await source.read():
                limit.reschedule(loop.time() + patience)
                await target.write(data)
            patience = half_open_s
            limit.reschedule(loop.time() + patience)
            await target.end()

        first = asyncio.ensure_future(copy(one, other))
        second = asyncio.ensure_future(copy(other, one))
        try:
            await asyncio.gather(first, second)
        finally:
            first.cancel()
            second.cancel()
            await asyncio.gather(first, second, return_exceptions=True)
