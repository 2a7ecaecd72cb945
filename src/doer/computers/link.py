"""The way to the daemon inside a computer: one connection a call.

Frames: u32 big-endian length of the payload, u8 kind, payload. Kind 0 is JSON, 1 bytes of input and
of standard output, 2 bytes of standard error. A call opens with a JSON object that names its `op`;
its last frame is a JSON object. What comes from inside is the agent's to forge: it is decoded into
records, bounded, and never followed.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec

from doer.errors import ComputerError, ToolError, boundary
from doer.records.computer import Service

JSON, OUT, ERR = 0, 1, 2
MAX_FRAME = 1 << 20
MAX_ERROR = 2000  # characters
MAX_PROCESSES = 1 << 16
_HEAD = struct.Struct(">IB")

Dial = Callable[[Service], Awaitable[socket.socket]]
"""A connected, non-blocking socket to a service inside; `partial(backend.dial, name)`."""

Fields = Mapping[str, Any]
T = TypeVar("T")


class _Ended(msgspec.Struct):
    """How a call that could not be done ends."""

    error: str = ""
    broken: bool = False


class Pong(msgspec.Struct, frozen=True, kw_only=True):
    """The daemon's sign of life. `boot`: its own since it was started. `browser`: whether one
    runs."""

    boot: str = ""
    uptime_s: float
    load: tuple[float, float, float]
    pids: int
    browser: bool = False


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """The screen that stands now. `restarts`: how often a part of it had to be started again."""

    display: str
    width: int
    height: int
    restarts: int = 0


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One process inside. `memory_mb` is its proportional share (PSS), or its whole resident size
    where the system does not tell. `cpu_s`: processor time since its start."""

    pid: int
    parent: int
    name: str
    command: str
    state: str
    cpu_s: float
    memory_mb: float


class Call:
    """One call on its own connection."""

    def __init__(self, op: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._op, self._reader, self._writer = op, reader, writer

    def send(self, kind: int, data: bytes) -> None:
        """Queue bytes, in as many frames as they need; an empty frame for none."""
        for at in range(0, len(data) or 1, MAX_FRAME):
            load = data[at : at + MAX_FRAME]
            self._writer.write(_HEAD.pack(len(load), kind) + load)

    async def drain(self) -> None:
        """Wait until the daemon has taken most of what is queued."""
        try:
            await self._writer.drain()
        except ConnectionError:
            raise self._gone() from None

    async def receive(self) -> tuple[int, bytes]:
        """The next frame. Raises `ComputerError` when there is none."""
        try:
            length, kind = _HEAD.unpack(await self._reader.readexactly(_HEAD.size))
            if length > MAX_FRAME:
                raise self._gone()
            return kind, await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise self._gone() from None

    async def answer(self, of: type[T]) -> T:
        """The next frame, which must be JSON. Raises `ToolError` when the daemon refuses."""
        kind, payload = await self.receive()
        if kind != JSON:
            raise ComputerError(f"{self._op}: the computer's daemon answers out of turn")
        return self.decode(payload, of)

    def decode(self, payload: bytes, of: type[T]) -> T:
        """A JSON frame as a record. Raises `ToolError` when it is a refusal."""
        try:
            return _decoded(payload, of)
        except msgspec.DecodeError as error:
            raise ComputerError(
                f"{self._op}: the computer's daemon answers oddly: {error}"
            ) from None

    def _gone(self) -> ComputerError:
        return ComputerError(f"{self._op}: the computer's daemon has gone away")


class Link:
    """Calls to one computer's daemon.

    Every method raises `ComputerError` when the daemon is dead or late and `ToolError` when it
    refuses. A cancelled call closes its connection, which ends what it ran.
    """

    def __init__(self, dial: Dial) -> None:
        self._dial = dial

    @asynccontextmanager
    async def call(
        self, op: str, fields: Fields | None = None, timeout_s: float = 10.0
    ) -> AsyncGenerator[Call]:
        """Open a call; all of it must be over within `timeout_s`."""
        late = f"{op}: the computer's daemon did not answer in {timeout_s:g} s"
        try:
            async with asyncio.timeout(timeout_s):
                sock = await self._request(op, fields or {})
                reader, writer = await _streams(sock)
                try:
                    yield Call(op, reader, writer)
                finally:
                    writer.transport.abort()
        except TimeoutError:
            raise ComputerError(late) from None

    async def ask(
        self, op: str, fields: Fields | None = None, *, of: type[T], timeout_s: float = 10.0
    ) -> T:
        """A call that is one request and one answer."""
        async with self.call(op, fields, timeout_s) as call:
            return await call.answer(of)

    async def ping(self, timeout_s: float = 2.0) -> Pong:
        return await self.ask("ping", of=Pong, timeout_s=timeout_s)

    async def screen(self, width: int, height: int) -> Screen:
        """See to it that there is a screen. One that stands keeps its size."""
        fields = {"width": width, "height": height}
        return await self.ask("screen", fields, of=Screen, timeout_s=30)

    async def browser(
        self,
        argv: Sequence[str],
        profile: str,
        env: Mapping[str, str] | None = None,
        headless: bool = False,
    ) -> tuple[int, socket.socket]:
        """Start the browser, ending the one before. Its process id, and its debugging pipe: a
        non-blocking socket that is the caller's to close, which ends the browser.

        `profile`: its folder inside, cleared of stale locks. Without `headless` it gets the screen.
        """
        fields = {
            "argv": list(argv),
            "profile": profile,
            "env": dict(env or {}),
            "headless": headless,
        }
        try:
            async with asyncio.timeout(40):
                sock = await self._request("browser", fields)
                try:
                    return await _started(sock), sock
                except BaseException:
                    sock.close()
                    raise
        except TimeoutError:
            raise ComputerError("the browser was not started in 40 s") from None

    async def open(self, app: str = "", argv: Sequence[str] = (), args: Sequence[str] = ()) -> int:
        """Start a program with a window of its own, which stays: an `app` (`terminal`, `files` or
        `office`) with `args`, or any `argv`. Its process id."""
        fields: dict[str, Any] = {"app": app, "args": list(args)} if app else {"argv": list(argv)}
        return (await self.ask("open", fields, of=_Opened, timeout_s=40)).pid

    async def processes(self) -> tuple[Process, ...]:
        """What runs inside, by process id."""
        found: list[Process] = []
        async with self.call("processes", timeout_s=30) as call:
            while not (part := await call.answer(_Processes)).complete:
                found += part.processes
                if len(found) > MAX_PROCESSES:
                    raise ComputerError("processes: the computer's daemon tells too much")
        return tuple(found)

    async def stop(self) -> None:
        """End the browser properly, then the daemon."""
        await self.ask("stop", of=_Stopped, timeout_s=15)

    async def _request(self, op: str, fields: Fields) -> socket.socket:
        """A connection on which the request is sent."""
        with boundary(ComputerError, "the computer's daemon cannot be reached"):
            sock = await self._dial("daemon")
        try:
            payload = msgspec.json.encode({"op": op, **fields})
            if len(payload) > MAX_FRAME:
                raise ToolError(f"{op}: the request has {len(payload)} bytes; {MAX_FRAME} at most")
            frame = _HEAD.pack(len(payload), JSON) + payload
            with boundary(ComputerError, f"{op}: the computer's daemon has gone away"):
                await asyncio.get_running_loop().sock_sendall(sock, frame)
        except BaseException:
            sock.close()
            raise
        return sock


def _decoded(payload: bytes, of: type[T]) -> T:
    """Raises what a refusal says, shortened, and `msgspec.DecodeError`."""
    ended = msgspec.json.decode(payload, type=_Ended)
    if ended.error:
        raise (ComputerError if ended.broken else ToolError)(ended.error[:MAX_ERROR])
    return msgspec.json.decode(payload, type=of)


class _Opened(msgspec.Struct):
    pid: int


class _Processes(msgspec.Struct):
    processes: tuple[Process, ...] = ()
    complete: bool = False


class _Started(msgspec.Struct):
    started: int


class _Stopped(msgspec.Struct):
    stopped: bool


async def _streams(sock: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        return await asyncio.open_unix_connection(sock=sock, limit=MAX_FRAME)
    except BaseException:
        sock.close()
        raise


async def _started(sock: socket.socket) -> int:
    """Read the one frame before the socket is the browser's, and not a byte more."""
    loop = asyncio.get_running_loop()

    async def exactly(size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = await loop.sock_recv(sock, size - len(data))
            if not more:
                raise ComputerError("browser: the computer's daemon has gone away")
            data += more
        return data

    with boundary(ComputerError, "browser: the computer's daemon has gone away"):
        length, _ = _HEAD.unpack(await exactly(_HEAD.size))
        if length > MAX_FRAME:
            raise ComputerError("browser: the computer's daemon answers oddly")
        return _decoded(await exactly(length), _Started).started
