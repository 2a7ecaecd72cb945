"""Plain HTTP through the proxy: what passes, what is refused, and how it is written anew."""

import pytest_asyncio
from proxy_rig import Rig, Server, door, reply, serving

from doer.records.computer import HostRule, NetworkRules, Route


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
