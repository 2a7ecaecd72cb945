"""Copies a tree of files as an overlay keeps it: whiteouts, `user.*` attributes, hard links, holes.

The tree belongs to whoever works in the computer and may be made to trick a copier, so nothing is
ever followed: folders and files are opened from their parent's descriptor, and what is neither
file, folder, link, pipe nor whiteout is left out.
"""

import contextlib
import errno
import fcntl
import os
import stat

MAX_DEPTH = 200
_CLONE = 0x40049409
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Copier:
    """Copies trees; files that were linked to each other are so in the copy."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], str] = {}
        self._cloning = self._ranging = True

    def copy(self, source: str, target: str) -> None:
        """Fill `target`, an empty folder. Raises `OSError`."""
        here, there = os.open(source, _FOLDER), os.open(target, _FOLDER)
        self._top = there
        try:
            self._folder(here, there, "")
            _dress(here, there)
        finally:
            os.close(here)
            os.close(there)

    def _folder(self, here: int, there: int, path: str) -> None:
        if path.count("/") > MAX_DEPTH:
            raise OSError(errno.ELOOP, f"folders lie more than {MAX_DEPTH} deep in each other")
        for name in os.listdir(here):
            seen = os.stat(name, dir_fd=here, follow_symlinks=False)
            kind = stat.S_IFMT(seen.st_mode)
            if kind == stat.S_IFDIR:
                self._subfolder(name, here, there, path)
            elif self._link(name, there, path, seen):
                continue
            elif kind == stat.S_IFREG:
                self._file(name, here, there)
            elif kind == stat.S_IFLNK:
                os.symlink(os.readlink(name, dir_fd=here), name, dir_fd=there)
            elif kind == stat.S_IFIFO or (kind == stat.S_IFCHR and seen.st_rdev == 0):
                os.mknod(name, seen.st_mode, 0, dir_fd=there)

    def _subfolder(self, name: str, here: int, there: int, path: str) -> None:
        os.mkdir(name, 0o700, dir_fd=there)
        inner_here = os.open(name, _FOLDER, dir_fd=here)
        try:
            inner_there = os.open(name, _FOLDER, dir_fd=there)
            try:
                self._folder(inner_here, inner_there, f"{path}{name}/")
                _dress(inner_here, inner_there)
            finally:
                os.close(inner_there)
        finally:
            os.close(inner_here)

    def _link(self, name: str, there: int, path: str, seen: os.stat_result) -> bool:
        """Whether it could be linked to what was copied already."""
        if seen.st_nlink < 2:
            return False
        key = (seen.st_dev, seen.st_ino)
        if key in self._seen:
            with contextlib.suppress(OSError):
                os.link(
                    self._seen[key],
                    name,
                    src_dir_fd=self._top,
                    dst_dir_fd=there,
                    follow_symlinks=False,
                )
                return True
        self._seen[key] = path + name
        return False

    def _file(self, name: str, here: int, there: int) -> None:
        source = os.open(name, os.O_RDONLY | _FILE, dir_fd=here)
        try:
            target = os.open(
                name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE, 0o600, dir_fd=there
            )
            try:
                self._content(source, target)
                _dress(source, target)
            finally:
                os.close(target)
        finally:
            os.close(source)

    def _content(self, source: int, target: int) -> None:
        size = os.fstat(source).st_size
        if size == 0:
            return
        if self._cloning:
            try:
                fcntl.ioctl(target, _CLONE, source)
                return
            except OSError:
                self._cloning = False  # this file system cannot
        os.ftruncate(target, size)
        start = 0
        while start < size:
            try:
                start = os.lseek(source, start, os.SEEK_DATA)
            except OSError:  # nothing but a hole is left
                return
            end = os.lseek(source, start, os.SEEK_HOLE)
            while start < end:
                done = self._piece(source, target, start, end - start)
                if done == 0:
                    return
                start += done

    def _piece(self, source: int, target: int, start: int, size: int) -> int:
        if self._ranging:
            try:
                return os.copy_file_range(source, target, size, start, start)
            except OSError:
                self._ranging = False  # the two lie on different file systems
        os.lseek(target, start, os.SEEK_SET)
        return os.sendfile(target, source, start, size)


def _dress(source: int, target: int) -> None:
    """Attributes, mode and times."""
    for name in os.listxattr(source):
        if name.startswith("user."):
            os.setxattr(target, name, os.getxattr(source, name))
    seen = os.fstat(source)
    os.fchmod(target, seen.st_mode & 0o777)
    os.utime(target, ns=(seen.st_atime_ns, seen.st_mtime_ns))
