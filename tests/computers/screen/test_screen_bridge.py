"""A raw VNC viewer on a real screen: it sees, and acts only while it may."""

import asyncio
import struct

import pytest
import pytest_asyncio

from doer.computers.screen.mirror import Mirror
from doer.records.screen import Move

pytestmark = pytest.mark.slow
PATIENCE_S = 30


class Seat:
    """A viewer's place: it may write or not."""

    def __init__(self) -> None:
        self.may_write = False
        self.incoming: asyncio.Queue[bytes] = asyncio.Queue()
        self.seen = bytearray()
        self.woken = asyncio.Event()

    async def show(self, data: bytes) -> None:
        self.seen += data
        self.woken.set()

    async def wait(self, count: int) -> bytes:
        """Wait for so many bytes from the screen, and take them."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.seen) < count:
                self.woken.clear()
                await self.woken.wait()
        taken = bytes(self.seen[:count])
        del self.seen[:count]
        return taken


@pytest_asyncio.fixture
async def seat(screen):
    seat = Seat()
    bridged = asyncio.ensure_future(
        screen.bridge(seat.incoming.get, seat.show, lambda: seat.may_write)
    )
    seat.bridged = bridged
    yield seat
    bridged.cancel()
    await asyncio.gather(bridged, return_exceptions=True)


async def greet(seat: Seat) -> tuple[int, int]:
    assert await seat.wait(12) == b"RFB 003.008\n"
    seat.incoming.put_nowait(b"RFB 003.008\n")
    assert await seat.wait(2) == b"\1\1"
    seat.incoming.put_nowait(b"\1\0")  # not shared: it would throw the others out
    await seat.wait(4)
    width, height, length = struct.unpack(">HH16xI", await seat.wait(24))
    await seat.wait(length)
    return width, height


async def test_a_viewer_sees_the_screen_and_acts_only_while_it_may(
    screen, terminal, seat: Seat
) -> None:
    told = await terminal()
    await screen.act([Move(x=100, y=100)])
    assert await greet(seat) == (800, 600)
    seat.incoming.put_nowait(struct.pack(">BBHHHH", 3, 0, 0, 0, 8, 8))
    kind, rects, *_ = struct.unpack(">BxHHHHHi", await seat.wait(16))
    assert (kind, rects) == (0, 1)
    key = [struct.pack(">BB2xI", 4, down, ord("a")) for down in (1, 0)]
    seat.incoming.put_nowait(b"".join(key))
    # answered, so that the keys before it have been handled
    seat.incoming.put_nowait(struct.pack(">BBHHHH", 3, 0, 0, 0, 8, 8))
    await seat.wait(8 * 8 * 4 + 16)
    seat.may_write = True
    for one in b"bc":
        for down in (1, 0):
            seat.incoming.put_nowait(struct.pack(">BB2xI", 4, down, one))
    assert await told.read(2) == b"bc"
    assert (await screen.screenshot()).size == (800, 600)  # the mirror was not thrown out


def resized(width: int, height: int) -> bytes:
    return struct.pack(">BxHHBx IHHHHI", 251, width, height, 1, 0, 0, 0, width, height, 0)


async def test_no_viewer_changes_the_size(screen, seat: Seat) -> None:
    assert await greet(seat) == (800, 600)
    for seat.may_write in (False, True):
        seat.incoming.put_nowait(resized(300, 200))
        seat.incoming.put_nowait(struct.pack(">BBHHHH", 3, 0, 0, 0, 8, 8))
        await seat.wait(8 * 8 * 4 + 16)
        assert (await screen.screenshot()).size == (800, 600)


async def test_a_viewer_that_sends_nonsense_is_cut_off(seat: Seat) -> None:
    await greet(seat)
    seat.incoming.put_nowait(b"\xfa\0\1\2")
    async with asyncio.timeout(PATIENCE_S):
        assert await seat.bridged == "messages of type 250 are not allowed"


async def test_the_bridge_ends_with_the_viewer(seat: Seat) -> None:
    await greet(seat)
    seat.incoming.put_nowait(b"")
    async with asyncio.timeout(PATIENCE_S):
        assert await seat.bridged == "the viewer has gone"


async def test_mirrors_and_viewers_share_one_screen(x_server, seat: Seat) -> None:
    mirrors = [await Mirror.open(x_server.dial) for _ in range(2)]
    await greet(seat)
    for mirror in mirrors:
        await mirror.ping()
        await mirror.close()
