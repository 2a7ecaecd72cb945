"""The frozen layers of homes. A computer's home is its own upper folder over a list of layers; a
snapshot is a list of layers; layers never change and go when nothing names them any more.

Whatever moment a process is killed at, nothing is lost: what is about to be renamed is written down
first (`freezing`), and finished or forgotten by whoever comes next.
"""

import uuid
from collections.abc import Generator
from pathlib import Path

import msgspec

from doer.computers.local.folders import Folders
from doer.disk import write_whole
from doer.errors import ComputerError

MAX_DEPTH = 60
"""Layers under one home; a page of mount options holds no more of them."""


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """`layers`: the topmost first. `freezing`: the layer that the upper folder is becoming."""

    layers: tuple[str, ...] = ()
    freezing: str = ""


class Layers:
    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def home(self, name: str) -> Home:
        """What a computer's home stands on. An unfinished freezing is finished."""
        path = self._folders.existing(name) / "layers.json"
        home = msgspec.json.decode(path.read_bytes(), type=Home)
        if not home.freezing:
            return home
        frozen = (self._folders.layers / home.freezing).is_dir()
        settled = Home(layers=(home.freezing, *home.layers) if frozen else home.layers)
        self._write(name, settled)
        self.mend(name)
        return settled

    def mend(self, name: str) -> None:
        """Make the folders anew that a crash may have left out."""
        for part in ("upper", "work"):
            self._folders.owner.give(self._folders.of(name) / part)

    def freeze(self, name: str) -> tuple[str, ...]:
        """The home of a stopped computer as layers; costs the same however big it is."""
        home = self.home(name)
        upper = self._folders.of(name) / "upper"
        if not any(upper.iterdir()):
            return home.layers
        layer = new_id()
        self._write(name, Home(layers=home.layers, freezing=layer))
        upper.rename(self._folders.layers / layer)
        return self.home(name).layers

    def room(self) -> tuple[str, Path]:
        """An unfinished layer, and the folder to fill. It counts once `finish` was called."""
        layer = new_id()
        folder = self._folders.layers / f".new-{layer}"
        self._folders.owner.give(folder)
        return layer, folder

    def stand_on(self, name: str, layer: str) -> None:
        """Let a stopped computer's home begin with one layer that shows what all of its did."""
        self._write(name, Home(layers=(layer,)))

    def finish(self, layer: str) -> None:
        (self._folders.layers / f".new-{layer}").rename(self._folders.layers / layer)

    def keep(self, layers: tuple[str, ...]) -> str:
        """A snapshot of these layers; its id."""
        snapshot = new_id()
        path = self._folders.snapshots / f"{snapshot}.json"
        write_whole(path, msgspec.json.encode(Home(layers=layers)))
        return snapshot

    def snapshots(self) -> tuple[str, ...]:
        return tuple(sorted(path.stem for path in self._folders.snapshots.glob("*.json")))

    def of_snapshot(self, snapshot: str) -> tuple[str, ...]:
        path = self._folders.snapshots / f"{snapshot}.json"
        if not snapshot.isalnum() or not path.is_file():
            raise ComputerError(f"there is no snapshot {snapshot}")
        return msgspec.json.decode(path.read_bytes(), type=Home).layers

    def forget(self, snapshot: str) -> None:
        self.of_snapshot(snapshot)
        (self._folders.snapshots / f"{snapshot}.json").unlink()

    def sweep(self) -> None:
        """Delete layers that nothing names. To be called while nobody makes new ones."""
        used = {layer for home in self._homes() for layer in (*home.layers, home.freezing)}
        for folder in self._folders.layers.iterdir():
            if folder.name != ".empty" and folder.name not in used:
                self._folders.throw_away(folder)

    def _homes(self) -> Generator[Home]:
        named = [*self._folders.root.glob("[!.]*/layers.json"), *self._folders.snapshots.glob("*")]
        for path in named:
            if path.suffix == ".json":
                yield msgspec.json.decode(path.read_bytes(), type=Home)

    def _write(self, name: str, home: Home) -> None:
        write_whole(self._folders.of(name) / "layers.json", msgspec.json.encode(home))


def new_id() -> str:
    return uuid.uuid4().hex[:20]
