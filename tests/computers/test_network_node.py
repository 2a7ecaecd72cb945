"""The proxy as a process: started once, handed sockets, found again, and replaced when it dies."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import stat
import sys
from pathlib import Path

import pytest
import pytest_asyncio
from proxy_rig import PATIENCE_S, page, reply, serving

from doer.computers.network.client import ProxyClient, ensure
from doer.errors import ComputerError, ConfigError
from doer.records.computer import HostRule, NetworkRules, Route

pytestmark = pytest.mark.slow


@pytest_asyncio.fixture
async def root(tmp_path):
    yield tmp_path
    with contextlib.suppress(ComputerError):
        proxy = ProxyClient(tmp_path / ".proxy")
        os.kill(await proxy.pid(), signal.SIGTERM)
        await proxy.lost()


@pytest_asyncio.fixture
async def shop():
    async with serving() as server:
        yield server


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "c1"
    path.mkdir()
    return path


def rules_to(server) -> NetworkRules:
    return NetworkRules(routes=(Route(host="shop.test", to=f"127.0.0.1:{server.port}"),))


async def fetch(listener: socket.socket, path: str = "/") -> bytes:
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(f"GET http://shop.test{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    try:
        return await reply(reader)
    finally:
        writer.close()


async def test_a_computer_is_served_and_counted_until_it_is_unregistered(
    root, folder, listener, shop
):
    proxy = await ensure(root)
    await proxy.register("c1", listener, rules_to(shop), folder)
    assert await proxy.ping() == ("c1",)
    assert (await fetch(listener, "/a")).endswith(b"/a")
    stats = await proxy.stats("c1")
    assert stats.up > 0
    assert stats.down > 0
    await proxy.update("c1", NetworkRules())
    assert (await fetch(listener)).startswith(b"HTTP/1.1 403")
    with pytest.raises(ConfigError):
        await proxy.update("c1", NetworkRules(allow=(HostRule(host="a b"),)))
    await proxy.unregister("c1")
    await proxy.unregister("c1")
    with pytest.raises(ComputerError, match="not registered"):
        await proxy.stats("c1")


async def test_a_killed_proxy_is_started_again_and_takes_the_same_socket(
    root, folder, listener, shop
):
    proxy = await ensure(root)
    await proxy.register("c1", listener, rules_to(shop), folder)
    await fetch(listener)
    authority = (folder / "ca.pem").read_bytes()
    os.kill(await proxy.pid(), signal.SIGKILL)
    await proxy.lost()
    with pytest.raises(ComputerError, match="does not run"):
        await proxy.ping()
    again = await ensure(root)
    assert await again.ping() == ()
    await again.register("c1", listener, rules_to(shop), folder)
    assert (await fetch(listener, "/b")).endswith(b"/b")
    assert (folder / "ca.pem").read_bytes() == authority


async def test_a_proxy_that_hangs_is_replaced(root, monkeypatch):
    proxy = await ensure(root)
    hung = await proxy.pid()
    monkeypatch.setattr("doer.computers.network.client._ORDER_S", 3)
    os.kill(hung, signal.SIGSTOP)
    assert await (await ensure(root)).pid() != hung


async def test_many_starters_make_one_proxy(root):
    clients = await asyncio.gather(*(ensure(root) for _ in range(4)))
    assert len({await one.pid() for one in clients}) == 1


async def test_it_ends_by_itself_when_no_computer_is_left(root, folder, listener, shop):
    proxy = await ensure(root, idle_s=0.2)
    await proxy.register("c1", listener, rules_to(shop), folder)
    lost = asyncio.ensure_future(proxy.lost())
    await fetch(listener)
    assert not lost.done()
    await proxy.unregister("c1")
    async with asyncio.timeout(PATIENCE_S):
        await lost


async def test_a_registration_ends_with_its_process(root, folder, listener, shop):
    proxy = await ensure(root, idle_s=0.2)
    keeper = await asyncio.create_subprocess_exec("sleep", "1000")
    await proxy.register("c1", listener, rules_to(shop), folder, pid=keeper.pid)
    lost = asyncio.ensure_future(proxy.lost())
    await fetch(listener)
    keeper.kill()
    await keeper.wait()
    async with asyncio.timeout(PATIENCE_S):
        await lost


async def test_it_survives_the_process_that_started_it_and_a_deep_folder(tmp_path):
    root = tmp_path / ("deep" * 20) / ("deeper" * 10)
    code = f"import asyncio, pathlib; from doer.computers.network import client; \
        asyncio.run(client.ensure(pathlib.Path({str(root)!r})))"
    starter = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await starter.wait() == 0
    proxy = ProxyClient(root / ".proxy")
    pid = await proxy.pid()
    assert os.getsid(pid) == pid
    os.kill(pid, signal.SIGTERM)
    await proxy.lost()


async def test_only_this_user_may_give_orders(root):
    await ensure(root)
    assert stat.S_IMODE((root / ".proxy").stat().st_mode) == 0o700
    assert stat.S_IMODE((root / ".proxy" / "control.sock").stat().st_mode) == 0o600


@pytest.mark.parametrize("order", [b"", b"\xff\xff\xff\xff", b"\0\0\0\4nope", b"\0\0\0\2{}"])
async def test_nonsense_on_the_control_socket_harms_nobody(root, order):
    proxy = await ensure(root)
    with control_socket(root) as sock:
        sock.sendall(order)
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1000)
    await proxy.ping()


@contextlib.contextmanager
def control_socket(root: Path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(PATIENCE_S)
        here = os.open(root / ".proxy", os.O_RDONLY)
        sock.connect(f"/proc/self/fd/{here}/control.sock")
        os.close(here)
        yield sock


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
async def test_curl_as_a_client(root, folder, listener, shop):
    shop.answers["/big"] = page("x" * 1_000_000)
    proxy = await ensure(root)
    await proxy.register("c1", listener, rules_to(shop), folder)
    port = listener.getsockname()[1]

    async def curl(scheme: str, *words: str) -> tuple[int, bytes]:
        running = await asyncio.create_subprocess_exec(
            *("curl", "-sS", "-m", "20", "-x", f"{scheme}://127.0.0.1:{port}", *words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await running.communicate()
        return running.returncode or 0, said

    ca = ("--cacert", str(folder / "ca.pem"))
    assert await curl("http", "http://shop.test/a") == (0, b"/a")
    assert await curl("http", "http://shop.test/a", "http://shop.test/b") == (0, b"/a/b")
    assert await curl("http", *ca, "https://shop.test/a", "https://shop.test/b") == (0, b"/a/b")
    assert await curl("socks5h", *ca, "https://shop.test/a") == (0, b"/a")
    assert await curl("socks5h", "http://shop.test/a") == (0, b"/a")
    assert (await curl("http", "-d", "@/dev/null", "http://shop.test/p"))[1] == b"/p"
    assert len((await curl("http", *ca, "https://shop.test/big"))[1]) == 1_000_000
    code, said = await curl("http", "https://evil.test/")
    assert code != 0
    assert b"403" in said
    assert b"network of this computer is off" in (await curl("http", "http://evil.test/"))[1]
    assert (await curl("socks5h", "http://evil.test/"))[0] != 0
