"""`watch`: tells of changes below a folder as they happen (inotify), until its caller goes."""

from __future__ import annotations

import ctypes
import os
import struct
from contextlib import suppress

from jail import FOLDER, Jail
from loop import readable, sleep, wait
from wire import Connection, Json, Refused, Request

MAX_FOLDERS = 1024
_HEAD = struct.Struct("iIII")
_KINDS = {
    0x00000008: "written",  # IN_CLOSE_WRITE
    0x00000040: "gone",  # IN_MOVED_FROM
    0x00000080: "came",  # IN_MOVED_TO
    0x00000100: "made",  # IN_CREATE
    0x00000200: "gone",  # IN_DELETE
}
_IS_FOLDER, _OVERFLOW, _ENDED = 0x40000000, 0x00004000, 0x00008000
_FLAGS = sum(_KINDS) | 0x01000000 | 0x02000000  # IN_ONLYDIR, IN_DONT_FOLLOW
_CLOEXEC_NONBLOCK = 0o2000000 | 0o4000

_LIBC = ctypes.CDLL(None, use_errno=True)


class _Watch:
    """An inotify descriptor and the folders it knows."""

    def __init__(self, recursive: bool) -> None:
        self.fd: int = _LIBC.inotify_init1(_CLOEXEC_NONBLOCK)
        if self.fd < 0:
            raise Refused("too many are watching already; end some")
        self.paths: dict[int, str] = {}
        self.complete = True
        self._recursive = recursive

    async def add(self, folder: int, path: str) -> None:
        """Watch an open folder, and those below it."""
        if len(self.paths) >= MAX_FOLDERS:
            self.complete = False
            return
        # By its descriptor, so that nothing can be exchanged for it meanwhile.
        real = os.readlink(f"/proc/self/fd/{folder}")
        number: int = _LIBC.inotify_add_watch(self.fd, os.fsencode(real), _FLAGS)
        if number < 0:
            self.complete = False
            return
        self.paths[number] = path
        await sleep(0)
        if self._recursive:
            with os.scandir(folder) as entries:
                names = [one.name for one in entries if one.is_dir(follow_symlinks=False)]
            for name in names:
                await self.add_below(folder, name, f"{path}/{name}" if path else name)

    async def add_below(self, folder: int, name: str, path: str) -> None:
        with suppress(OSError):  # gone since it was seen
            inner = os.open(name, FOLDER, dir_fd=folder)
            try:
                await self.add(inner, path)
            finally:
                os.close(inner)

    def events(self) -> list[tuple[str, str, bool]]:
        """What happened: kind, path, whether it is a folder."""
        try:
            data = os.read(self.fd, 1 << 16)
        except BlockingIOError:
            return []
        found: list[tuple[str, str, bool]] = []
        at = 0
        while at < len(data):
            number, mask, _, length = _HEAD.unpack_from(data, at)
            at += _HEAD.size
            name = os.fsdecode(data[at : at + length].rstrip(b"\0"))
            at += length
            if mask & _OVERFLOW:
                found.append(("lost", "", False))
            elif mask & _ENDED:
                self.paths.pop(number, None)
            elif number in self.paths and name.isprintable():
                folder = self.paths[number]
                path = f"{folder}/{name}" if folder else name
                for bit, kind in _KINDS.items():
                    if mask & bit:
                        found.append((kind, path, bool(mask & _IS_FOLDER)))
        return found

    def close(self) -> None:
        os.close(self.fd)


class Watching:
    def __init__(self, home: str) -> None:
        self._jail = Jail(home)

    async def watch(self, caller: Connection, request: Request) -> None:
        names = self._jail.names(request.text("path", ""))
        watch = _Watch(request.flag("recursive"))
        try:
            with self._jail.folder(names) as folder:
                await watch.add(folder, "/".join(names))
            await caller.answer({"folders": len(watch.paths), "complete": watch.complete})
            while True:
                await wait(readable(watch.fd), caller.heard)
                caller.poll()
                events = watch.events()
                for kind, path, is_folder in events:
                    if is_folder and kind in ("made", "came") and request.flag("recursive"):
                        with suppress(Refused), self._jail.parent(path) as (folder, name):
                            await watch.add_below(folder, name, path)
                if events:
                    told: list[Json] = [
                        {"kind": kind, "path": path, "folder": is_folder}
                        for kind, path, is_folder in events
                    ]
                    await caller.answer({"events": told})
        finally:
            watch.close()
