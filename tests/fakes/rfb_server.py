"""A server of RFB that says what a test tells it to, for what a real one does rarely or never."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable

GREETING = b"RFB 003.008\n" + b"\1\1" + bytes(4)
PIXEL_FORMAT = bytes(16)


def rect(x: int, y: int, width: int, height: int, encoding: int, body: bytes = b"") -> bytes:
    return struct.pack(">HHHHi", x, y, width, height, encoding) + body


def update(*rects: bytes) -> bytes:
    return struct.pack(">BxH", 0, len(rects)) + b"".join(rects)


class RfbServer:
    """One connection's end: `say` bytes, `hear` the client's."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def say(self, data: bytes) -> None:
        self._writer.write(data)

    async def hear(self, start: bytes, length: int) -> bytes:
        """Wait for a message that starts so, skipping the greeting and set-up before it."""
        while True:
            kind = (await self._reader.readexactly(1))[0]
            rest = {0: 19, 3: 9, 4: 7, 5: 5, 248: 8}.get(kind, 3)
            body = await self._reader.readexactly(rest)
            if kind == 2:
                await self._reader.readexactly(4 * struct.unpack(">xH", body)[0])
            if kind == 248:
                body += await self._reader.readexactly(body[7])
            if bytes([kind]).startswith(start[:1]):
                return (bytes([kind]) + body)[:length]

    async def greeted(self) -> None:
        """Wait until the client has come through the handshake."""
        await self._reader.readexactly(12 + 1 + 1)

    async def everything(self) -> bytes:
        """All that the client sent until it hung up."""
        return await self._reader.read()

    def hang_up(self) -> None:
        self._writer.transport.abort()


Dial = Callable[[], Awaitable[socket.socket]]


@contextlib.asynccontextmanager
async def rfb_server(hello: bytes) -> AsyncGenerator[tuple[RfbServer, Dial]]:
    """A server that says hello at once, and how to dial it (once)."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    server = RfbServer(*await asyncio.open_connection(sock=ours))
    server.say(hello)

    async def dial() -> socket.socket:
        return theirs

    try:
        yield server, dial
    finally:
        server.hang_up()
        theirs.close()


def hello(width: int, height: int, first: bytes | None = None) -> bytes:
    """Greeting, size and a first picture: black, or the pixels given."""
    init = struct.pack(">HH", width, height) + PIXEL_FORMAT + struct.pack(">I", 4) + b"test"
    pixels = bytes(width * height * 4) if first is None else first
    return GREETING + init + update(rect(0, 0, width, height, 0, pixels))
