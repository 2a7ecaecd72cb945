"""The mirror beside a server that says what real ones say rarely: copies, new sizes, nonsense."""

import asyncio
import struct

import pytest
from PIL import Image
from rfb_server import RfbServer, hello, rect, rfb_server, update

from doer.computers.screen.damage import Rect
from doer.computers.screen.mirror import Mirror
from doer.errors import ComputerError

ROWS = bytes(range(4 * 3 * 4))  # 3 wide, 4 high, every byte different
PATIENCE_S = 30


async def heard(mirror: Mirror, server: RfbServer, data: bytes, updates: int = 1) -> list[Rect]:
    """Say it, and wait until the mirror has told of so many updates; the last one's damage."""
    told: asyncio.Queue[list[Rect]] = asyncio.Queue()
    mirror.listen(told.put_nowait)
    server.say(data)
    async with asyncio.timeout(PATIENCE_S):
        rects = [await told.get() for _ in range(updates)][-1]
    mirror.forget(told.put_nowait)
    return rects


def row(mirror: Mirror, y: int) -> bytes:
    stride = mirror.width * 4
    return bytes(mirror.pixels[y * stride : (y + 1) * stride])


async def test_pixels_land_where_they_belong() -> None:
    async with rfb_server(hello(3, 4, ROWS)) as (server, dial):
        mirror = await Mirror.open(dial)
        assert mirror.pixels == ROWS
        assert await heard(mirror, server, update(rect(1, 2, 2, 2, 0, b"\xee" * 16))) == [
            Rect(1, 2, 2, 2)
        ]
        assert row(mirror, 1) == ROWS[12:24]
        assert row(mirror, 2) == ROWS[24:28] + b"\xee" * 8
        assert row(mirror, 3) == ROWS[36:40] + b"\xee" * 8
        await mirror.close()


@pytest.mark.parametrize(("source", "target"), [((0, 0), (1, 1)), ((1, 1), (0, 0))])
async def test_copies_may_overlap_themselves(source, target) -> None:
    async with rfb_server(hello(3, 4, ROWS)) as (server, dial):
        mirror = await Mirror.open(dial)
        copy = rect(*target, 2, 3, 1, struct.pack(">HH", *source))
        await heard(mirror, server, update(copy))
        wanted = Image.frombytes("RGBX", (3, 4), ROWS)
        (x, y), (to_x, to_y) = source, target
        wanted.paste(wanted.crop((x, y, x + 2, y + 3)), (to_x, to_y))
        assert mirror.pixels == wanted.tobytes()
        await mirror.close()


async def test_a_new_size_starts_a_new_picture_and_the_pointer_s_shape_is_skipped() -> None:
    async with rfb_server(hello(3, 4)) as (server, dial):
        mirror = await Mirror.open(dial)
        shape = rect(0, 0, 9, 2, -239, bytes(9 * 2 * 4 + 2 * 2))
        data = update(shape, rect(0, 0, 2, 1, -223)) + update(rect(0, 0, 2, 1, 0, b"\x07" * 8))
        assert await heard(mirror, server, data, updates=2) == [Rect(0, 0, 2, 1)]
        await heard(mirror, server, update(rect(0, 0, 1, 1, 0, b"\x09" * 4)))
        assert mirror.pixels == b"\x09" * 4 + b"\x07" * 4
        await mirror.close()


@pytest.mark.parametrize(
    ("nonsense", "why"),
    [
        (b"\x63", "unknown type 99"),
        (update(rect(0, 0, 1, 1, 16)), "unknown encoding 16"),
        (update(rect(2, 0, 2, 1, 0)), "outside"),
        (update(rect(0, 0, 1, 1, 1, struct.pack(">HH", 9, 9))), "outside"),
        (b"\3\0\0\0\xff\xff\xff\xff", "text of 4294967295 bytes"),
        (update(rect(0, 0, 65535, 65535, -223)), "65535 x 65535"),
        (update(rect(0, 0, 0, 600, -223)), "0 x 600"),
        (update(rect(0, 0, 65535, 65535, -239)), "pointer of 65535 x 65535"),
    ],
)
async def test_nonsense_ends_the_mirror_and_says_why(nonsense: bytes, why: str) -> None:
    async with rfb_server(hello(3, 4)) as (server, dial):
        mirror = await Mirror.open(dial)
        server.say(nonsense)
        with pytest.raises(ComputerError, match=why):
            async with asyncio.timeout(PATIENCE_S):
                await mirror.ping(PATIENCE_S)
        await mirror.close()


async def test_a_screen_too_large_to_hold_is_not_mirrored() -> None:
    async with rfb_server(hello(60000, 60000, b"")) as (_, dial):
        with pytest.raises(ComputerError, match="60000 x 60000"):
            await Mirror.open(dial)


async def test_a_screen_that_says_much_leaves_others_their_turns() -> None:
    async with rfb_server(hello(3, 4)) as (server, dial):
        mirror = await Mirror.open(dial)
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        turning = asyncio.create_task(turn())
        copies = [rect(0, 0, 2, 2, 1, struct.pack(">HH", 1, 1))] * 2000
        await heard(mirror, server, update(*copies))
        assert turns >= len(copies)
        turning.cancel()
        await mirror.close()


async def test_a_screen_is_asked_once_however_often_it_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("doer.computers.screen.mirror.FRAME_S", 60)
    async with rfb_server(hello(3, 4)) as (server, dial):
        loop = asyncio.get_running_loop()
        planned: list[float] = []
        call_later = loop.call_later

        def planning(delay_s: float, *rest: object, **more: object) -> asyncio.TimerHandle:
            planned.append(delay_s)
            return call_later(delay_s, *rest, **more)

        monkeypatch.setattr(loop, "call_later", planning)
        mirror = await Mirror.open(dial)
        await heard(mirror, server, update(rect(0, 0, 1, 1, 0, bytes(4))) * 20, updates=20)
        assert len([delay_s for delay_s in planned if delay_s > 30]) == 1
        await mirror.close()


async def test_a_closed_connection_fails_what_is_pending_at_once() -> None:
    async with rfb_server(hello(3, 4)) as (server, dial):
        mirror = await Mirror.open(dial)
        pending = asyncio.ensure_future(mirror.ping(60))
        await server.greeted()
        server.hang_up()
        with pytest.raises(ComputerError, match="gone away"):
            async with asyncio.timeout(PATIENCE_S):
                await pending
        with pytest.raises(ComputerError, match="gone away"):
            mirror.key(0x61, True)
        await mirror.close()


async def test_a_silent_screen_is_given_up() -> None:
    async with rfb_server(hello(3, 4)) as (_, dial):
        mirror = await Mirror.open(dial)
        with pytest.raises(ComputerError, match=r"did not answer in 0\.05 s"):
            await mirror.ping(0.05)
        assert not mirror.alive
        await mirror.close()
    async with rfb_server(b"RFB 003.008\n") as (_, dial):
        with pytest.raises(ComputerError, match=r"did not answer in 0\.05 s"):
            await Mirror.open(dial, timeout_s=0.05)


async def test_a_silent_screen_is_noticed_though_nobody_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("doer.computers.screen.mirror.HEARTBEAT_S", 0.01)
    monkeypatch.setattr("doer.computers.screen.mirror.ANSWER_S", 0.05)
    async with rfb_server(hello(3, 4)) as (_, dial):
        mirror = await Mirror.open(dial)
        died = asyncio.Event()
        mirror.listen(lambda _: died.set())
        async with asyncio.timeout(PATIENCE_S):
            await died.wait()
        with pytest.raises(ComputerError, match="did not answer"):
            mirror.check()
        await mirror.close()


@pytest.mark.parametrize(
    ("hello", "why"),
    [
        (b"RFB 003.003\n", "not RFB 3.8"),
        (b"HTTP/1.1 400", "not RFB 3.8"),
        (b"RFB 003.008\n\1\2", "password"),
        (b"RFB 003.008\n\0" + struct.pack(">I", 4) + b"full", "refused: full"),
        (b"RFB 003.008\n\1\1" + struct.pack(">II", 1, 4) + b"busy", "refused: busy"),
    ],
)
async def test_a_server_that_does_not_let_us_in(hello: bytes, why: str) -> None:
    async with rfb_server(hello) as (_, dial):
        with pytest.raises(ComputerError, match=why):
            await Mirror.open(dial)


async def test_a_server_without_fences_is_asked_for_a_pixel() -> None:
    async with rfb_server(hello(3, 4)) as (server, dial):
        mirror = await Mirror.open(dial)
        pending = asyncio.ensure_future(mirror.ping(PATIENCE_S))
        await server.greeted()
        while await server.hear(b"\3", 10) != struct.pack(">BBHHHH", 3, 0, 0, 0, 1, 1):
            pass
        server.say(update(rect(0, 0, 1, 1, 0, bytes(4))))
        await pending
        await mirror.close()


async def test_fences_are_answered_and_asked() -> None:
    async with rfb_server(hello(3, 4)) as (server, dial):
        mirror = await Mirror.open(dial)
        await server.greeted()
        server.say(struct.pack(">B3xIB", 248, 1 << 31 | 1, 2) + b"ab")
        assert await server.hear(b"\xf8", 99) == struct.pack(">B3xIB", 248, 1, 2) + b"ab"
        pending = asyncio.ensure_future(mirror.ping(PATIENCE_S))
        asked = await server.hear(b"\xf8", 99)
        assert asked[4:9] == struct.pack(">IB", 1 << 31 | 1, 8)
        server.say(struct.pack(">B3xIB", 248, 1, 8) + asked[9:])
        await pending
        await mirror.close()
