"""What a computer takes of the disk and of memory that no process owns.

The folders are walked from descriptor to descriptor: whoever works in them can neither lead the
walk elsewhere nor hide files from it.
"""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from doer.computers.local.keeper.tree import DAEMON, Tree

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


def nameless(tree: Tree, pids: list[int]) -> tuple[int, int]:
    """Bytes of open files without a name, on disk and in memory (memfd and the like). Those in
    `in_memory_file_systems` are left to it."""
    on_disk, in_memory, counted = 0, 0, set[tuple[int, int]]()
    memory, elsewhere = _device_of_memory(), {*_devices(tree)}
    for seen in _open_files(tree, pids):
        key = (seen.st_dev, seen.st_ino)
        if seen.st_nlink or not stat.S_ISREG(seen.st_mode) or key in counted:
            continue
        counted.add(key)
        if seen.st_dev == memory:
            in_memory += seen.st_blocks * BLOCK
        elif seen.st_dev not in elsewhere:
            on_disk += seen.st_blocks * BLOCK
    return on_disk, in_memory


def in_memory_file_systems(tree: Tree) -> int:
    """Bytes in the computer's /tmp and /dev/shm."""
    total = 0
    for place in _IN_MEMORY:
        with contextlib.suppress(OSError):
            seen = os.statvfs(tree.place(DAEMON, f"root/{place}"))
            total += (seen.f_blocks - seen.f_bfree) * seen.f_frsize
    return total


def files_in_memory_of_all() -> int:
    """Bytes of such files on the whole machine."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("Shmem:"):
            return int(line.split()[1]) * 1024
    return 0


def _devices(tree: Tree) -> Iterator[int]:
    for place in _IN_MEMORY:
        with contextlib.suppress(OSError):
            yield Path(tree.place(DAEMON, f"root/{place}")).stat().st_dev


def _device_of_memory() -> int:
    """All memfds of a machine, ours too, lie on one device of the kernel's."""
    ours = os.memfd_create("device")
    try:
        return os.fstat(ours).st_dev
    finally:
        os.close(ours)


def _open_files(tree: Tree, pids: list[int]) -> Iterator[os.stat_result]:
    for pid in pids:
        with contextlib.suppress(OSError):
            for fd in os.listdir(tree.place(pid, "fd")):  # noqa: PTH208
                with contextlib.suppress(OSError):
                    yield Path(tree.place(pid, f"fd/{fd}")).stat()
