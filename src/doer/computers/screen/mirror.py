"""A copy of a computer's screen on the host, kept up to date over RFB; mouse and keyboard go back
over the same connection. Nothing of ours runs inside for it, and it costs nothing while the screen
stands still.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from typing import Self

from doer.computers.screen import rfb
from doer.computers.screen.damage import Rect
from doer.computers.screen.rfb import PIXEL, Encoding, Tell
from doer.errors import ComputerError, DoerError

Dial = Callable[[], Awaitable[socket.socket]]
"""Gives a connected stream socket to a computer's RFB server."""
Listener = Callable[[Sequence[Rect]], None]
"""Called after every update with what changed, and with nothing when the mirror has died."""

CLOSED = "the screen has gone away"
FRAME_S = 1 / 30
"""At least so long between two updates: a film costs a few per cent of a core, not a quarter."""
HEARTBEAT_S = 5.0
ANSWER_S = 5.0
CHUNK = 1 << 22  # bytes of pixels that may wait in memory to be read
MOST_PIXELS = 1 << 25
"""Of a screen. Whoever works inside may stand in for its server and name any size."""
LARGEST_POINTER = 1024  # pixels each way


class Mirror:
    """`pixels` are rows of blue, green, red, unused; they change between two turns of the loop.

    When the connection ends or the screen does not answer in time, everything pending and
    everything later raises `ComputerError`; open another one then.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.width = self.height = 0
        self.pixels = bytearray()
        self.changed_at = self.typed_at = float("-inf")  # by the loop's clock
        self.pointer_at = (0, 0)
        self._reader, self._writer = reader, writer
        self._listeners: set[Listener] = set()
        self._waiting: dict[bytes, asyncio.Future[None]] = {}
        self._fences = False
        self._asked_at = 0.0
        self._asking: asyncio.TimerHandle | None = None
        self._pings = 0
        self._ended: DoerError | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def open(cls, dial: Dial, timeout_s: float = 10.0) -> Self:
        """Connect, and return when the whole screen is here."""
        try:
            async with asyncio.timeout(timeout_s):
                reader, writer = await asyncio.open_connection(sock=await dial(), limit=CHUNK)
                self = cls(reader, writer)
                try:
                    self._resize(*await rfb.greet(reader, writer))
                    await self._receive_first()
                    # to where it is on a fresh screen: a server draws a pointer that is elsewhere
                    self.move(self.width // 2, self.height // 2)
                except BaseException:
                    await self.close()
                    raise
        except TimeoutError:
            raise ComputerError(f"the screen did not answer in {timeout_s:g} s") from None
        except (OSError, EOFError) as error:
            raise ComputerError(f"the screen cannot be reached: {error}") from error
        self._tasks = [
            asyncio.create_task(self._alive_or_dead(work)) for work in (self._read, self._beat)
        ]
        return self

    @property
    def alive(self) -> bool:
        return self._ended is None

    def check(self) -> None:
        """Raises `ComputerError` when it has died."""
        if self._ended is not None:
            raise ComputerError(str(self._ended))

    async def close(self) -> None:
        self._die(ComputerError("the screen's connection was closed"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def listen(self, listener: Listener) -> None:
        self._listeners.add(listener)

    def forget(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    def move(self, x: int, y: int, buttons: int = 0) -> None:
        """Put the pointer there, with these buttons down."""
        self.check()
        self.pointer_at = x, y
        self._writer.write(rfb.pointer(x, y, buttons))

    def key(self, keysym: int, down: bool) -> None:
        self.check()
        self.typed_at = asyncio.get_running_loop().time()
        self._writer.write(rfb.key(keysym, down))

    async def ping(self, timeout_s: float = ANSWER_S) -> None:
        """Return when the screen has handled all that was sent. A screen that does not answer in
        time is given up: everything pending fails with it."""
        self.check()
        self._pings += 1
        name = self._pings.to_bytes(8)
        answer = self._waiting[name] = asyncio.get_running_loop().create_future()
        if self._fences:
            flags = rfb.FENCE_REQUEST | rfb.FENCE_BLOCK_BEFORE
            self._writer.write(rfb.fence(flags, name))
        else:  # asked for a pixel in any case, every server answers
            self._writer.write(rfb.update(0, 0, 1, 1, changes_only=False))
        try:
            async with asyncio.timeout(timeout_s):
                await answer
        except TimeoutError:
            self._die(ComputerError(f"the screen did not answer in {timeout_s:g} s"))
            self.check()
        finally:
            self._waiting.pop(name, None)

    def _die(self, error: DoerError) -> None:
        if self._ended is not None:
            return
        self._ended = error
        if self._asking is not None:
            self._asking.cancel()
        self._writer.transport.abort()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ComputerError(str(error)))
                answer.exception()  # marks it as seen: perhaps nobody waits any more
        for listener in list(self._listeners):
            listener(())

    async def _alive_or_dead(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except DoerError as error:
            self._die(error)
        except (OSError, EOFError, struct.error) as error:
            self._die(ComputerError(f"{CLOSED}: {error}" if str(error) else CLOSED))
        finally:
            self._die(ComputerError(CLOSED))  # whatever ended it: nobody may wait for ever

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            await self.ping(ANSWER_S)

    async def _receive_first(self) -> None:
        seen = 0
        while seen < self.width * self.height:
            seen += sum(rect.area for rect in await self._message())

    async def _read(self) -> None:
        while True:
            if damage := await self._message():
                self.changed_at = asyncio.get_running_loop().time()
                for listener in list(self._listeners):
                    listener(damage)
            await asyncio.sleep(0)  # what lies in the buffer is read without waiting

    async def _message(self) -> list[Rect]:
        """Take in one message; what it changed on the screen."""
        read = self._reader.readexactly
        match (await read(1))[0]:
            case Tell.UPDATE:
                return await self._update()
            case Tell.COLOUR_MAP:
                (colours,) = struct.unpack(">3xH", await read(5))
                await read(6 * colours)
            case Tell.BELL:
                pass
            case Tell.CUT_TEXT:
                await read(3)
                await rfb.text(self._reader)
            case Tell.FENCE:
                flags, length = struct.unpack(">3xIB", await read(8))
                self._fence(flags, await read(length))
            case unknown:
                raise ComputerError(f"the screen sent a message of unknown type {unknown}")
        return []

    def _fence(self, flags: int, payload: bytes) -> None:
        if flags & rfb.FENCE_REQUEST:
            self._fences = True
            self._writer.write(rfb.fence(flags & rfb.FENCE_BLOCK_BEFORE, payload))
        else:
            self._answered(payload)

    def _answered(self, name: bytes) -> None:
        answer = self._waiting.get(name)
        if answer is not None and not answer.done():
            answer.set_result(None)

    async def _update(self) -> list[Rect]:
        (count,) = struct.unpack(">xH", await self._reader.readexactly(3))
        damage: list[Rect] = []
        for _ in range(count):
            head = await self._reader.readexactly(12)
            x, y, width, height, encoding = struct.unpack(">HHHHi", head)
            rect = Rect(x, y, width, height)
            if encoding == Encoding.DESKTOP_SIZE:
                damage.append(self._resize(width, height))
            elif encoding == Encoding.CURSOR:
                await self._skip_pointer(width, height)
            elif not rect.area:
                pass
            elif not rect.inside(self.width, self.height):
                raise ComputerError(f"the screen sent pixels outside of itself: {rect}")
            elif encoding == Encoding.RAW:
                await self._draw(rect)
                damage.append(rect)
            elif encoding == Encoding.COPY:
                self._copy(rect, *struct.unpack(">HH", await self._reader.readexactly(4)))
                damage.append(rect)
                await asyncio.sleep(0)  # few bytes ask for much work
            else:
                raise ComputerError(f"the screen sent pixels in unknown encoding {encoding}")
        if not self._fences:
            for name in list(self._waiting):
                self._answered(name)
        self._ask_for_changes()
        return damage

    async def _skip_pointer(self, width: int, height: int) -> None:
        if max(width, height) > LARGEST_POINTER:
            raise ComputerError(f"the screen sent a pointer of {width} x {height} pixels")
        await self._reader.readexactly(height * (width * PIXEL + (width + 7) // 8))

    def _ask_for_changes(self) -> None:
        """At once after a rest; while the screen moves, at most so many times a second."""
        if self._asking is not None or self._ended is not None:
            return
        loop = asyncio.get_running_loop()
        if (wait_s := self._asked_at + FRAME_S - loop.time()) > 0:
            self._asking = loop.call_later(wait_s, self._ask_again)
        else:
            self._asked_at = loop.time()
            self._writer.write(rfb.update(0, 0, self.width, self.height, changes_only=True))

    def _ask_again(self) -> None:
        self._asking = None
        self._ask_for_changes()

    def _resize(self, width: int, height: int) -> Rect:
        if not 0 < width * height <= MOST_PIXELS:
            raise ComputerError(f"a screen of {width} x {height} pixels cannot be mirrored")
        self.width, self.height = width, height
        self.pixels = bytearray(width * height * PIXEL)
        self._writer.write(rfb.update(0, 0, width, height, changes_only=False))
        return Rect(0, 0, width, height)

    async def _draw(self, rect: Rect) -> None:
        """Read a rectangle's pixels, some rows at a time."""
        row, stride = rect.width * PIXEL, self.width * PIXEL
        at_once = max(1, CHUNK // row)
        for top in range(0, rect.height, at_once):
            rows = min(at_once, rect.height - top)
            fresh = memoryview(await self._reader.readexactly(rows * row))
            start = (rect.y + top) * stride + rect.x * PIXEL
            if row == stride:
                self.pixels[start : start + rows * row] = fresh
                continue
            for n in range(rows):
                at = start + n * stride
                self.pixels[at : at + row] = fresh[n * row : (n + 1) * row]

    def _copy(self, rect: Rect, from_x: int, from_y: int) -> None:
        if not Rect(from_x, from_y, rect.width, rect.height).inside(self.width, self.height):
            raise ComputerError("the screen copied pixels from outside of itself")
        row, stride = rect.width * PIXEL, self.width * PIXEL
        start = from_y * stride + from_x * PIXEL
        starts = range(start, start + rect.height * stride, stride)
        rows = [self.pixels[at : at + row] for at in starts]  # taken out first: they may overlap
        at = rect.y * stride + rect.x * PIXEL
        for one in rows:
            self.pixels[at : at + row] = one
            at += stride
