"""Bytes, pace, connections and deadlines of one computer, and what a change of rules cuts."""

import asyncio
import time

import pytest
import pytest_asyncio
from proxy_rig import PATIENCE_S, Rig, Server, door, page, reply, serving

from doer.computers.network.gate import TURNS_AT_ONCE, TURNS_PER_S, Deadlines
from doer.computers.network.log import Line, NetworkLog, recent
from doer.errors import ConfigError
from doer.records.computer import HostRule, NetworkRules, Route

pytestmark = pytest.mark.slow  # real processes and sockets

GET = b"GET http://shop.test/ HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest_asyncio.fixture
async def server():
    async with serving() as running:
        yield running


def rules_for(server: Server, **more: int) -> NetworkRules:
    return NetworkRules(
        mode="open",
        private=("localhost",),
        routes=(Route(host="shop.test", to=f"127.0.0.1:{server.port}"),),
        **more,
    )


async def ends(reader: asyncio.StreamReader) -> bytes:
    """What comes until the proxy closes."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def test_a_byte_limit_cuts_and_says_why_and_outlives_the_proxy(tmp_path, server):
    server.answers["/"] = page("x" * 300_000)
    rules = rules_for(server, max_bytes=100_000)
    async with door(tmp_path, rules) as rig:
        reader, writer = await rig.connect()
        writer.write(GET)
        assert len(await ends(reader)) < 150_000
        writer.close()
        assert (await rig.lines(1))[0].verdict == "over_limit"
    async with door(tmp_path, rules) as rig:
        reader, writer = await rig.connect()
        writer.write(GET)
        answer = await reply(reader)
        assert answer.startswith(b"HTTP/1.1 403")
        assert b"used up its 100,000 bytes" in answer
        writer.close()
        rig.gate.update(rules_for(server))
        reader, writer = await rig.connect()
        writer.write(GET)
        assert (await reply(reader)).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_byte_limit_cuts_a_tunnel(tmp_path, server):
    async with door(tmp_path, rules_for(server, max_bytes=50_000)) as rig:
        reader, writer = await rig.tunnel("localhost", server.port)
        server.answers["/"] = page("x" * 200_000)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert len(await ends(reader)) < 130_000
        writer.close()
        assert [one.verdict for one in await rig.lines(3)] == ["allowed", "closed", "over_limit"]


async def test_a_byte_limit_cuts_what_is_sent(tmp_path, server):
    async with door(tmp_path, rules_for(server, max_bytes=100_000)) as rig:
        reader, writer = await rig.connect()
        head = "PUT http://shop.test/ HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n"
        writer.write(head.encode() + b"x" * 200_000)
        assert b"used up" in await ends(reader)
        writer.close()
        assert server.bodies == []


async def test_a_pace_is_kept(tmp_path, server):
    server.answers["/"] = page("x" * 30_000)
    async with door(tmp_path, rules_for(server, bytes_per_s=80_000)) as rig:
        started = time.monotonic()
        connections = [await rig.connect() for _ in range(2)]
        for _, writer in connections:
            writer.write(GET)
        for reader, writer in connections:
            assert len(await reply(reader)) > 30_000
            writer.close()
        assert time.monotonic() - started > 0.5  # 60 kB, of which the last part is not waited for


async def test_more_connections_wait_for_a_free_place(tmp_path, server):
    async with door(tmp_path, rules_for(server), most=2) as rig:
        first, second, third = [await rig.connect() for _ in range(3)]
        for reader, writer in (first, second):
            writer.write(GET)
            await reply(reader)
        third[1].write(GET)
        waiting = asyncio.ensure_future(reply(third[0]))
        first[1].write(GET)
        await reply(first[0])
        assert rig.door.connections == 2
        assert not waiting.done()
        second[1].close()
        assert (await waiting).startswith(b"HTTP/1.1 200")
        for _, writer in (first, third):
            writer.close()


async def test_one_computer_that_takes_all_it_can_does_not_stop_another(tmp_path, server):
    for name in ("hostile", "other"):
        (tmp_path / name).mkdir()
    rules = rules_for(server)
    async with (
        door(tmp_path / "hostile", rules) as hostile,
        door(tmp_path / "other", rules) as other,
    ):
        held = [await hostile.connect() for _ in range(200)]
        for _, writer in held:
            writer.write(b"GET http://sh")
        reader, writer = await other.connect()
        writer.write(GET)
        assert (await reply(reader)).startswith(b"HTTP/1.1 200")
        for _, one in [*held, (reader, writer)]:
            one.close()


async def test_a_flood_of_requests_is_slowed_and_the_others_are_not(tmp_path, server):
    for name in ("hostile", "other"):
        (tmp_path / name).mkdir()
    rules = rules_for(server)
    async with (
        door(tmp_path / "hostile", rules) as hostile,
        door(tmp_path / "other", rules) as other,
    ):
        started = time.monotonic()
        reader, writer = await hostile.connect()
        for _ in range(TURNS_AT_ONCE + TURNS_PER_S // 2):
            writer.write(b"GET http://evil.test:1/ HTTP/1.1\r\nHost: x\r\n\r\n")
        hostile.gate.update(NetworkRules())
        answers = [await reply(reader) for _ in range(TURNS_AT_ONCE + TURNS_PER_S // 2)]
        assert all(one.startswith(b"HTTP/1.1 403") for one in answers)
        assert time.monotonic() - started > 0.4
        writer.close()
        reader, writer = await other.connect()
        writer.write(GET)
        assert (await reply(reader)).startswith(b"HTTP/1.1 200")
        writer.close()


SLOW = {
    "nothing": b"",
    "a part of a head": b"GET http://shop.test/ HTT",
    "a part of a SOCKS request": b"\x05\x01\x00\x05\x01",
    "a part of a body": GET.replace(b"Host", b"Content-Length: 9\r\nHost") + b"ab",
    "a tunnel without a hello": b"CONNECT shop.test:443 HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", SLOW)
async def test_a_caller_that_does_not_go_on_is_closed(tmp_path, server, name):
    deadlines = Deadlines(ask_s=0.3, stall_s=0.3)
    async with door(tmp_path, rules_for(server), deadlines=deadlines) as rig:
        reader, writer = await rig.connect()
        writer.write(SLOW[name])
        await ends(reader)
        writer.close()


async def test_a_server_that_says_nothing_is_a_502(tmp_path):
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        rules = NetworkRules(
            mode="open",
            private=("localhost",),
            routes=(Route(host="shop.test", to=f"127.0.0.1:{port}"),),
        )
        deadlines = Deadlines(answer_s=0.3, idle_s=0.3)
        async with door(tmp_path, rules, deadlines=deadlines) as rig:
            reader, writer = await rig.connect()
            writer.write(GET)
            answer = await reply(reader)
            assert answer.startswith(b"HTTP/1.1 502")
            assert b"did not answer in time" in answer
            writer.close()
            reader, writer = await rig.tunnel("localhost", port)
            assert await ends(reader) == b""
            writer.close()


async def test_a_caller_that_goes_away_does_not_keep_the_server_waiting(tmp_path):
    gone = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        gone.set()
        writer.close()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        rules = NetworkRules(routes=(Route(host="shop.test", to=f"127.0.0.1:{port}"),))
        async with door(tmp_path, rules) as rig:
            _, writer = await rig.connect()
            writer.write(GET)
            await writer.drain()
            writer.close()
            async with asyncio.timeout(PATIENCE_S):
                await gone.wait()
            assert (await rig.lines(1))[0].verdict == "failed"


async def test_a_change_of_rules_cuts_what_they_no_longer_allow(tmp_path, server):
    async with door(tmp_path, rules_for(server)) as rig:
        cut, kept = [await rig.tunnel(host, server.port) for host in ("localhost", "shop.test")]
        for reader, writer in (cut, kept):
            writer.write(b"GET /1 HTTP/1.1\r\nHost: shop.test\r\n\r\n")
            assert (await reply(reader)).endswith(b"/1")
        route = Route(host="shop.test", to=f"127.0.0.1:{server.port}")
        rig.gate.update(NetworkRules(routes=(route,)))
        assert await ends(cut[0]) == b""
        kept[1].write(b"GET /2 HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        assert (await reply(kept[0])).endswith(b"/2")
        await rig.lines(5)  # the second request is over: it is not what is cut
        rig.gate.update(NetworkRules())
        kept[1].write(b"GET /3 HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        assert (await reply(kept[0])).startswith(b"HTTP/1.1 403")
        for _, writer in (cut, kept):
            writer.close()


async def test_rules_that_make_no_sense_change_nothing(tmp_path, server):
    async with door(tmp_path, rules_for(server)) as rig:
        with pytest.raises(ConfigError):
            rig.gate.update(NetworkRules(allow=(HostRule(host="a b"),)))
        assert rig.gate.book.rules.mode == "open"


def line(path: str) -> Line:
    return Line(at=1.0, kind="http", host="a.test", port=80, verdict="denied", path=path)


def test_the_log_is_bounded(tmp_path):
    log = NetworkLog(tmp_path, max_bytes=2000)
    for number in range(200):
        log.write(line(f"/{number}"))
    assert sum(one.stat().st_size for one in tmp_path.iterdir()) < 4300
    assert recent(tmp_path, 3) == tuple(line(f"/{number}") for number in (197, 198, 199))


def test_a_line_that_cannot_be_written_is_counted(tmp_path):
    log = NetworkLog(tmp_path / "none")
    log.write(line("/"))
    assert log.lost == 1


async def test_a_request_cannot_forge_a_line(tmp_path, server):
    async with door(tmp_path, rules_for(server)) as rig:
        await forge(rig)
        (only,) = await rig.lines(1)
        assert only.path.startswith("/%0A{")


async def forge(rig: Rig) -> None:
    path = b'/%0A{"verdict":"allowed"}"'
    reader, writer = await rig.connect()
    writer.write(b"GET http://shop.test" + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    await reply(reader)
    writer.close()
