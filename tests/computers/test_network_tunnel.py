"""CONNECT and SOCKS: hosts and ports, the server name of TLS, and who speaks first."""

import asyncio
import socket
import ssl

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from proxy_rig import PATIENCE_S, Rig, Server, careless, door, reply, serving, socks_to

from doer.computers.network import hello
from doer.computers.network.authority import Authority
from doer.records.computer import HostRule, NetworkRules

pytestmark = pytest.mark.slow  # real processes and sockets


@pytest_asyncio.fixture
async def secure(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    async with serving(Authority(folder).context("localhost")) as running:
        yield running


@pytest_asyncio.fixture
async def plain():
    async with serving() as running:
        yield running


@pytest_asyncio.fixture
async def rig(tmp_path, secure, plain):
    ports = (secure.port, plain.port)
    rules = NetworkRules(
        mode="allowlist",
        allow=(
            HostRule(host="localhost", ports=ports),
            HostRule(host="127.0.0.1", ports=ports),
            HostRule(host="narrow.test", paths=("/a",)),
            HostRule(host="10.0.0.1"),
        ),
        private=("localhost", "127.0.0.1"),
    )
    async with door(tmp_path, rules) as opened:
        yield opened


async def test_tls_to_the_host_that_was_asked_for_passes(rig: Rig, secure: Server):
    reader, writer = await rig.tunnel("LOCALHOST.", secure.port)
    await writer.start_tls(careless(), server_hostname="localhost")
    writer.write(b"GET /in HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await reply(reader)).endswith(b"/in")
    writer.close()
    opened, closed = await rig.lines(2)
    assert (opened.verdict, opened.kind, opened.host) == ("allowed", "connect", "localhost")
    assert closed.verdict == "closed"
    assert closed.down > 1000  # the certificate is among it


@pytest.mark.parametrize("name", ["evil.test", None])
async def test_tls_for_another_host_or_for_none_is_cut(rig: Rig, secure: Server, name):
    _, writer = await rig.tunnel("localhost", secure.port)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await writer.start_tls(careless(), server_hostname=name or "127.0.0.1")
    writer.close()
    assert (await rig.lines(1))[-1].rule == "server name"
    assert secure.requests == []


async def test_tls_to_an_address_needs_no_name(rig: Rig, secure: Server):
    reader, writer = await rig.tunnel("127.0.0.1", secure.port)
    await writer.start_tls(careless(), server_hostname="127.0.0.1")
    writer.write(b"GET /in HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await reply(reader)).endswith(b"/in")
    writer.close()


DENIED = ["evil.test:443", "localhost:443", "localhost:22", "10.0.0.1:443", "0x0a000001:443"]


@pytest.mark.parametrize("where", DENIED)
async def test_a_denied_connect_is_told_why(rig: Rig, where):
    head = f"CONNECT {where} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = await rig.ask(head.encode())
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"Doer's network proxy: " in answer
    assert (await rig.lines(1))[0].verdict == "denied"


@pytest.mark.parametrize(
    "where", ["localhost", "a b:443", "user@localhost:443", "localhost:0", "/"]
)
async def test_a_connect_to_what_is_no_host_is_malformed(rig: Rig, where):
    answer = await rig.ask(f"CONNECT {where} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 400")


async def test_bytes_sent_along_with_connect_are_not_lost(rig: Rig, plain: Server):
    reader, writer = await rig.connect()
    head = f"CONNECT localhost:{plain.port} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    writer.write(head + b"GET /early HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await reply(reader)).startswith(b"HTTP/1.1 200")
    assert (await reply(reader)).endswith(b"/early")
    writer.close()


async def test_a_server_may_speak_first(rig: Rig, tmp_path):
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        writer.write((await reader.readline()).upper())
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        rules = NetworkRules(mode="open", private=("localhost",))
        rig.gate.update(rules)
        reader, writer = await rig.tunnel("localhost", port)
        assert await reader.readline() == b"220 ready\r\n"
        writer.write(b"helo\r\n")
        writer.write_eof()
        assert await reader.read() == b"HELO\r\n"
        writer.close()


async def test_half_of_a_tunnel_may_end_before_the_other(rig: Rig):
    async def echo_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read())
        writer.close()

    async with await asyncio.start_server(echo_at_the_end, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        rig.gate.update(NetworkRules(mode="open", private=("localhost",)))
        reader, writer = await rig.tunnel("localhost", port)
        writer.write(b"x" * 300_000)
        writer.write_eof()
        async with asyncio.timeout(PATIENCE_S):
            assert await reader.read() == b"x" * 300_000
        writer.close()


async def test_nothing_but_tls_passes_on_port_443(tmp_path):
    try:
        listener = socket.create_server(("127.0.0.77", 443))
    except OSError as error:
        pytest.skip(f"port 443 cannot be bound here: {error}")
    rules = NetworkRules(mode="open", private=("127.0.0.77",))
    with listener:
        async with door(tmp_path, rules) as rig:
            reader, writer = await rig.tunnel("127.0.0.77", 443)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            async with asyncio.timeout(PATIENCE_S):
                assert await reader.read() == b""
            writer.close()
            assert "only TLS" in (await rig.lines(2))[-1].why


async def test_what_is_narrowed_is_read_or_refused(rig: Rig):
    reader, writer = await rig.tunnel("narrow.test", 80)
    writer.write(b"GET /b HTTP/1.1\r\nHost: narrow.test\r\n\r\n")
    answer = await reply(reader)
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"GET /b is not among the requests allowed" in answer
    writer.close()
    _, writer = await rig.tunnel("narrow.test", 443)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await writer.start_tls(careless(), server_hostname="narrow.test")
    writer.close()
    assert "terminate" in (await rig.lines(3))[-1].why


async def test_socks_to_a_name(rig: Rig, plain: Server):
    code, (reader, writer) = await rig.socks(socks_to("localhost", plain.port))
    assert code == 0
    writer.write(b"GET /socks HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await reply(reader)).endswith(b"/socks")
    writer.close()
    assert (await rig.lines(2))[0].kind == "socks"


async def test_socks_to_an_address(rig: Rig, plain: Server):
    number = b"\x7f\x00\x00\x01" + plain.port.to_bytes(2)
    code, (reader, writer) = await rig.socks(b"\x05\x01\x00\x01" + number)
    assert code == 0
    writer.write(b"GET /socks HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await reply(reader)).endswith(b"/socks")
    writer.close()


REFUSED = {
    "a host that is not allowed": (socks_to("evil.test", 443), 2),
    "IPv6 loopback": (b"\x05\x01\x00\x04" + bytes(15) + b"\x01\x01\xbb", 2),
    "a private address": (b"\x05\x01\x00\x01\x0a\x00\x00\x01\x01\xbb", 2),
    "UDP": (socks_to("localhost", 53, command=3), 7),
    "BIND": (socks_to("localhost", 53, command=2), 7),
    "an unknown kind of address": (b"\x05\x01\x00\x09", 8),
    "what is no name": (socks_to("a b", 443), 1),
    "an empty name": (socks_to("", 443), 1),
    "port 0": (socks_to("localhost", 0), 1),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_socks_refuses(rig: Rig, name):
    request, expected = REFUSED[name]
    code, (_, writer) = await rig.socks(request)
    assert code == expected
    writer.close()
    assert (await rig.lines(1))[0].verdict in ("denied", "malformed")


async def test_socks_with_a_password_only_is_refused(rig: Rig):
    assert await rig.ask(b"\x05\x01\x02") == b"\x05\xff"


def client_hello(name: str) -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = careless().wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


HELLO = client_hello("docs.test")


def test_the_server_name_is_read_from_any_split_into_records():
    record = HELLO[:3]
    message = HELLO[5:]
    for size in (1, 3, 4, 50, len(message)):
        parts = [message[at : at + size] for at in range(0, len(message), size)]
        data = b"".join(record + len(one).to_bytes(2) + one for one in parts)
        assert hello.read(data) == hello.Hello("docs.test")
        assert hello.read(data + b"more") == hello.Hello("docs.test")
        assert hello.read(data[:-1]) is None


@given(st.integers(0, len(HELLO) - 1), st.integers(0, 255), st.binary(max_size=20))
def test_a_broken_hello_is_refused_or_waited_for_and_never_crashes(at, byte, more):
    broken = HELLO[:at] + bytes((byte,)) + HELLO[at + 1 :]
    for data in (broken, broken[:at] + more, more):
        try:
            found = hello.read(data)
        except hello.NotTls:
            continue
        assert found is None or isinstance(found.name, str)
