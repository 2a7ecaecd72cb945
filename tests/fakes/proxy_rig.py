"""A door of the network proxy in this process, a small web server behind it, and bare clients."""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from doer.computers.network.door import MAX_CONNECTIONS, Door
from doer.computers.network.gate import Deadlines, Gate
from doer.computers.network.log import Line, NetworkLog, recent
from doer.records.computer import NetworkRules

PATIENCE_S = 20
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], object]


class WatchedLog(NetworkLog):
    """Tells when a line has been written."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.written = asyncio.Event()

    def write(self, line: Line) -> None:
        super().write(line)
        self.written.set()


class Rig:
    """One computer's door: `port` is where its clients connect."""

    def __init__(self, door: Door, port: int, folder: Path) -> None:
        self.door = door
        self.gate = door.gate
        self.port = port
        self.folder = folder
        self._log = door.gate.log = WatchedLog(folder)

    async def connect(self) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, raw: bytes) -> bytes:
        """Send bytes on a new connection; all that comes back until it is closed."""
        reader, writer = await self.connect()
        try:
            writer.write(raw)
            async with asyncio.timeout(PATIENCE_S):
                return await reader.read()
        finally:
            writer.close()

    async def tunnel(self, host: str, port: int) -> Streams:
        """A CONNECT that is granted."""
        reader, writer = await self.connect()
        writer.write(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = await reply(reader)
        assert head.startswith(b"HTTP/1.1 200"), head
        return reader, writer

    async def socks(self, request: bytes) -> tuple[int, Streams]:
        """A SOCKS5 request after the greeting: the reply's code, and the connection."""
        reader, writer = await self.connect()
        async with asyncio.timeout(PATIENCE_S):
            writer.write(b"\x05\x02\x00\x01")
            assert await reader.readexactly(2) == b"\x05\x00"
            writer.write(request)
            return (await reader.readexactly(10))[1], (reader, writer)

    async def lines(self, count: int) -> tuple[Line, ...]:
        """The log, once it has so many lines."""
        async with asyncio.timeout(PATIENCE_S):
            while len(found := recent(self.folder, 1000)) < count:
                self._log.written.clear()
                await self._log.written.wait()
        return found


class Server:
    """Keeps the raw requests it got; answers `200` with the request's path, or as told."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.bodies: list[bytes] = []
        self.answers: dict[str, bytes] = {}
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await self._head(reader):
                self.requests.append(head)
                self.bodies.append(await body(reader, head))
                path = head.split(b" ")[1].decode()
                answer = self.answers.get(path, page(path))
                writer.write(answer)
                if b"101 Switching" in answer:
                    while data := await reader.read(100):
                        writer.write(data.upper())
                    return
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def _head(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""


def page(text: str, more: str = "") -> bytes:
    body = text.encode()
    return f"HTTP/1.1 200 OK\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def reply(reader: asyncio.StreamReader) -> bytes:
    """One answer, its head and its body."""
    async with asyncio.timeout(PATIENCE_S):
        head = await reader.readuntil(b"\r\n\r\n")
        return head + await body(reader, head)


async def body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return await reader.readexactly(int(value))
        if name == b"transfer-encoding":
            whole = b""
            while size := int(await reader.readline(), 16):
                whole += await reader.readexactly(size)
                await reader.readexactly(2)
            await reader.readuntil(b"\r\n")
            return whole
    return b""


def socks_to(host: str, port: int, command: int = 1) -> bytes:
    name = host.encode()
    return bytes((5, command, 0, 3, len(name))) + name + port.to_bytes(2)


def trusting(certificate: Path) -> ssl.SSLContext:
    """A client's side of TLS that trusts one authority only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificate)
    return context


def careless() -> ssl.SSLContext:
    """A client's side of TLS that trusts everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncGenerator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


@asynccontextmanager
async def door(
    folder: Path,
    rules: NetworkRules,
    *,
    deadlines: Deadlines | None = None,
    trust: ssl.SSLContext | None = None,
    most: int = MAX_CONNECTIONS,
) -> AsyncGenerator[Rig]:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    gate = Gate(
        "c1", folder, rules, trust or ssl.create_default_context(), deadlines or Deadlines()
    )
    opened = Door(gate, listener, most)
    serving = asyncio.create_task(opened.serve())
    try:
        yield Rig(opened, port, folder)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        opened.close()
