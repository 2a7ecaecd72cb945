"""What is kept of computers beside their files: browsers' tabs and cookies, and snapshots."""

from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from doer.computers.browser.state import BrowserState
from doer.disk import write_whole
from doer.errors import ComputerError, boundary
from doer.records.computer import Spec

T = TypeVar("T")


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A computer as it was. `files`: the backend's id of its files, in which its terminals' folders
    and environments are kept too. `at`: seconds since the epoch."""

    id: str
    computer: str
    at: float
    spec: Spec
    files: str
    browser: BrowserState | None = None


class Memory:
    """Where one computer's browser is remembered: a file that only its owner reads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._saved = b""

    def load(self) -> BrowserState | None:
        """None when nothing is remembered. Raises `ComputerError` when the file is no such thing,
        and puts it aside: the next time it is not in the way."""
        try:
            return _read(self._file, BrowserState)
        except ComputerError:
            self._saved = b""
            with suppress(OSError):
                self._file.replace(self._file.with_suffix(".damaged"))
            raise

    def save(self, state: BrowserState) -> None:
        content = msgspec.json.encode(state)
        if content != self._saved:
            _write(self._file, content)
            self._saved = content

    def forget(self) -> None:
        self._saved = b""
        self._file.unlink(missing_ok=True)


class Snapshots:
    """The snapshots there are, a file each in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> tuple[Snapshot, ...]:
        """The oldest first."""
        found = [_read(file, Snapshot) for file in self._folder.glob("*.json")]
        there = [kept for kept in found if kept is not None]  # one may just have been forgotten
        return tuple(sorted(there, key=lambda kept: kept.at))

    def get(self, id: str) -> Snapshot:
        found = _read(self._file(id), Snapshot) if id.isalnum() else None
        if found is None:
            raise ComputerError(f"there is no snapshot {id}: `doer computer snapshots` lists them")
        return found

    def put(self, snapshot: Snapshot) -> None:
        _write(self._file(snapshot.id), msgspec.json.encode(snapshot))

    def forget(self, id: str) -> None:
        self._file(id).unlink(missing_ok=True)

    def _file(self, id: str) -> Path:
        return self._folder / f"{id}.json"


def _read(file: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise ComputerError(f"{file} cannot be read: {error}") from error


def _write(file: Path, content: bytes) -> None:
    with boundary(ComputerError, f"{file} cannot be written"):
        for folder in (file.parent.parent, file.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(file, content)
