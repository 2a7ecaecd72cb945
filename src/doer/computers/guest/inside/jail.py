"""Paths below the home, opened name by name relative to the folder before and never through a
symbolic link: no path leads outside, whatever is exchanged while it is walked."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress

from wire import Refused

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a named pipe must not wait for its other end.
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAX_NAMES = 64


class Jail:
    def __init__(self, home: str) -> None:
        self._home = home
        self._root = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def names(self, path: str) -> list[str]:
        """The names a path is made of; none for the home itself. A path is relative to the home,
        or begins with `~/` or the home's own path."""
        if path == self._home or path.startswith(self._home + "/"):
            path = path[len(self._home) :].lstrip("/")
        elif path == "~" or path.startswith("~/"):
            path = path[2:]
        elif path.startswith("/"):
            raise Refused(f"{path} lies outside the home {self._home}; name a path below it")
        names = [name for name in path.split("/") if name not in ("", ".")]
        if ".." in names:
            raise Refused(f"{path} holds '..'; name the path without it")
        if len(names) > _MAX_NAMES:
            raise Refused(f"{path} lies too deep; use {_MAX_NAMES} names at most")
        return names

    @contextmanager
    def folder(self, names: list[str], make: bool = False) -> Generator[int, None, None]:
        """A folder, open."""
        here = os.dup(self._root)
        try:
            for at, name in enumerate(names):
                with told("/".join(names[: at + 1])):
                    if make:
                        _make(name, here)
                    inner = os.open(name, FOLDER, dir_fd=here)
                os.close(here)
                here = inner
            yield here
        finally:
            os.close(here)

    @contextmanager
    def parent(self, path: str, make: bool = False) -> Generator[tuple[int, str], None, None]:
        """The open folder a path's last name lies in, and that name."""
        names = self.names(path)
        if not names:
            raise Refused("the home itself cannot be changed; name something in it")
        with self.folder(names[:-1], make) as folder:
            yield folder, names[-1]

    @contextmanager
    def file(self, path: str) -> Generator[int, None, None]:
        """A regular file, open for reading."""
        with self.parent(path) as (folder, name):
            with told(path):
                fd = os.open(name, os.O_RDONLY | _FILE, dir_fd=folder)
            try:
                kind = os.fstat(fd).st_mode
                if stat.S_ISDIR(kind):
                    raise Refused(f"{path} is a folder; list it")
                if not stat.S_ISREG(kind):
                    raise Refused(f"{path} is no regular file; name another")
                yield fd
            finally:
                os.close(fd)


def _make(name: str, here: int) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=here)


_WORDS = {
    errno.ENOENT: "there is no {}; list the folder to see what there is",
    errno.ELOOP: "{} is a symbolic link and is not followed; name what it points to",
    errno.ENOTDIR: "{} is not a folder, or a symbolic link, which is not followed",
    errno.EISDIR: "{} is a folder",
    errno.EEXIST: "{} is there already; name another, or replace it",
    errno.ENOTEMPTY: "{} is a folder that is not empty; remove it recursively if that is meant",
    errno.EACCES: "{} is not ours to use",
    errno.EPERM: "{} is not ours to use",
    errno.ENAMETOOLONG: "{} is too long a name",
    errno.ENOSPC: "{}: the disk is full; remove something first",
    errno.EDQUOT: "{}: the disk is full; remove something first",
}


@contextmanager
def told(path: str) -> Generator[None, None, None]:
    """Turn what the system says about a path into words that help."""
    try:
        yield
    except OSError as error:
        words = _WORDS.get(error.errno or 0, "{}: " + str(error.strerror))
        raise Refused(words.format(path)) from None
