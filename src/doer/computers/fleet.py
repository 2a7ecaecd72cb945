"""All computers of a user on one backend: made, used, frozen, forked, carried away and removed.

A computer outlives whoever uses it. What a backend does not keep lies beside its computers: the
browsers' tabs and cookies, and what snapshots hold besides files.
"""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from doer.computers.backend import Backend
from doer.computers.desktop import DesktopComputer
from doer.computers.memory import Memory, Snapshot, Snapshots
from doer.errors import ComputerError
from doer.records.computer import Spec

FOLDER = ".fleet"


class Fleet:
    """`root`: the folder of all computers. Every method raises `ComputerError`."""

    def __init__(self, backend: Backend, root: Path) -> None:
        self.backend, self.root = backend, root
        self.snapshots = Snapshots(root / FOLDER / "snapshots")
        self._browsers = root / FOLDER / "browsers"

    def names(self) -> tuple[str, ...]:
        return self.backend.names()

    def open(self, name: str) -> DesktopComputer:
        """A computer to work with; its parts start when they are made ready. Close it when done."""
        return DesktopComputer(self.backend, name, self._memory(name))

    @asynccontextmanager
    async def opened(self, name: str) -> AsyncGenerator[DesktopComputer]:
        desk = self.open(name)
        try:
            yield desk
        finally:
            await desk.close()

    async def create(self, name: str, spec: Spec | None = None, snapshot: str = "") -> None:
        """A new computer, stopped: blank, or as a snapshot was, whose spec it has by default."""
        kept = self.snapshots.get(snapshot) if snapshot else None
        spec = spec or (kept.spec if kept else Spec())
        await self.backend.create(name, spec, kept.files if kept else "")
        memory = self._memory(name)
        memory.forget()
        if kept is not None and kept.browser is not None:
            memory.save(kept.browser)

    async def snapshot(self, desk: DesktopComputer) -> Snapshot:
        """Freeze a computer, files and browser, in use or not; it goes on as it was."""
        await desk.remember()
        kept = Snapshot(
            id=uuid4().hex[:12],
            computer=desk.name,
            at=time.time(),
            spec=self.backend.spec(desk.name),
            files=await self.backend.snapshot(desk.name),
            browser=self._memory(desk.name).load(),
        )
        self.snapshots.put(kept)
        return kept

    async def forget(self, id: str) -> None:
        """Delete a snapshot. Computers made of it stay as they are."""
        kept = self.snapshots.get(id)
        self.snapshots.forget(id)
        await self.backend.forget(kept.files)

    async def fork(self, desk: DesktopComputer, child: str) -> None:
        """A second computer like this one, stopped, independent from now on."""
        await desk.remember()
        await self.backend.fork(desk.name, child)
        memory = self._memory(child)
        memory.forget()
        if (browser := self._memory(desk.name).load()) is not None:
            memory.save(browser)

    async def restore(self, name: str, snapshot: str) -> None:
        """Take a computer back to a snapshot. What it held since is lost; it is stopped. If that
        fails half way, what the snapshot holds is in a computer that the error names."""
        kept = self.snapshots.get(snapshot)
        spec = self.backend.spec(name)
        aside = f"{name[:40]}-{uuid4().hex[:8]}"
        await self.backend.create(aside, spec, kept.files)  # fails before anything is lost
        try:
            await self.backend.destroy(name)
            await self.backend.fork(aside, name)
        except ComputerError as error:
            raise ComputerError(f"{error}. What the snapshot holds is in {aside}") from error
        await self.backend.destroy(aside)
        memory = self._memory(name)
        memory.forget()
        if kept.browser is not None:
            memory.save(kept.browser)

    async def export(self, name: str, to: Path) -> None:
        """The computer as one file: its spec and its files, the browser's profile among them."""
        await self.backend.export(name, to)

    async def import_from(self, archive: Path, name: str) -> None:
        """Make a computer of such a file, whoever wrote it. It has no network until it is given
        one."""
        await self.backend.import_from(archive, name)
        self._memory(name).forget()

    async def remove(self, name: str) -> None:
        """Stop it and delete it with its files. Snapshots stay."""
        await self.backend.destroy(name)
        self._memory(name).forget()

    def _memory(self, name: str) -> Memory:
        if not name.replace("-", "").replace("_", "").isalnum():
            raise ComputerError(f"{name!r} is no name: letters, digits, - and _ make one")
        return Memory(self._browsers / f"{name}.json")
