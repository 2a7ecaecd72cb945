"""Waiting for things that happen in other processes, by the event itself."""

import asyncio
import os
from pathlib import Path


async def readable(fd: int) -> None:
    """Wait until a descriptor can be read, 30 s at most."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(fd, ready.set)
    try:
        async with asyncio.timeout(30):
            await ready.wait()
    finally:
        loop.remove_reader(fd)


async def gone(pid: int) -> None:
    """Wait for the end of a process, be it ours or another's."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        await readable(fd)
    finally:
        os.close(fd)


class Told:
    """A named pipe for a script to tell a line by."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    async def line(self) -> str:
        data = b""
        while not data.endswith(b"\n"):
            await readable(self._fd)
            data += os.read(self._fd, 4096)
        return data.decode().strip()

    def close(self) -> None:
        os.close(self._fd)
