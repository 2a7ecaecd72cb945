"""Wild bytes at a door: what is not allowed is not reached, and nothing breaks."""

import asyncio
import logging
import random
import ssl
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proxy_rig import Rig, careless, door, serving

from doer.computers.network.gate import Deadlines
from doer.records.computer import HostRule, NetworkRules, Route

pytestmark = pytest.mark.slow  # real processes and sockets

PIECES = [
    b"GET ",
    b"POST ",
    b"CONNECT ",
    b"OPTIONS * ",
    b"http://shop.test/",
    b"http://shop.test",
    b"http://evil.test/",
    b"shop.test:443",
    b"shop.test:80",
    b"evil.test:443",
    b"@evil.test",
    b" HTTP/1.1\r\n",
    b" HTTP/1.0\r\n",
    b"Host: shop.test\r\n",
    b"Host: evil.test\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"Connection: upgrade, host, content-length\r\n",
    b"Upgrade: websocket\r\n",
    b"Expect: 100-continue\r\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b" folded\r\n",
    b"hello",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"ffffffffffffffff\r\n",
    b"\x05\x01\x00",
    b"\x05\x01\x00\x03\x09shop.test\x00\x50",
    b"\x05\x01\x00\x03\x09evil.test\x01\xbb",
    b"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50",
    b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
]

wild = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=12)), max_size=14)
QUICK = Deadlines(ask_s=0.2, stall_s=0.2, answer_s=0.5, idle_s=0.2, half_open_s=0.2)


async def throw(rig: Rig, data: bytes) -> None:
    reader, writer = await rig.connect()
    try:
        writer.write(data)
        writer.write_eof()
        async with asyncio.timeout(20):
            await reader.read()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def throw_all(streams: list[bytes]) -> list[bytes]:
    """Throw them at one door, one after the other; the requests that came through."""
    with tempfile.TemporaryDirectory() as folder:
        async with serving() as server:
            rules = NetworkRules(
                mode="allowlist",
                allow=(HostRule(host="allowed.test"),),
                routes=(Route(host="shop.test", to=f"127.0.0.1:{server.port}"),),
            )
            async with door(Path(folder), rules, deadlines=QUICK) as rig:
                for data in streams:
                    await throw(rig, data)
                assert rig.gate.log.lost == 0
            return server.requests


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(wild.map(b"".join), min_size=1, max_size=3))
def test_wild_bytes_reach_the_allowed_host_or_nothing(streams):
    faults = Faults()
    logging.getLogger("doer.computers.network.door").addHandler(faults)
    try:
        requests = asyncio.run(throw_all(streams))
    finally:
        logging.getLogger("doer.computers.network.door").removeHandler(faults)
    assert faults.told == []
    for head in requests:
        hosts = [one for one in head.split(b"\r\n") if one.lower().startswith(b"host:")]
        assert hosts in ([b"Host: shop.test"], [b"Host: shop.test:443"])
        assert b"\n" not in head.replace(b"\r\n", b"")


class Faults(logging.Handler):
    """What the door could not explain to itself."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())


@pytest.mark.parametrize("seed", range(6))
async def test_broken_tls_in_a_tunnel_ends_it_and_no_more(tmp_path, seed, caplog):
    choose = random.Random(seed)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = careless().wrap_bio(incoming, outgoing, server_hostname="shop.test")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    hello = bytearray(outgoing.read())
    for _ in range(seed):
        hello[choose.randrange(5, len(hello))] = choose.randrange(256)
    rules = NetworkRules(routes=(Route(host="shop.test", to="127.0.0.1:1"),))
    async with door(tmp_path, rules, deadlines=QUICK) as rig:
        head = b"CONNECT shop.test:443 HTTP/1.1\r\nHost: x\r\n\r\n"
        await throw(rig, head + bytes(hello) + choose.randbytes(seed * 100))
    assert [one for one in caplog.records if one.levelname == "ERROR"] == []
