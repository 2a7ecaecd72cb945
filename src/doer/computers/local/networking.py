"""Connects a running computer to the node's proxy: its planted listener, and its rules."""

import asyncio
import contextlib
import os
import socket
from pathlib import Path

from doer.computers.local.folders import Folders
from doer.computers.local.sockets import call
from doer.computers.network.authority import certificate
from doer.computers.network.client import ProxyClient, ensure
from doer.errors import ComputerError, boundary
from doer.records.computer import NetworkRules

FOLDER = "network"
"""Of a computer: the proxy's log and the key of its authority. Not seen inside."""


class Networking:
    """Every method raises `ComputerError` when there is no proxy and none can be started."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def authority(self, name: str) -> str:
        """The certificate that the proxy speaks for, as PEM, made on first use."""
        with boundary(ComputerError, f"the authority of {name}"):
            return certificate(self.folder(name)).read_text()

    async def proxy(self) -> ProxyClient:
        return await ensure(self._folders.root)

    async def connect(self, name: str, rules: NetworkRules) -> None:
        """Hand the listener to the proxy; what was connected before is replaced."""
        proxy = await self.proxy()
        pid, fd = await asyncio.to_thread(self._fetch, name)
        with socket.socket(fileno=fd) as listener:
            await proxy.register(name, listener, rules, self.folder(name), pid)
        now = (await asyncio.to_thread(self._folders.spec, name)).network
        if now != rules:  # changed since they were read, by somebody who found no door to tell
            await proxy.update(name, now)

    async def mend(self, name: str, rules: NetworkRules) -> bool:
        """Connect it when the proxy does not know it: it was started anew. True when so."""
        lost = name not in (await self.proxy()).names
        if lost:
            await self.connect(name, rules)
        return lost

    async def change(self, name: str, rules: NetworkRules) -> None:
        """Judge a running computer's requests by these rules from now on."""
        try:
            await (await self.proxy()).update(name, rules)
        except ComputerError:
            await self.connect(name, rules)

    def _fetch(self, name: str) -> tuple[int, int]:
        """The keeper's process id, and a copy of its listener."""
        host, uid = self._folders.of(name) / "host", self._folders.owner.uid
        pid = call(host, uid, {"op": "ping"}).told["pid"]
        fds = call(host, uid, {"op": "listener"}).fds
        if len(fds) == 1:
            return pid, fds[0]
        for fd in fds:
            os.close(fd)
        raise ComputerError(f"the keeper of {name} gave no listener")

    def folder(self, name: str) -> Path:
        folder = self._folders.existing(name) / FOLDER
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        return folder
