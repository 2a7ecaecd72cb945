"""Plain HTTP through the proxy: what passes, what is refused, and how it is written anew."""

import asyncio

import pytest
import pytest_asyncio
from proxy_rig import Rig, Server, door, page, reply, serving

from doer.records.computer import HostRule, NetworkRules, Route

pytestmark = pytest.mark.slow  # real processes and sockets


@pytest_asyncio.fixture
async def server():
    async with serving() as running:
        yield running


def rules_for(server: Server, **more: object) -> NetworkRules:
    return NetworkRules(
        mode="allowlist",
        allow=(HostRule(host="localhost", ports=(server.port,)),),
        private=("localhost",),
        routes=(Route(host="shop.test", to=f"127.0.0.1:{server.port}"),),
        **more,
    )


@pytest_asyncio.fixture
async def rig(tmp_path, server):
    async with door(tmp_path, rules_for(server)) as opened:
        yield opened


def get(url: str, more: str = "Connection: close\r\n") -> bytes:
    return f"GET {url} HTTP/1.1\r\nHost: whatever\r\n{more}\r\n".encode()


async def test_an_allowed_host_answers(rig: Rig, server: Server):
    answer = await rig.ask(get(f"http://localhost:{server.port}/a?b=c"))
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"/a?b=c")
    line = (await rig.lines(1))[-1]
    assert (line.host, line.port, line.path, line.status) == ("localhost", server.port, "/a", 200)
    assert (line.verdict, line.rule, line.method) == ("allowed", "allow localhost", "GET")
    assert line.up > 0
    assert line.down > 0


async def test_another_host_is_denied_and_told_why(rig: Rig, server: Server):
    answer = await rig.ask(get("http://evil.test/secret"))
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"evil.test is not on this computer's list of allowed hosts" in answer
    line = (await rig.lines(1))[-1]
    assert (line.verdict, line.status, line.host) == ("denied", 403, "evil.test")
    assert server.requests == []


async def test_a_second_request_on_a_kept_connection_is_checked_anew(rig: Rig, server: Server):
    reader, writer = await rig.connect()
    writer.write(get(f"http://localhost:{server.port}/first", ""))
    assert (await reply(reader)).endswith(b"/first")
    writer.write(get("http://evil.test/second", ""))
    assert (await reply(reader)).startswith(b"HTTP/1.1 403")
    writer.write(get(f"http://localhost:{server.port}/third", ""))
    assert (await reply(reader)).endswith(b"/third")
    writer.close()
    assert [one.verdict for one in await rig.lines(3)] == ["allowed", "denied", "allowed"]


async def test_a_routed_host_is_answered_by_the_local_application(rig: Rig, server: Server):
    answer = await rig.ask(get("http://shop.test/cart"))
    assert answer.endswith(b"/cart")
    assert b"\r\nHost: shop.test\r\n" in server.requests[0]
    assert b"X-Forwarded-Proto: http\r\n" in server.requests[0]


async def test_what_belongs_to_one_connection_stays_on_it(rig: Rig, server: Server):
    secret = "Proxy-Authorization: Basic c2VjcmV0\r\nKeep-Alive: 5\r\nTE: trailers\r\nX-Mine: 1\r\n"
    more = f"{secret}X-Named: 1\r\nConnection: close, X-Named\r\nProxy-Connection: keep-alive\r\n"
    await rig.ask(get(f"http://localhost:{server.port}/", more))
    head = server.requests[0].lower()
    for name in (b"proxy-", b"keep-alive", b"te:", b"x-named", b"connection"):
        assert b"\r\n" + name not in head
    assert b"\r\nx-mine: 1\r\n" in head


async def test_the_host_header_is_the_host_that_was_judged(rig: Rig, server: Server):
    raw = f"GET http://localhost:{server.port}/ HTTP/1.1\r\nHost: evil.test\r\n\r\n".encode()
    reader, writer = await rig.connect()
    writer.write(raw)
    await reply(reader)
    writer.close()
    assert f"\r\nHost: localhost:{server.port}\r\n".encode() in server.requests[0]
    assert b"evil" not in server.requests[0]


SMUGGLED = {
    "both lengths": b"POST URL HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET http://evil.test/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "two lengths": b"POST URL HTTP/1.1\r\nHost: x\r\n"
    b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n",
    "a signed length": b"POST URL HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\nabcd",
    "another coding": b"POST URL HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "a hidden coding": b"POST URL HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0bchunked\r\n\r\n",
    "two hosts": b"GET URL HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "a bare CR": b"GET URL HTTP/1.1\r\nHost: x\r\nA: b\rEvil: c\r\n\r\n",
    "a NUL": b"GET URL HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
    "a space before the colon": b"GET URL HTTP/1.1\r\nHost: x\r\nContent-Length : 4\r\n\r\nabcd",
    "a fold at the start": b"GET URL HTTP/1.1\r\n Host: x\r\n\r\n",
    "userinfo": b"GET http://localhost@evil.test/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "userinfo before an allowed host": b"GET http://u:p@localhost/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "a backslash": b"GET http://evil.test\\@localhost/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "a fragment": b"GET http://localhost#@evil.test/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "no absolute address": b"GET /path HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "another scheme": b"GET ftp://localhost/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "https in the clear": b"GET https://localhost/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "a huge head": b"GET URL HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 200_000 + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("name", SMUGGLED)
async def test_a_request_that_can_be_read_in_two_ways_goes_nowhere(rig: Rig, server: Server, name):
    url = f"http://localhost:{server.port}/".encode()
    answer = await rig.ask(SMUGGLED[name].replace(b"URL", url))
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501")), answer[:200]
    assert answer.count(b"HTTP/1.1") == 1
    assert server.requests == []
    assert (await rig.lines(1))[0].verdict == "malformed"


async def test_a_folded_header_arrives_as_one_line(rig: Rig, server: Server):
    await rig.ask(get(f"http://localhost:{server.port}/", "A: b\r\n c: d\r\nConnection: close\r\n"))
    assert b"\r\nA: b c: d\r\n" in server.requests[0]


async def test_a_body_is_passed_on_in_its_own_framing(rig: Rig, server: Server):
    url = f"http://localhost:{server.port}/"
    reader, writer = await rig.connect()
    content = bytes(range(256)) * 2000
    writer.write(
        f"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    )
    writer.write(content)
    await reply(reader)
    head = f"POST {url} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head.encode() + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: evil\r\n\r\n")
    await reply(reader)
    writer.close()
    assert server.bodies == [content, b"abcde"]


async def test_an_expected_100_comes_from_the_proxy(rig: Rig, server: Server):
    reader, writer = await rig.connect()
    head = f"PUT http://localhost:{server.port}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
    writer.write(f"{head}Expect: 100-continue\r\n\r\n".encode())
    assert (await reply(reader)).startswith(b"HTTP/1.1 100")
    writer.write(b"abc")
    assert (await reply(reader)).startswith(b"HTTP/1.1 200")
    writer.close()
    assert server.bodies == [b"abc"]
    assert b"xpect" not in server.requests[0]


ANSWERS = {
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
        b"abcd",
    ),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "an early hint first": (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + page("abcd"), b""),
    "hop headers": (page("abcd", "Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n"), b"abcd"),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_comes_back_whole(rig: Rig, server: Server, name):
    server.answers["/"], expected = ANSWERS[name]
    reader, writer = await rig.connect()
    writer.write(get(f"http://localhost:{server.port}/", ""))
    answer = await reply(reader)
    if answer.startswith(b"HTTP/1.1 103"):
        answer, expected = await reply(reader), b"abcd"
    assert answer.endswith(b"\r\n\r\n" + expected)
    assert b"x-hop" not in answer.lower()
    writer.write(get(f"http://localhost:{server.port}/again", ""))
    assert (await reply(reader)).endswith(b"/again")
    writer.close()


async def test_the_length_of_an_answer_to_head_is_kept(rig: Rig, server: Server):
    server.answers["/"] = b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n"
    raw = get(f"http://localhost:{server.port}/").replace(b"GET", b"HEAD")
    answer = await rig.ask(raw)
    assert b"1234" in answer
    assert answer.endswith(b"\r\n\r\n")


async def test_an_old_server_and_an_old_caller_are_understood(tmp_path):
    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nall of ")
        await writer.drain()
        writer.write(b"it")
        writer.close()

    async with await asyncio.start_server(old, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        rules = NetworkRules(routes=(Route(host="shop.test", to=f"127.0.0.1:{port}"),))
        async with door(tmp_path, rules) as rig:
            reader, writer = await rig.connect()
            for _ in range(2):
                writer.write(get("http://shop.test/", ""))
                answer = await reply(reader)
                assert b"transfer-encoding: chunked" in answer.lower()
                assert answer.endswith(b"all of it")
            writer.close()
            answer = await rig.ask(b"GET http://shop.test/ HTTP/1.0\r\n\r\n")
            assert b"chunked" not in answer
            assert answer.endswith(b"all of it")


async def test_an_answer_cut_short_does_not_look_whole(tmp_path):
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
        writer.close()

    async with await asyncio.start_server(cut, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        rules = NetworkRules(routes=(Route(host="shop.test", to=f"127.0.0.1:{port}"),))
        async with door(tmp_path, rules) as rig:
            reader, writer = await rig.connect()
            writer.write(get("http://shop.test/", ""))
            with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
                await reply(reader)
            writer.close()
            assert (await rig.lines(1))[0].verdict == "failed"


async def test_a_server_that_cannot_be_reached_is_a_502(rig: Rig, tmp_path):
    rules = NetworkRules(routes=(Route(host="gone.test", to=f"unix:{tmp_path}/none.sock"),))
    rig.gate.update(rules)
    answer = await rig.ask(get("http://gone.test/"))
    assert answer.startswith(b"HTTP/1.1 502")
    assert b"cannot be reached" in answer


async def test_a_websocket_switches_and_carries_both_ways(rig: Rig, server: Server):
    server.answers["/ws"] = (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: x\r\n\r\nhello"
    )
    reader, writer = await rig.connect()
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n"
    writer.write(get(f"http://localhost:{server.port}/ws", upgrade) + b"early")
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101")
    assert b"upgrade: websocket" in head.lower()
    assert await reader.readexactly(5) == b"hello"
    assert await reader.readexactly(5) == b"EARLY"
    writer.write(b"more")
    assert await reader.readexactly(4) == b"MORE"
    writer.close()
    assert [one.verdict for one in await rig.lines(2)] == ["allowed", "closed"]


async def test_an_upgrade_to_http2_is_not_passed_on(rig: Rig, server: Server):
    upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"
    reader, writer = await rig.connect()
    writer.write(get(f"http://localhost:{server.port}/", upgrade))
    assert (await reply(reader)).startswith(b"HTTP/1.1 200")
    writer.close()
    assert b"pgrade" not in server.requests[0]
    assert b"settings" not in server.requests[0].lower()


async def test_a_redirect_to_a_closed_address_is_a_new_request_and_denied(rig: Rig, server: Server):
    server.answers["/go"] = (
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    )
    rig.gate.update(NetworkRules(mode="open", private=("localhost",)))
    reader, writer = await rig.connect()
    writer.write(get(f"http://localhost:{server.port}/go", ""))
    found = await reply(reader)
    url = found.split(b"Location: ")[1].split(b"\r\n")[0].decode()
    writer.write(get(url, ""))
    answer = await reply(reader)
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"link-local" in answer
    writer.close()
