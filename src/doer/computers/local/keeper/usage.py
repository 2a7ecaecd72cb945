"""What a computer takes of the disk and of memory that no process owns.

The folders are walked from descriptor to descriptor: whoever works in them can neither lead the
walk elsewhere nor hide files from it.
"""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

BLOCK = 512
_IN_MEMORY = ("tmp", "dev/shm")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def blocks(folder: str) -> int:
    """Bytes on disk of everything below a folder. A file with several names counts once."""
    total, linked = 0, set[int]()
    open_folders: list[tuple[int, list[str]]] = []
    _descend(open_folders, folder, None)
    try:
        while open_folders:
            fd, names = open_folders[-1]
            if not names:
                os.close(open_folders.pop()[0])
                continue
            name = names.pop()
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                seen = os.stat(name, dir_fd=fd, follow_symlinks=False)
                if seen.st_nlink > 1 and not stat.S_ISDIR(seen.st_mode):
                    if seen.st_ino in linked:
                        continue
                    linked.add(seen.st_ino)
                total += seen.st_blocks * BLOCK
                if stat.S_ISDIR(seen.st_mode):
                    _descend(open_folders, name, fd)
    finally:
        for fd, _ in open_folders:
            os.close(fd)
    return total


def _descend(open_folders: list[tuple[int, list[str]]], name: str, fd: int | None) -> None:
    inner = os.open(name, _FOLDER, dir_fd=fd)
    try:
        open_folders.append((inner, os.listdir(inner)))  # noqa: PTH208
    except OSError:
        os.close(inner)
        raise


def nameless(pids: list[int], inside: int) -> tuple[int, int]:
    """Bytes of open files without a name, on disk and in memory (memfd and the like). Those in
    `in_memory_file_systems`, which the process `inside` sees, are left to it."""
    on_disk, in_memory, counted = 0, 0, set[tuple[int, int]]()
    memory, elsewhere = _device_of_memory(), {*_devices(inside)}
    for seen in _open_files(pids):
        key = (seen.st_dev, seen.st_ino)
        if seen.st_nlink or not stat.S_ISREG(seen.st_mode) or key in counted:
            continue
        counted.add(key)
        if seen.st_dev == memory:
            in_memory += seen.st_blocks * BLOCK
        elif seen.st_dev not in elsewhere:
            on_disk += seen.st_blocks * BLOCK
    return on_disk, in_memory


def in_memory_file_systems(inside: int) -> int:
    """Bytes in the /tmp and /dev/shm that a process of the computer sees."""
    total = 0
    for place in _IN_MEMORY:
        with contextlib.suppress(OSError):
            seen = os.statvfs(f"/proc/{inside}/root/{place}")
            total += (seen.f_blocks - seen.f_bfree) * seen.f_frsize
    return total


def _devices(inside: int) -> Iterator[int]:
    for place in _IN_MEMORY:
        with contextlib.suppress(OSError):
            yield Path(f"/proc/{inside}/root/{place}").stat().st_dev


def _device_of_memory() -> int:
    """All memfds of a machine, ours too, lie on one device of the kernel's."""
    ours = os.memfd_create("device")
    try:
        return os.fstat(ours).st_dev
    finally:
        os.close(ours)


def _open_files(pids: list[int]) -> Iterator[os.stat_result]:
    for pid in pids:
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208
                with contextlib.suppress(OSError):
                    yield Path(f"/proc/{pid}/fd/{fd}").stat()
