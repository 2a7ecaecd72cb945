"""Where a machine's computers lie, and who owns what.

    NAME/spec.json, layers.json      Doer's own; the computer cannot write them
    NAME/etc/                        what is made for its /etc
    NAME/upper/, work/               its home's topmost layer
    NAME/run/                        its /run/vm: whatever stands there may be forged
    NAME/host/                       its keeper's socket, logs and events; not seen inside
    .layers/ID/, .snapshots/ID.json  frozen files, and which of them make a snapshot
    .locks/NAME, .trash/             one hand at a time; what is being deleted

When Doer is root, what a computer writes belongs to an unprivileged user instead (`Owner`).
"""

import contextlib
import fcntl
import hashlib
import os
import re
import struct
import subprocess
import time
import uuid
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from doer.disk import write_whole
from doer.errors import ComputerError
from doer.records.computer import Spec

LOCK_S = 60.0
DELETE_S = 120.0
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FLOCK = "hhqqi4x"


@dataclass(frozen=True)
class Owner:
    """The user of this machine that everything of a computer runs as."""

    uid: int
    gid: int

    @classmethod
    def here(cls, uid: int) -> "Owner":
        """`uid` when we are root, else ourselves."""
        return cls(uid, uid) if os.geteuid() == 0 else cls(os.geteuid(), os.getegid())

    def give(self, folder: Path) -> None:
        """A folder of the computer's own, made if it is not there, or was made and not yet given
        when somebody was killed."""
        folder.mkdir(mode=0o700, exist_ok=True)
        self._own(folder, self.uid)

    def show(self, folder: Path) -> None:
        """A folder of ours that the computer's user can walk through and not list; likewise."""
        folder.mkdir(mode=0o710, exist_ok=True)
        folder.chmod(0o710)
        self._own(folder, -1)

    def _own(self, folder: Path, uid: int) -> None:
        if os.geteuid() == 0:
            os.chown(folder, uid, self.gid, follow_symlinks=False)


@dataclass(frozen=True)
class Folders:
    root: Path
    owner: Owner

    def of(self, name: str) -> Path:
        """The folder of a computer, there or not. Raises `ComputerError` for no name at all."""
        if not NAME.fullmatch(name):
            raise ComputerError(
                f"{name!r} is no name of a computer: 1 to 64 letters, digits, - and _"
            )
        return self.root / name

    def existing(self, name: str) -> Path:
        folder = self.of(name)
        if not (folder / "spec.json").is_file():
            raise ComputerError(f"there is no computer {name}: create it first")
        return folder

    def group(self, name: str) -> str:
        """What tells a computer's control groups from those of other folders' computers."""
        return f"{name}-{hashlib.sha256(os.fsencode(self.root)).hexdigest()[:8]}"

    @property
    def layers(self) -> Path:
        return self.root / ".layers"

    @property
    def snapshots(self) -> Path:
        return self.root / ".snapshots"

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(path.parent.name for path in self.root.glob("[!.]*/spec.json")))

    def prepare(self) -> None:
        """Make what all computers share."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in (".snapshots", ".locks", ".trash"):
            (self.root / name).mkdir(exist_ok=True, mode=0o700)
        self.owner.show(self.layers)
        self.owner.give(self.layers / ".empty")

    def spec(self, name: str) -> Spec:
        path = self.existing(name) / "spec.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=Spec)
        except (OSError, msgspec.DecodeError) as wrong:
            raise ComputerError(f"{path} cannot be read: {wrong}. Destroy {name}") from wrong

    def write_spec(self, name: str, spec: Spec) -> None:
        write_whole(self.of(name) / "spec.json", msgspec.json.encode(spec))

    @contextlib.contextmanager
    def lock(self, name: str, wait_s: float = LOCK_S) -> Generator[None]:
        """Be the only one on this machine who changes this computer. Blocks the thread."""
        self.of(name)
        self.prepare()
        end = time.monotonic() + wait_s
        with self._file(name) as file:
            while not _try_lock(file):
                if time.monotonic() > end:
                    raise ComputerError(f"{name} is busy: another process has changed it for long")
                time.sleep(0.005)
            yield

    @contextlib.contextmanager
    def _file(self, name: str) -> Generator[int]:
        file = os.open(self.root / ".locks" / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield file
        finally:
            os.close(file)

    @contextlib.contextmanager
    def keep_layers(self, sweeping: bool = False) -> Generator[bool]:
        """While layers are made or taken up nobody sweeps. True unless `sweeping` must wait."""
        self.prepare()
        with self._file(".layers") as file:
            if sweeping:
                yield _try_lock(file)
                return
            fcntl.flock(file, fcntl.LOCK_SH)
            yield True

    def throw_away(self, folder: Path) -> None:
        """Gone under its name; deleted by `empty_trash`."""
        with contextlib.suppress(FileNotFoundError):
            folder.rename(self.root / ".trash" / uuid.uuid4().hex)

    def empty_trash(self) -> None:
        """What a computer wrote may be unreadable to its own user, so a user deletes in a namespace
        where he is root."""
        left = [str(path) for path in (self.root / ".trash").iterdir()]
        enter = () if os.geteuid() == 0 else ("unshare", "-Ur")
        if left:
            delete = (*enter, "rm", "-rf", "--one-file-system", "--", *left)
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run(delete, capture_output=True, timeout=DELETE_S)

    def renew(self, name: str, part: str) -> None:
        """An empty folder in the place of the old one."""
        self.throw_away(self.of(name) / part)
        self.owner.give(self.of(name) / part)


def is_held(file: Path) -> bool:
    """Whether somebody holds the whole of a file locked. Asking disturbs nobody."""
    try:
        fd = os.open(file, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        told = struct.unpack(_FLOCK, fcntl.fcntl(fd, fcntl.F_OFD_GETLK, asked))
        return told[0] != fcntl.F_UNLCK
    finally:
        os.close(fd)


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
