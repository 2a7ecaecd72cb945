"""The proxy as a process: started once, handed sockets, found again, and replaced when it dies."""

import asyncio
import os
import signal
import socket

import pytest
import pytest_asyncio
from proxy_rig import reply, serving

from doer.computers.network.client import ProxyClient, ensure
from doer.errors import ComputerError
from doer.records.computer import NetworkRules, Route


@pytest_asyncio.fixture
async def client(tmp_path):
    proxy = await ensure(tmp_path)
    yield proxy
    pid = await (await ensure(tmp_path)).pid()
    os.kill(pid, signal.SIGTERM)
    await proxy.lost()


async def fetch(port: int, url: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {url} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    answer = await reply(reader)
    writer.close()
    return answer


@pytest.mark.slow
async def test_a_registered_socket_is_served_and_comes_back_after_a_kill(tmp_path, client):
    folder = tmp_path / "c1"
    folder.mkdir()
    async with serving() as server:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        rules = NetworkRules(routes=(Route(host="shop.test", to=f"127.0.0.1:{server.port}"),))
        await client.register("c1", listener, rules, folder)
        assert (await fetch(port, "http://shop.test/a")).endswith(b"/a")
        assert (await client.stats("c1")).down > 0

        os.kill(await client.pid(), signal.SIGKILL)
        await client.lost()
        with pytest.raises(ComputerError, match="does not run"):
            await client.ping()
        again = await ensure(tmp_path)
        assert await again.ping() == ()
        await again.register("c1", listener, rules, folder)
        assert (await fetch(port, "http://shop.test/b")).endswith(b"/b")
        listener.close()


@pytest.mark.slow
async def test_many_starters_make_one_proxy(tmp_path, client: ProxyClient):
    clients = await asyncio.gather(*(ensure(tmp_path) for _ in range(5)))
    assert len({await one.pid() for one in clients}) == 1
