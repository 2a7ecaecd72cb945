"""Frames on a connection: u32 big-endian length of the payload, u8 kind, payload."""

from __future__ import annotations

import json
import select
import socket
import struct
import time
from collections.abc import Mapping
from typing import Union

from loop import NEVER, On, readable, wait, writable

JSON, OUT, ERR = 0, 1, 2
MAX_FRAME = 1 << 20
_LINGER_S = 5.0
_HEAD = struct.Struct(">IB")

Json = Union[None, bool, int, float, str, "list[Json]", "dict[str, Json]"]


class Refused(Exception):
    """What was asked for cannot be done as asked; the text says what to do instead."""


class Broken(Exception):
    """A part of the computer did not do its work."""


class Gone(Exception):
    """The caller closed its connection."""


class Request:
    """A request's fields, each checked when it is read. Raises `Refused`."""

    def __init__(self, fields: Mapping[str, Json]) -> None:
        self._fields = fields

    def has(self, name: str) -> bool:
        return self._fields.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        value = self._fields.get(name)
        value = default if value is None else value
        if not isinstance(value, str) or "\0" in value:
            raise Refused(f"{name!r} must be a string without NUL")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        value = self._fields.get(name)
        value = default if value is None else value
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise Refused(f"{name!r} must be a number")
        if not abs(value) < 1 << 62:
            raise Refused(f"{name!r} must be a number of common size")
        return value

    def whole(self, name: str, default: int | None = None, least: int = 0) -> int:
        value = self.number(name, default)
        if value != int(value) or value < least:
            raise Refused(f"{name!r} must be a whole number, {least} or more")
        return int(value)

    def flag(self, name: str) -> bool:
        return self._fields.get(name) is True

    def texts(self, name: str) -> list[str]:
        value = self._fields.get(name)
        if not isinstance(value, list):
            raise Refused(f"{name!r} must be a list of strings")
        texts = [one for one in value if isinstance(one, str) and "\0" not in one]
        if len(texts) != len(value):
            raise Refused(f"{name!r} must hold strings without NUL only")
        return texts

    def pairs(self, name: str) -> dict[str, str]:
        value = self._fields.get(name) or {}
        if not isinstance(value, dict):
            raise Refused(f"{name!r} must be an object of strings")
        for key, text in value.items():
            if not isinstance(text, str) or "\0" in key + text or "=" in key or not key:
                raise Refused(f"{name!r}: {key!r} is no name with a string")
        return {key: text for key, text in value.items() if isinstance(text, str)}


class Connection:
    """One caller. Its socket does not block; waiting is `loop.wait`'s work."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self._incoming = bytearray()
        self._outgoing = bytearray()
        self.given_away = False  # the socket is another program's now

    @property
    def heard(self) -> On:
        """Happens when the caller sends something or goes away."""
        return readable(self.sock.fileno())

    @property
    def left(self) -> On:
        """Happens when the caller goes away, whether or not it is read."""
        return On(self.sock.fileno(), select.EPOLLRDHUP)

    def poll(self) -> tuple[int, bytes] | None:
        """A frame, if one has come whole. Raises `Gone` at the end of the stream."""
        while (frame := self._whole()) is None:
            try:
                data = self.sock.recv(1 << 18)
            except BlockingIOError:
                return None
            except OSError:
                raise Gone from None
            if not data:
                raise Gone
            self._incoming += data
        return frame

    def _whole(self) -> tuple[int, bytes] | None:
        if len(self._incoming) < _HEAD.size:
            return None
        length, kind = _HEAD.unpack_from(self._incoming)
        if length > MAX_FRAME:
            raise Gone  # not our protocol
        end = _HEAD.size + length
        if len(self._incoming) < end:
            return None
        payload = bytes(self._incoming[_HEAD.size : end])
        del self._incoming[:end]
        return kind, payload

    async def receive(self, until: float = NEVER) -> tuple[int, bytes]:
        """The next frame. Raises `Gone`, also at the deadline."""
        while (frame := self.poll()) is None:
            if not await wait(self.heard, until=until):
                raise Gone
        return frame

    async def request(self, until: float) -> Request:
        kind, payload = await self.receive(until)
        try:
            fields: Json = json.loads(payload) if kind == JSON else None
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            raise Refused("a request is one JSON object in a frame of kind 0")
        return Request(fields)

    async def body(self) -> bytes:
        """The payload of the next frame of bytes; empty at their end."""
        kind, payload = await self.receive()
        if kind != OUT:
            raise Refused("bytes were expected: frames of kind 1, an empty one at the end")
        return payload

    def put(self, kind: int, data: bytes) -> None:
        """Send bytes, in as many frames as they need, without waiting. Raises `Gone`."""
        for at in range(0, len(data) or 1, MAX_FRAME):
            load = data[at : at + MAX_FRAME]
            self._outgoing += _HEAD.pack(len(load), kind) + load
        self.flush()

    def flush(self) -> None:
        """Send what the caller takes at once. Raises `Gone`."""
        try:
            while self._outgoing:
                del self._outgoing[: self.sock.send(self._outgoing)]
        except BlockingIOError:
            pass
        except OSError:
            raise Gone from None

    @property
    def full(self) -> list[On]:
        """Happens when the caller takes more; empty when nothing is left to be sent."""
        return [writable(self.sock.fileno())] if self._outgoing else []

    async def send(self, kind: int, data: bytes) -> None:
        """Send bytes and wait until they are on their way. Raises `Gone`."""
        self.put(kind, data)
        while self._outgoing:
            await wait(*self.full)
            self.flush()

    async def answer(self, fields: Mapping[str, Json]) -> None:
        await self.send(JSON, json.dumps(fields).encode())

    async def finish(self) -> None:
        """Close once the caller has: dropping what it still sends could lose it our answer."""
        until = time.monotonic() + _LINGER_S
        try:
            if not self.given_away:
                self.sock.shutdown(socket.SHUT_WR)
                while await wait(self.heard, until=until) and self.sock.recv(1 << 18):
                    pass
        except OSError:
            pass  # it was quicker
        self.close()

    def close(self) -> None:
        self.sock.close()
