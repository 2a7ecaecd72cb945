"""The messages of RFB 3.8 (VNC) that a client needs: https://www.rfc-editor.org/rfc/rfc6143

Only what a mirror speaks: raw pixels of 32 bits, copied rectangles, changes of size, the shape of
the pointer (so that the server leaves it out of the picture), and fences (a community extension,
https://github.com/rfbproto/rfbproto): a question that is answered when all before it was handled.
"""

import asyncio
import struct
from enum import IntEnum

from doer.errors import ComputerError

VERSION = b"RFB 003.008\n"
NO_PASSWORD = 1
LONGEST_TEXT = 1 << 24  # of names, reasons and clipboards
PIXEL = 4  # bytes


class Ask(IntEnum):
    """Types of a client's messages."""

    SET_PIXEL_FORMAT = 0
    SET_ENCODINGS = 2
    UPDATE = 3
    KEY = 4
    POINTER = 5
    CUT_TEXT = 6
    CONTINUOUS_UPDATES = 150
    FENCE = 248
    SET_DESKTOP_SIZE = 251
    QEMU = 255


class Tell(IntEnum):
    """Types of a server's messages."""

    UPDATE = 0
    COLOUR_MAP = 1
    BELL = 2
    CUT_TEXT = 3
    FENCE = 248


class Encoding(IntEnum):
    RAW = 0
    COPY = 1
    DESKTOP_SIZE = -223
    CURSOR = -239
    FENCE = -312


FENCE_REQUEST, FENCE_BLOCK_BEFORE = 1 << 31, 1

SETUP = (
    # 32 bits a pixel, depth 24, little-endian, true colour: bytes blue, green, red, unused
    struct.pack(
        ">B3x BBBB HHH BBB 3x", Ask.SET_PIXEL_FORMAT, *(32, 24, 0, 1), *(255,) * 3, 16, 8, 0
    )
    + struct.pack(f">BxH{len(Encoding)}i", Ask.SET_ENCODINGS, len(Encoding), *Encoding)
)


def update(x: int, y: int, width: int, height: int, *, changes_only: bool) -> bytes:
    """Ask for a part of the screen: now, or as soon as something in it has changed."""
    return struct.pack(">BBHHHH", Ask.UPDATE, changes_only, x, y, width, height)


def key(keysym: int, down: bool) -> bytes:
    return struct.pack(">BB2xI", Ask.KEY, down, keysym)


def pointer(x: int, y: int, buttons: int) -> bytes:
    """`buttons`: a bit for each that is down, the left one lowest."""
    return struct.pack(">BBHH", Ask.POINTER, buttons, x, y)


def fence(flags: int, payload: bytes) -> bytes:
    return struct.pack(">B3xIB", Ask.FENCE, flags, len(payload)) + payload


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[int, int]:
    """Shake hands and say what is understood. Width and height of the screen."""
    theirs = await reader.readexactly(12)
    if not theirs.startswith(b"RFB 003.") or theirs < VERSION:
        raise ComputerError(f"the screen speaks {theirs!r}, not RFB 3.8")
    writer.write(VERSION)
    ways = await reader.readexactly((await reader.readexactly(1))[0])
    if NO_PASSWORD not in ways:
        why = await text(reader) if not ways else f"it wants a password (ways {list(ways)})"
        raise ComputerError(f"the screen refused: {why}")
    writer.write(bytes([NO_PASSWORD]))
    if int.from_bytes(await reader.readexactly(4)):
        raise ComputerError(f"the screen refused: {await text(reader)}")
    writer.write(b"\1")  # shared: others may stay
    width, height = struct.unpack(">HH16x", await reader.readexactly(20))
    await text(reader)
    writer.write(SETUP)
    return width, height


async def text(reader: asyncio.StreamReader) -> str:
    """A text with its length before it."""
    length = int.from_bytes(await reader.readexactly(4))
    if length > LONGEST_TEXT:
        raise ComputerError(f"the screen sent a text of {length} bytes")
    return (await reader.readexactly(length)).decode("latin-1")
