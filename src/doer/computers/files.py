"""What every kind of computer's files offer, and the smallest kind: a folder on the host.

It is jailed by its directory descriptor: every step of a path is opened relative to the one
before and never through a symbolic link, so no name leads outside. Text files only, limited in
size; no permissions, no times, no deleting."""

import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from doer.errors import ToolError
from doer.records.action import Element, Observation

MAX_BYTES = 256 * 1024  # of one file
MAX_FILES = 256
MAX_DEPTH = 8
MAX_SHOWN = 4096  # characters of one file in the view of the folder

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a named pipe must not wait for its other end.
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Files(Protocol):
    """Text files by path, with "/" between names. Every method raises `ToolError` for what cannot
    be done."""

    async def list(self) -> tuple[str, ...]:
        """The paths of all regular files, sorted."""
        ...

    async def read(self, path: str) -> str:
        """The text of a file, exactly as it is stored."""
        ...

    async def write(self, path: str, text: str) -> None:
        """Replace the text of a file, or make a new file and the folders it lies in."""
        ...

    def close(self) -> None:
        """Let go of the files; they stay where they are."""
        ...


class Folder:
    """The files below one folder. Paths are relative, with "/" between names.

    Every method raises `ToolError` for what cannot be done. Calls are short and run in the loop's
    own thread; the folder is tiny and local.
    """

    def __init__(self, root: Path) -> None:
        self._root = os.open(root, _FOLDER)

    async def list(self) -> tuple[str, ...]:
        """The paths of all regular files, sorted. Links and special files are not there, nor are
        files with unprintable names."""
        return tuple(sorted(path for path in _walk(self._root, "", 1) if path.isprintable()))

    async def read(self, path: str) -> str:
        """The text of a file, exactly as it is stored."""
        with self._folder_of(path) as (folder, name), _opened(folder, name, path, os.O_RDONLY) as f:
            data = _read_all(f, path)
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise ToolError(f"{path} is not UTF-8 text and cannot be read") from None

    async def write(self, path: str, text: str) -> None:
        """Replace the text of a file, or make a new file and the folders it lies in."""
        try:
            data = text.encode()
        except UnicodeEncodeError:
            raise ToolError("the text is not valid Unicode; write it without surrogates") from None
        if len(data) > MAX_BYTES:
            raise ToolError(f"the text has {len(data)} bytes; write {MAX_BYTES} at most")
        there = await self.list()
        if path not in there and len(there) >= MAX_FILES:
            raise ToolError(f"there are {len(there)} files already; write to one of them")
        flags = os.O_WRONLY | os.O_CREAT
        with (
            self._folder_of(path, make=True) as (folder, name),
            _opened(folder, name, path, flags) as f,
        ):
            os.ftruncate(f, 0)
            while data:
                data = data[os.write(f, data) :]

    def close(self) -> None:
        """Let go of the folder; it stays on disk."""
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    @contextmanager
    def _folder_of(self, path: str, make: bool = False) -> Generator[tuple[int, str]]:
        """The open folder a path's last name lies in, and that name."""
        *folders, name = _parts(path)
        here = os.dup(self._root)
        try:
            for folder in folders:
                if make:
                    with suppress(FileExistsError), _told(path):
                        os.mkdir(folder, dir_fd=here)
                with _told(path):
                    inner = os.open(folder, _FOLDER, dir_fd=here)
                os.close(here)
                here = inner
            yield here, name
        finally:
            os.close(here)


async def files_view(files: Files) -> Observation:
    """What is seen of a folder: each file an element with its path and its text, which is None
    when it is too long to show or no text."""
    elements = tuple(
        [
            Element(number, "textbox", path, await _shown(files, path))
            for number, path in enumerate(await files.list(), start=1)
        ]
    )
    text = "\n\n".join(
        f"[{e.ref}] {e.name}\n{e.value}"
        if e.value is not None
        else f"[{e.ref}] {e.name} (not shown)"
        for e in elements
    )
    return Observation(text=text or "The folder is empty.", elements=elements)


async def _shown(files: Files, path: str) -> str | None:
    try:
        text = await files.read(path)
    except ToolError:
        return None
    return text if len(text) <= MAX_SHOWN else None


def _parts(path: str) -> list[str]:
    parts = path.split("/")
    if path.startswith("/"):
        raise ToolError(f"{path!r} is absolute; name a file relative to the folder")
    if not path.isprintable() or any(part in ("", ".", "..") for part in parts):
        raise ToolError(f"{path!r} is not a plain path; use printable names, not '.', '..' or ''")
    if len(parts) > MAX_DEPTH:
        raise ToolError(f"{path!r} lies too deep; use {MAX_DEPTH} names at most")
    return parts


@contextmanager
def _opened(folder: int, name: str, path: str, flags: int) -> Generator[int]:
    """A regular file, open. It is cut only after it is known to be one, never while opening."""
    with _told(path):
        file = os.open(name, flags | _FILE, 0o644, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise ToolError(f"{path} is not a regular file; name another")
        yield file
    finally:
        os.close(file)


@contextmanager
def _told(path: str) -> Generator[None]:
    """Turn what the system says about a path into words for the model."""
    try:
        yield
    except FileExistsError:
        raise
    except FileNotFoundError:
        raise ToolError(f"there is no {path}; list the files to see what there is") from None
    except OSError as error:
        raise ToolError(f"{path} cannot be opened: {error.strerror}") from None


def _read_all(file: int, path: str) -> bytes:
    size = os.fstat(file).st_size
    if size > MAX_BYTES:
        raise ToolError(f"{path} has {size} bytes; only files up to {MAX_BYTES} can be read")
    with os.fdopen(os.dup(file), "rb") as stream:
        return stream.read(MAX_BYTES)


def _walk(folder: int, prefix: str, depth: int) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                yield prefix + entry.name
            elif depth < MAX_DEPTH and entry.is_dir(follow_symlinks=False):
                try:
                    inner = os.open(entry.name, _FOLDER, dir_fd=folder)
                except OSError:
                    continue  # gone or exchanged for a link since it was listed
                try:
                    yield from _walk(inner, f"{prefix}{entry.name}/", depth + 1)
                finally:
                    os.close(inner)
