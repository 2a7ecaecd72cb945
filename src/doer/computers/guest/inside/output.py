"""What is kept of an output: its head, which is sent on at once, its tail, and, when there is more
between, the whole in a file up to a limit. Memory is bounded whatever a program writes."""

from __future__ import annotations

import contextlib
import os
import time

FOLDER = ".cache/doer/output"
MAX_FILE = 64 << 20
MAX_FILES = 32


class Kept:
    def __init__(self, name: str, home: str, head: int, tail: int) -> None:
        self._name, self._home = name, home
        self._head, self._most_head, self._most_tail = bytearray(), head, tail
        self.tail = bytearray()
        self.bytes = 0
        self.path = ""
        self._file = -1
        self._written = 0

    def feed(self, data: bytes) -> bytes:
        """Take more output; what of it belongs to the head."""
        self.bytes += len(data)
        room = self._most_head - len(self._head)
        head, rest = data[:room], data[room:]
        self._head += head
        if rest:
            self.tail += rest
            if len(self.tail) > self._most_tail:
                self._spill(rest)
                del self.tail[: -self._most_tail or None]
            elif self._file >= 0:
                self._store(rest)
        return head

    @property
    def stored(self) -> int:
        """Bytes in the file."""
        return self._written

    def _spill(self, rest: bytes) -> None:
        """Everything goes to the file from the moment on that something must be left out."""
        if self.path:
            self._store(rest)
            return
        folder = os.path.join(self._home, FOLDER)
        self.path = os.path.join(folder, self._name)
        with contextlib.suppress(OSError):
            os.makedirs(folder, exist_ok=True)
            _make_room(folder)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            self._file = os.open(self.path, flags, 0o600)
        self._store(bytes(self._head))
        self._store(bytes(self.tail))

    def _store(self, data: bytes) -> None:
        data = data[: MAX_FILE - self._written]
        if self._file < 0 or not data:
            return
        try:
            self._written += os.write(self._file, data)
        except OSError:
            self.close()  # a full disk loses the file's rest, not the call

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _make_room(folder: str) -> None:
    """Delete the oldest outputs."""
    there: list[tuple[float, str]] = []
    with os.scandir(folder) as entries:
        for one in entries:
            with contextlib.suppress(OSError):
                there.append((one.stat(follow_symlinks=False).st_mtime, one.path))
    for _, path in sorted(there)[: max(0, len(there) - MAX_FILES + 1)]:
        with contextlib.suppress(OSError):
            os.unlink(path)


def new_name() -> str:
    return time.strftime("%Y%m%d-%H%M%S-") + os.urandom(3).hex()
