"""The server name in a TLS ClientHello (RFC 8446, 4.1.2, and RFC 6066, 3). Nothing is decrypted."""

from dataclasses import dataclass

MAX_HELLO = 32 * 1024
HANDSHAKE, CLIENT_HELLO = 22, 1
_SERVER_NAME = 0


class NotTls(ValueError):
    """The bytes are no ClientHello, whatever follows them."""


@dataclass(frozen=True, slots=True)
class Hello:
    """`name` as sent, "" when there is none."""

    name: str


def read(data: bytes) -> Hello | None:
    """The ClientHello that `data` begins with, None while bytes are missing. Raises `NotTls`."""
    message = bytearray()
    at = 0
    while len(data) - at >= 5:
        size = int.from_bytes(data[at + 3 : at + 5])
        if data[at] != HANDSHAKE or data[at + 1] != 3 or not 0 < size <= 2**14 + 256:
            raise NotTls("no TLS record")
        message += data[at + 5 : at + 5 + size]
        if message[0] != CLIENT_HELLO:
            raise NotTls("no ClientHello")
        if len(message) >= 4:
            length = int.from_bytes(message[1:4])
            if length > MAX_HELLO:
                raise NotTls("a ClientHello of more than 32 KiB")
            if len(message) >= 4 + length:
                return Hello(_server_name(_Fields(bytes(message[4 : 4 + length]))))
        if at + 5 + size > len(data):
            return None
        at += 5 + size
    if data and (data[at : at + 1] or b"\x16")[0] != HANDSHAKE:
        raise NotTls("no TLS record")
    return None


class _Fields:
    """Length-prefixed fields, read one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        if self._at + size > len(self._data):
            raise NotTls("a ClientHello that ends too soon")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def counted(self, size: int) -> bytes:
        return self.take(self.number(size))


def _server_name(hello: _Fields) -> str:
    hello.take(2 + 32)  # version, random
    hello.counted(1)  # session id
    hello.counted(2)  # ciphers
    hello.counted(1)  # compression
    if not hello:
        return ""
    names: list[str] = []
    extensions = _Fields(hello.counted(2))
    while extensions:
        kind, content = extensions.number(2), extensions.counted(2)
        if kind == _SERVER_NAME:
            listed = _Fields(_Fields(content).counted(2))
            while listed:
                type_, name = listed.number(1), listed.counted(2)
                if type_ == 0:
                    names.append(name.decode("ascii", "replace"))
    if len(names) > 1:
        raise NotTls("a ClientHello with several server names")
    return names[0] if names else ""
