"""`files_*`: what a caller outside may do with the files of the home. Reading goes by ranges,
writing is atomic, long walks give way to the others."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import suppress

from jail import FOLDER, Jail, told
from loop import sleep
from wire import OUT, Connection, Json, Refused, Request

MAX_ENTRIES = 10_000
_CHUNK = 1 << 18
_PAUSE_EVERY = 200
_MAX_REMOVED_DEPTH = 256
_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}


class Storing:
    def __init__(self, home: str) -> None:
        self._jail = Jail(home)

    async def stat(self, caller: Connection, request: Request) -> None:
        path = request.text("path")
        names = self._jail.names(path)
        if not names:
            with self._jail.folder([]) as folder:
                await caller.answer(_told("", os.fstat(folder)))
            return
        with self._jail.parent(path) as (folder, name), told(path):
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        await caller.answer(_told("/".join(names), found))

    async def list(self, caller: Connection, request: Request) -> None:
        """What lies in a folder, or below it down to `depth`, sorted; `MAX_ENTRIES` at most. What
        bears a name with a dot before it is there with `hidden` only."""
        names = self._jail.names(request.text("path", ""))
        depth = request.whole("depth", 1, 1)
        hidden = request.flag("hidden")
        limit = min(request.whole("limit", MAX_ENTRIES, 1), MAX_ENTRIES)
        found: list[Json] = []
        complete = True
        with self._jail.folder(names) as folder:
            for count, entry in enumerate(_walk(folder, "/".join(names), depth, hidden)):
                if count == limit:
                    complete = False
                    break
                found.append(entry)
                if count % _PAUSE_EVERY == 0:
                    await sleep(0)
        # In parts: a frame is bounded, and 10 000 long names need not fit into one.
        for at in range(0, len(found), 500):
            await caller.answer({"entries": found[at : at + 500]})
        await caller.answer({"complete": complete})

    async def read(self, caller: Connection, request: Request) -> None:
        """The bytes from `offset` on, `length` at most."""
        offset, length = request.whole("offset", 0), request.whole("length", 1 << 60)
        with self._jail.file(request.text("path")) as file:
            whole = os.fstat(file)
            await caller.answer(_told(request.text("path"), whole))
            sent = 0
            while sent < length:
                with told(request.text("path")):
                    data = os.pread(file, min(_CHUNK, length - sent), offset + sent)
                if not data:
                    break
                sent += len(data)
                await caller.send(OUT, data)
                await sleep(0)
        await caller.answer({"bytes": sent})

    async def write(self, caller: Connection, request: Request) -> None:
        """Replace a file by the bytes that follow, whole or not at all, and make its folders."""
        path = request.text("path")
        mode = request.whole("mode", 0o644) & 0o777
        with self._jail.parent(path, make=True) as (folder, name):
            _refuse_other(folder, name, path)
            new = f".{os.urandom(6).hex()}.part"
            with told(path):
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                file = os.open(new, flags, mode, dir_fd=folder)
            try:
                written = 0
                while data := await caller.body():
                    written += len(data)
                    with told(path):
                        while data:
                            data = data[os.write(file, data) :]
                with told(path):
                    os.fchmod(file, mode)
                    os.rename(new, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(OSError):
                    os.unlink(new, dir_fd=folder)
                raise
            finally:
                os.close(file)
        await caller.answer({"bytes": written})

    async def mkdir(self, caller: Connection, request: Request) -> None:
        with self._jail.folder(self._jail.names(request.text("path")), make=True):
            await caller.answer({})

    async def move(self, caller: Connection, request: Request) -> None:
        path, to = request.text("path"), request.text("to")
        with self._jail.parent(path) as (folder, name), told(path):
            os.stat(name, dir_fd=folder, follow_symlinks=False)
            with self._jail.parent(to, make=True) as (target, new), told(to):
                if not request.flag("replace"):
                    _refuse_any(target, new, to)
                os.rename(name, new, src_dir_fd=folder, dst_dir_fd=target)
        await caller.answer({})

    async def remove(self, caller: Connection, request: Request) -> None:
        path = request.text("path")
        with self._jail.parent(path) as (folder, name):
            with told(path):
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if not stat.S_ISDIR(found.st_mode):
                    os.unlink(name, dir_fd=folder)
                elif not request.flag("recursive"):
                    os.rmdir(name, dir_fd=folder)
            if stat.S_ISDIR(found.st_mode) and request.flag("recursive"):
                for count, _ in enumerate(_remove(folder, name, path, 1)):
                    if count % _PAUSE_EVERY == 0:
                        await sleep(0)
        await caller.answer({})


def _told(path: str, found: os.stat_result) -> dict[str, Json]:
    return {
        "path": path,
        "kind": _KINDS.get(stat.S_IFMT(found.st_mode), "other"),
        "bytes": found.st_size,
        "changed_at": found.st_mtime,
        "mode": stat.S_IMODE(found.st_mode),
    }


def _walk(folder: int, prefix: str, depth: int, hidden: bool) -> Generator[Json, None, None]:
    with os.scandir(folder) as entries:
        there = sorted(entries, key=lambda entry: entry.name)
    for entry in there:
        path = f"{prefix}/{entry.name}" if prefix else entry.name
        if entry.name.startswith(".") and not hidden:
            continue
        if not path.isprintable():
            continue  # a name that is no text cannot be asked for either
        try:
            yield _told(path, os.stat(entry.name, dir_fd=folder, follow_symlinks=False))
            if depth == 1 or not entry.is_dir(follow_symlinks=False):
                continue
            inner = os.open(entry.name, FOLDER, dir_fd=folder)
        except OSError:
            continue  # gone or exchanged since it was listed
        try:
            yield from _walk(inner, path, depth - 1, hidden)
        finally:
            os.close(inner)


def _refuse_other(folder: int, name: str, path: str) -> None:
    """Raise `Refused` unless there is a regular file or nothing."""
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise Refused(f"{path} is there already and no regular file; name another")


def _refuse_any(folder: int, name: str, path: str) -> None:
    with suppress(FileNotFoundError):
        os.stat(name, dir_fd=folder, follow_symlinks=False)
        raise Refused(f"{path} is there already; name another, or replace it")


def _remove(folder: int, name: str, path: str, depth: int) -> Generator[None, None, None]:
    """Remove a folder with all that is in it, one thing a step; links are not followed."""
    if depth > _MAX_REMOVED_DEPTH:
        raise Refused(f"{path} is too deep; remove what lies in it first")
    with told(path):
        inner = os.open(name, FOLDER, dir_fd=folder)
    try:
        with told(path), os.scandir(inner) as entries:
            there = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for one, is_folder in there:
            yield
            if is_folder:
                yield from _remove(inner, one, f"{path}/{one}", depth + 1)
            else:
                with told(f"{path}/{one}"):
                    os.unlink(one, dir_fd=inner)
        with told(path):
            os.rmdir(name, dir_fd=folder)
    finally:
        os.close(inner)
