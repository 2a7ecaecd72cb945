"""Files and folders of the host, put into a computer through its shell, as one tar."""

import asyncio
import io
import stat
import tarfile
from collections.abc import Sequence
from pathlib import Path

from doer.computers.shell import Shell
from doer.errors import ComputerError, DoerError

SEND_S = 300.0
_UNPACK = ("tar", "-x", "-p", "--no-same-owner", "--no-overwrite-dir", "-f", "-", "-C", "/")


async def send(
    shell: Shell,
    what: Sequence[tuple[Path, str]],
    mode: int | None = None,
    error: type[DoerError] = ComputerError,
) -> None:
    """Put each path of the host at its absolute path in the computer, folders with all in them.
    Links stay links and are never followed. `mode`: of all files, instead of what they have.
    Raises `error` when something cannot be read here or written there."""
    try:
        data = await asyncio.to_thread(pack, what, mode)
    except OSError as unreadable:
        raise error(f"{unreadable.filename} cannot be read: {unreadable.strerror}") from unreadable
    done = await shell.run(_UNPACK, stdin=data, timeout_s=SEND_S, cwd="/")
    if done.exit_code:
        places = ", ".join(place for _, place in what)
        raise error(f"{places} could not be written: {done.stderr.text()[-500:]}")


def pack(what: Sequence[tuple[Path, str]], mode: int | None = None) -> bytes:
    """The tar, the same for the same files; times are left out. Raises `OSError`."""

    def plain(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if not (info.isfile() or info.isdir() or info.issym() or info.islnk()):
            return None
        info.uid = info.gid = 1000
        info.uname = info.gname = "agent"
        info.mtime = 0
        if info.isdir():
            info.mode |= stat.S_IRWXU
        elif mode is not None:
            info.mode = mode
        return info

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, place in what:
            archive.add(path, place.lstrip("/"), filter=plain)
    return out.getvalue()
