"""Logs of what is started, in one folder and bounded in size: whoever writes appends, so a log can
be cut at any time."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress

from loop import sleep, start

MAX_BYTES = 1 << 20
_LOOK_S = 10.0


class Journal:
    _watched: set[str] = set()

    def __init__(self, folder: str) -> None:
        self._folder = folder

    @contextmanager
    def open(self, name: str) -> Generator[int, None, None]:
        """A descriptor to write a log by, for a program to inherit."""
        path = os.path.join(self._folder, name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            fd = os.open(path, flags, 0o600)
        except OSError:
            clear(path)
            fd = os.open(path, flags, 0o600)
        try:
            yield fd
        finally:
            os.close(fd)
        if path not in self._watched:
            self._watched.add(path)
            start(_bound(path))


def clear(path: str) -> None:
    """Make room for a file of ours: whatever the agent has put there goes, or goes aside."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except OSError:
        os.rename(path, f"{path}.{os.urandom(4).hex()}")


async def _bound(path: str) -> None:
    while True:
        await sleep(_LOOK_S)
        with suppress(OSError):
            if os.path.getsize(path) > MAX_BYTES:
                os.truncate(path, 0)
