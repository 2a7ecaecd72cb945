"""TLS that ends in the proxy: its own authority inside, real verification outside."""

import asyncio
import ssl
import stat

import pytest
import pytest_asyncio
from proxy_rig import Rig, Server, door, reply, serving, trusting

from doer.computers.network.authority import Authority, certificate
from doer.records.computer import HostRule, NetworkRules, Route

pytestmark = pytest.mark.slow  # real processes and sockets


@pytest_asyncio.fixture
async def site(tmp_path):
    """A server with a certificate for localhost, whose authority is in `site/ca.pem`."""
    folder = tmp_path / "site"
    folder.mkdir()
    async with serving(Authority(folder).context("localhost")) as running:
        yield running


@pytest_asyncio.fixture
async def shop():
    async with serving() as running:
        yield running


@pytest_asyncio.fixture
async def rig(tmp_path, site, shop):
    folder = tmp_path / "c1"
    folder.mkdir()
    allow = HostRule(host="localhost", ports=(site.port,), methods=("GET",), paths=("/open/*",))
    rules = NetworkRules(
        mode="allowlist",
        allow=(allow,),
        terminate=("localhost",),
        private=("localhost",),
        routes=(Route(host="shop.test", to=f"127.0.0.1:{shop.port}"),),
    )
    async with door(folder, rules, trust=trusting(tmp_path / "site" / "ca.pem")) as opened:
        yield opened


async def speak(rig: Rig, host: str, port: int, requests: bytes, count: int) -> list[bytes]:
    reader, writer = await rig.tunnel(host, port)
    await writer.start_tls(trusting(rig.folder / "ca.pem"), server_hostname=host)
    writer.write(requests)
    answers = [await reply(reader) for _ in range(count)]
    writer.close()
    return answers


def ask(method: str, path: str, host: str = "localhost") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n".encode()


async def test_methods_and_paths_inside_tls_are_judged_one_by_one(rig: Rig, site: Server):
    requests = (
        ask("GET", "/open/a?secret=1")
        + ask("GET", "/closed")
        + ask("POST", "/open/a")
        + ask("GET", "/open/../closed")
        + ask("GET", "/open/b")
    )
    answers = await speak(rig, "localhost", site.port, requests, 5)
    assert [one.split(b" ")[1] for one in answers] == [b"200", b"403", b"403", b"403", b"200"]
    assert [one.split(b" ")[1] for one in site.requests] == [b"/open/a?secret=1", b"/open/b"]
    lines = (await rig.lines(6))[1:]
    assert [one.path for one in lines][:2] == ["/open/a", "/closed"]
    assert all(one.tls and one.host == "localhost" for one in lines)
    assert site.connections == 1


async def test_the_real_certificate_is_verified(tmp_path, site: Server):
    folder = tmp_path / "strict"
    folder.mkdir()
    rules = NetworkRules(mode="open", terminate=("localhost",), private=("localhost",))
    async with door(folder, rules, trust=ssl.create_default_context()) as rig:
        (answer,) = await speak(rig, "localhost", site.port, ask("GET", "/"), 1)
        assert answer.startswith(b"HTTP/1.1 502")
        assert b"certificate of localhost is not valid" in answer
    assert site.requests == []


async def test_the_real_certificate_must_name_the_host(tmp_path, site: Server):
    folder = tmp_path / "strict"
    folder.mkdir()
    rules = NetworkRules(mode="open", terminate=("127.0.0.1",), private=("127.0.0.1",))
    async with door(folder, rules, trust=trusting(tmp_path / "site" / "ca.pem")) as rig:
        (answer,) = await speak(rig, "127.0.0.1", site.port, ask("GET", "/"), 1)
        assert answer.startswith(b"HTTP/1.1 502")
        assert b"certificate of 127.0.0.1 is not valid" in answer
    assert site.requests == []


async def test_a_routed_host_is_https_to_the_computer_and_http_to_the_application(
    rig: Rig, shop: Server
):
    requests = ask("GET", "/cart", "shop.test") + ask("GET", "/pay", "evil.test")
    first, second = await speak(rig, "shop.test", 443, requests, 2)
    assert first.endswith(b"/cart")
    assert second.endswith(b"/pay")
    assert all(b"\r\nHost: shop.test\r\n" in one for one in shop.requests)
    assert all(b"\r\nX-Forwarded-Proto: https\r\n" in one for one in shop.requests)


async def test_a_routed_host_may_be_a_unix_socket(rig: Rig, tmp_path):
    server = Server()
    path = tmp_path / "app.sock"
    async with await asyncio.start_unix_server(server.serve, path):
        rig.gate.update(NetworkRules(routes=(Route(host="*.apps.test", to=f"unix:{path}"),)))
        (answer,) = await speak(rig, "a.apps.test", 443, ask("GET", "/x", "a.apps.test"), 1)
        assert answer.endswith(b"/x")


async def test_only_http_1_is_offered(rig: Rig):
    _, writer = await rig.tunnel("shop.test", 443)
    context = trusting(rig.folder / "ca.pem")
    context.set_alpn_protocols(["h2", "http/1.1"])
    await writer.start_tls(context, server_hostname="shop.test")
    assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
    writer.close()


async def test_without_tls_nothing_is_answered_on_port_443(rig: Rig, shop: Server):
    reader, writer = await rig.tunnel("shop.test", 443)
    writer.write(ask("GET", "/", "shop.test"))
    assert await reader.read() == b""
    writer.close()
    assert shop.requests == []


async def test_another_server_name_than_the_routed_host_is_cut(rig: Rig):
    _, writer = await rig.tunnel("shop.test", 443)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await writer.start_tls(trusting(rig.folder / "ca.pem"), server_hostname="localhost")
    writer.close()


async def test_a_caller_that_does_not_trust_the_authority_is_in_the_log(rig: Rig):
    _, writer = await rig.tunnel("shop.test", 443)
    with pytest.raises(ssl.SSLError):
        await writer.start_tls(ssl.create_default_context(), server_hostname="shop.test")
    writer.close()
    assert (await rig.lines(2))[1].verdict == "failed"


def test_each_computer_has_an_authority_of_its_own_that_stays(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
    first = certificate(one).read_bytes()
    assert first != certificate(other).read_bytes()
    (one / "ca.pem").unlink()
    assert certificate(one).read_bytes() == first
    assert b"PRIVATE" not in first
    assert stat.S_IMODE((one / "ca.key").stat().st_mode) == 0o600
    assert {path.name for path in one.iterdir()} == {"ca.pem", "ca.key"}
