"""Connects a container to the host's proxy. Nothing can be planted in its empty network, so the
proxy listens at a unix socket in a folder that is bound read-only, and our daemon inside leads
127.0.0.1:3128 there."""

import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

from doer.computers.local.folders import Folders
from doer.computers.local.networking import Networking
from doer.computers.network.client import FOLDER, ProxyClient
from doer.errors import ComputerError

SOCKET = "proxy.sock"
BACKLOG = 128


class ContainerNetworking(Networking):
    """`pid`: the first process of a computer, by its name; 0 when it is not known."""

    def __init__(self, folders: Folders, pid: Callable[[str], int]) -> None:
        super().__init__(folders)
        self._folders_of_all, self._pid = folders, pid

    async def disconnect(self, name: str) -> None:
        """Close the door of one that has ended; a proxy that has gone has closed it already."""
        with contextlib.suppress(ComputerError):
            await ProxyClient(self._folders_of_all.root / FOLDER).unregister(name)

    def _fetch(self, name: str) -> tuple[int, int]:
        pid = self._pid(name)
        listener = listen(self._folders_of_all.of(name) / "proxy")
        # Of a machine within the machine, the number would mean nobody here.
        return (pid if pid and Path("/proc", str(pid)).exists() else 0), listener


def listen(folder: Path) -> int:
    """The descriptor of a new listener in this folder, in the place of an old one."""
    inner = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    path = f"/proc/self/fd/{inner}/{SOCKET}"
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(SOCKET, dir_fd=inner)  # noqa: PTH108
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            os.chmod(path, 0o666)  # noqa: PTH101 (who may not come this far sees no folder either)
            listener.listen(BACKLOG)
            return listener.detach()
    finally:
        os.close(inner)
