"""The Chrome DevTools Protocol over two pipes or a socket: JSON messages, each ended by a NUL.

Commands are pipelined: `send` returns a future at once, and everything sent within one turn of the
event loop leaves in one write. Spec: https://chromedevtools.github.io/devtools-protocol/
"""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any, Self

import msgspec

from doer.errors import ComputerError

CLOSED = "the browser has gone away"

Command = tuple[str, dict[str, Any]]
"""A method and its params."""

Handler = Callable[[str, msgspec.Raw], None]
"""Takes an event's method and its undecoded params. Called in order of arrival; must not block."""


class CdpError(Exception):
    """Chromium refused a command; the connection is fine."""


class _Refusal(msgspec.Struct):
    message: str


class _Message(msgspec.Struct, rename="camel"):
    """An answer (with `id`) or an event (with `method`)."""

    id: int = 0
    method: str = ""
    session_id: str = ""
    result: msgspec.Raw = msgspec.Raw(b"{}")
    params: msgspec.Raw = msgspec.Raw(b"{}")
    error: _Refusal | None = None


class Connection(asyncio.Protocol):
    """The line to one Chromium. Answers are futures of undecoded JSON: their reader knows the type.

    When it closes every pending and every later command fails with `ComputerError`.
    """

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(_Message).decode
        self._encode = msgspec.json.Encoder().encode
        self._pending: dict[int, tuple[asyncio.Future[msgspec.Raw], str]] = {}
        self._handlers: dict[str, Handler] = {}
        self._incoming = bytearray()
        self._outgoing: list[bytes] = []
        self._last_id = 0
        self._reader: asyncio.ReadTransport | None = None
        self._writer: asyncio.WriteTransport | None = None
        self._ended = False

    @classmethod
    async def open(cls, read_fd: int, write_fd: int) -> Self:
        """Take over both descriptors; they are closed with the connection."""
        loop = asyncio.get_running_loop()
        self = cls()
        incoming, outgoing = os.fdopen(read_fd, "rb", 0), os.fdopen(write_fd, "wb", 0)
        try:
            self._reader, _ = await loop.connect_read_pipe(lambda: self, incoming)
            self._writer, _ = await loop.connect_write_pipe(lambda: self, outgoing)
        except BaseException:
            self.close()
            incoming.close()
            outgoing.close()
            raise
        return self

    @classmethod
    async def open_socket(cls, sock: socket.socket) -> Self:
        """Take over a connected stream socket that carries both directions."""
        loop = asyncio.get_running_loop()
        self = cls()
        sock.setblocking(False)
        try:
            transport, _ = await loop.create_connection(lambda: self, sock=sock)
        except BaseException:
            sock.close()
            raise
        self._reader = self._writer = transport
        return self

    @property
    def alive(self) -> bool:
        return not self._ended

    def close(self) -> None:
        self.connection_lost(None)

    def listen(self, session: str, handler: Handler) -> None:
        """Send the events of one target's session to `handler`."""
        self._handlers[session] = handler

    def drop(self, session: str, why: str) -> None:
        """Fail what is pending in one session, and hear no more of it."""
        self._handlers.pop(session, None)
        self.fail(session, ComputerError(why))

    def fail(self, session: str, error: Exception) -> None:
        """Fail what is pending in one session. Answers that come all the same are not looked at."""
        for id, (future, of) in list(self._pending.items()):
            if of == session:
                del self._pending[id]
                _fail(future, error)

    def send(
        self, method: str, params: dict[str, Any] | None = None, session: str = ""
    ) -> asyncio.Future[msgspec.Raw]:
        """Queue a command. The future raises `CdpError` or `ComputerError`."""
        future: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        if self._ended:
            _fail(future, ComputerError(CLOSED))
            return future
        self._last_id += 1
        command: dict[str, Any] = {"id": self._last_id, "method": method, "params": params or {}}
        if session:
            command["sessionId"] = session
        self._pending[self._last_id] = future, session
        if not self._outgoing:
            future.get_loop().call_soon(self._flush)
        self._outgoing.append(self._encode(command))
        return future

    async def call(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        session: str = "",
        timeout_s: float = 10.0,
    ) -> dict[str, Any]:
        """Send, wait and decode. Raises `CdpError`, or `ComputerError` past the deadline."""
        try:
            async with asyncio.timeout(timeout_s):
                return msgspec.json.decode(await self.send(method, params, session))
        except TimeoutError:
            raise ComputerError(f"{method}: no answer in {timeout_s:g} s") from None

    def _flush(self) -> None:
        if self._writer is not None and not self._ended:
            self._writer.write(b"\0".join(self._outgoing) + b"\0")
        self._outgoing.clear()

    def data_received(self, data: bytes) -> None:
        end = data.rfind(b"\0")
        if end < 0:
            self._incoming += data
            return
        whole = bytes(self._incoming) + data[:end] if self._incoming else data[:end]
        self._incoming = bytearray(data[end + 1 :])
        for message in whole.split(b"\0"):
            self._receive(self._decode(message))

    def _receive(self, message: _Message) -> None:
        if not message.id:
            if handler := self._handlers.get(message.session_id):
                handler(message.method, message.params)
            return
        future, _ = self._pending.pop(message.id, (None, ""))
        if future is None or future.done():
            return  # its caller was cancelled
        if message.error is None:
            future.set_result(message.result)
        else:
            _fail(future, CdpError(message.error.message))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._ended:
            return
        self._ended = True
        if self._reader is not None:
            self._reader.close()
        if self._writer is not None:
            self._writer.abort()  # what is still to be sent interests nobody
        pending, self._pending = self._pending, {}
        for future, _ in pending.values():
            _fail(future, ComputerError(CLOSED))
        for handler in list(self._handlers.values()):
            handler("Inspector.detached", msgspec.Raw(b"{}"))
        self._handlers.clear()


def _fail(future: asyncio.Future[msgspec.Raw], error: Exception) -> None:
    """Fail a future that perhaps nobody waits for any more."""
    if not future.done():
        future.set_exception(error)
        future.exception()  # marks it as seen: asyncio need not complain
