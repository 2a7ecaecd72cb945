"""What a VNC viewer sends, cut into whole messages and sifted: an allow-list by type, and nothing
that touches the computer from those who only watch. Formats: `rfb.py`'s sources.
"""

import struct

from doer.computers.screen import rfb
from doer.computers.screen.rfb import Ask

LONGEST_CLIPBOARD = 1 << 20
WRITING = {Ask.KEY, Ask.POINTER, Ask.CUT_TEXT, Ask.QEMU}
DROPPED = {Ask.SET_DESKTOP_SIZE}
"""The size is the computer's. (And TigerVNC 1.12 dies of some of these.)"""
FIXED = {
    **{Ask.SET_PIXEL_FORMAT: 20, Ask.UPDATE: 10, Ask.KEY: 8, Ask.POINTER: 6},
    **{Ask.CONTINUOUS_UPDATES: 10, Ask.QEMU: 12},
}
COUNTED = {
    # type -> bytes before what is counted, where the count stands, bytes of each
    Ask.SET_ENCODINGS: (4, ">xxH", 4),
    Ask.CUT_TEXT: (8, ">4xi", 1),  # negative for the extended clipboard
    Ask.FENCE: (9, ">8xB", 1),
    Ask.SET_DESKTOP_SIZE: (8, ">6xB", 16),
}
GREETING = 12, 1, 1
"""Lengths of a viewer's first messages: version, way of security, whether to share."""


class Unspeakable(Exception):
    """A viewer sent something that cannot be passed on. Its connection must end."""


class ViewerMessages:
    """Takes bytes as they come, gives those that may go on to the server.

    Keys and buttons that a viewer holds down when it loses the right to write are let go.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._greeted = 0
        self._keys: dict[bytes, bytes] = {}  # what is down -> the message that lets it go
        self._pointer = b""

    def feed(self, data: bytes, may_write: bool) -> bytes:
        """Raises `Unspeakable`; what came before it in `data` is not passed on."""
        self._buffer += data
        passed = bytearray() if may_write else bytearray(self._let_go())
        while length := self._whole():
            message = bytes(self._buffer[:length])
            del self._buffer[:length]
            if self._greeted < len(GREETING):
                passed += self._greet(message)
            elif message[0] not in (DROPPED if may_write else DROPPED | WRITING):
                passed += message
                self._note(message)
        return bytes(passed)

    def _whole(self) -> int:
        """Length of the first message, or 0 while it is not all here."""
        buffer = self._buffer
        if self._greeted < len(GREETING):
            length = GREETING[self._greeted]
        elif not buffer:
            return 0
        elif buffer[0] in FIXED:
            length = FIXED[Ask(buffer[0])]
            if buffer[0] == Ask.QEMU and len(buffer) > 1 and buffer[1]:
                raise Unspeakable(f"QEMU message {buffer[1]} is not allowed")
        elif buffer[0] in COUNTED:
            length, format, each = COUNTED[Ask(buffer[0])]
            if len(buffer) < length:
                return 0
            count = abs(struct.unpack_from(format, buffer)[0])
            if count > LONGEST_CLIPBOARD:
                raise Unspeakable(f"a clipboard of {count} bytes; the most is {LONGEST_CLIPBOARD}")
            length += count * each
        else:
            raise Unspeakable(f"messages of type {buffer[0]} are not allowed")
        return length if len(buffer) >= length else 0

    def _greet(self, message: bytes) -> bytes:
        self._greeted += 1
        if self._greeted == 1 and message != rfb.VERSION:
            raise Unspeakable(f"the viewer speaks {message!r}, not RFB 3.8")
        if self._greeted == 2 and message[0] != rfb.NO_PASSWORD:
            raise Unspeakable(f"way of security {message[0]} was not offered")
        return b"\1" if self._greeted == 3 else message  # always shared: nobody is thrown out

    def _note(self, message: bytes) -> None:
        """Remember what is down, as the message that lets it go."""
        match message[0]:
            case Ask.POINTER:
                self._pointer = message[:1] + b"\0" + message[2:] if message[1] else b""
            case Ask.KEY:
                down, name, up = message[1], message[4:], message[:1] + b"\0" + message[2:]
                self._hold(name, up if down else b"")
            case Ask.QEMU:
                down, name, up = any(message[2:4]), message[8:], message[:2] + b"\0\0" + message[4:]
                self._hold(b"qemu" + name, up if down else b"")
            case _:
                pass

    def _hold(self, name: bytes, up: bytes) -> None:
        if up:
            self._keys[name] = up
        else:
            self._keys.pop(name, None)

    def _let_go(self) -> bytes:
        ups = b"".join(self._keys.values()) + self._pointer
        self._keys.clear()
        self._pointer = b""
        return ups
