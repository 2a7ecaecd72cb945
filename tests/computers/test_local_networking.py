"""Rules that change while a computer is being connected to the proxy."""

import asyncio
import contextlib
import os
import signal
import socket

import pytest

from doer.computers.local.backend import LocalBackend
from doer.computers.local.folders import Folders, Owner
from doer.computers.local.networking import Networking
from doer.computers.network.client import FOLDER, ProxyClient
from doer.errors import ComputerError
from doer.records.computer import NetworkRules, Spec

pytestmark = pytest.mark.slow
PATIENCE_S = 60


class Planted(Networking):
    """Its listener is one of this machine, and rules change just when it is asked for."""

    def __init__(self, folders: Folders, listener: socket.socket) -> None:
        super().__init__(folders)
        self._folders_of_all, self._listener = folders, listener

    def _fetch(self, name: str) -> tuple[int, int]:
        spec = Spec(network=NetworkRules(mode="off"))
        self._folders_of_all.write_spec(name, spec)
        return os.getpid(), self._listener.dup().detach()


@pytest.fixture
async def root(tmp_path):
    root = tmp_path / "computers"
    yield root
    with contextlib.suppress(ComputerError):
        proxy = ProxyClient(root / FOLDER)
        os.kill(await proxy.pid(), signal.SIGTERM)
        await proxy.lost()


async def test_the_rules_that_were_set_last_hold(root):
    was = NetworkRules(mode="allowlist")
    await LocalBackend(root).create("one", Spec(network=was))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await Planted(Folders(root, Owner.here(210_000)), listener).connect("one", was)
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            writer.write(b"GET http://example.test/ HTTP/1.1\r\nHost: example.test\r\n\r\n")
            assert "is off" in (await reader.readuntil(b"allow it.")).decode()
            writer.close()
