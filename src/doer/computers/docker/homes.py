"""The homes of computers: plain folders of this machine. Snapshots and forks are whole copies that
share their blocks where the file system can (btrfs, xfs); no file is linked to another's.

What an agent left behind may be unreadable to its own user; it is copied all the same in a user
namespace, where there are any.
"""

import contextlib
import os
import shutil
import subprocess
import uuid
from pathlib import Path

from doer.computers.local.folders import Folders
from doer.computers.local.keeper.staging import KEPT_BESIDE
from doer.errors import ComputerError

_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
COPY_S, TRY_S = 900.0, 10.0


class Homes:
    """Copies are made aside and then are there at once."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def snapshots(self) -> tuple[str, ...]:
        return tuple(sorted(path.name for path in self._folders.snapshots.glob("[!.]*")))

    def of_snapshot(self, snapshot: str) -> Path:
        folder = self._folders.snapshots / snapshot
        if not snapshot.isalnum() or not folder.is_dir():
            raise ComputerError(f"there is no snapshot {snapshot}")
        return folder

    def keep(self, home: Path) -> str:
        """A snapshot of a home in which nothing moves; its id."""
        snapshot = uuid.uuid4().hex[:20]
        aside = self._folders.snapshots / f".new-{snapshot}"
        with self._folders.keep_layers():
            try:
                self.copy(home, aside)
                aside.rename(self._folders.snapshots / snapshot)
            finally:
                self._folders.throw_away(aside)
        return snapshot

    def beside(self, home: Path, path: str) -> Path:
        """The folder in a home at rest that is bound beside it at `path`, made when it is missing.
        Who worked there may have put a link in its place; none is followed."""
        here = os.open(home, _FOLDER)
        try:
            for name in (KEPT_BESIDE, *path.strip("/").split("/")):
                inner = self._step(here, name)
                os.close(here)
                here = inner
        except OSError as error:
            raise ComputerError(f"{path} cannot be kept in the home: {error.strerror}") from error
        finally:
            os.close(here)
        return home / KEPT_BESIDE / path.strip("/")

    def _step(self, here: int, name: str) -> int:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o755, dir_fd=here)  # noqa: PTH102
            if os.geteuid() == 0:
                owner = self._folders.owner
                os.chown(name, owner.uid, owner.gid, dir_fd=here, follow_symlinks=False)
        return os.open(name, _FOLDER, dir_fd=here)

    def forget(self, snapshot: str) -> None:
        """Also deletes what a copy that was broken off has left."""
        self._folders.throw_away(self.of_snapshot(snapshot))
        with self._folders.keep_layers(sweeping=True) as alone:
            for left in self._folders.snapshots.glob(".new-*") if alone else ():
                self._folders.throw_away(left)
        self._folders.empty_trash()

    def copy(self, source: Path, target: Path) -> None:
        """Into a folder that is not there yet. Raises `ComputerError`."""
        self._folders.owner.give(target)
        copy = ("cp", "--archive", "--reflink=auto", "--no-target-directory", "--")
        run((*as_owner(), *copy, str(source), str(target)), "the home could not be copied")


def run(command: tuple[str, ...], what: str) -> None:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COPY_S,
            env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired as late:
        raise ComputerError(f"{what} in {COPY_S / 60:.0f} minutes") from late
    if done.returncode:
        raise ComputerError(f"{what}: {done.stderr[-1000:].decode(errors='replace').strip()}")


def as_owner() -> tuple[str, ...]:
    """What goes before a command that is to read whatever the owner's processes have written."""
    if os.geteuid() == 0 or shutil.which("unshare") is None:
        return ()
    enter = ("unshare", "--user", "--map-root-user")
    try:
        subprocess.run((*enter, "true"), check=True, capture_output=True, timeout=TRY_S)
    except (OSError, subprocess.SubprocessError):
        return ()
    return enter
