"""Computers in containers of Docker or Podman, for machines where an ordinary user may make none.

Everything inside is the same as in a local computer; the home, the sockets and what its /etc has of
its own are folders of this machine. Containers exist only while a computer runs: what it is lies in
its folder.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Generator, Mapping
from pathlib import Path

import msgspec

from doer.computers import beside
from doer.computers.docker import incidents, running
from doer.computers.docker.archive import check, pack, unpack
from doer.computers.docker.container import Bind, called, computer
from doer.computers.docker.engine import Engine
from doer.computers.docker.homes import Homes
from doer.computers.docker.image import build, how_to_build, image, is_built
from doer.computers.docker.networking import ContainerNetworking
from doer.computers.docker.probe import REMAPPED, probe
from doer.computers.local import etc
from doer.computers.local.folders import Folders, Owner
from doer.computers.local.keeper.usage import blocks
from doer.computers.local.sockets import connect
from doer.computers.network.rules import Rulebook
from doer.errors import ComputerError
from doer.records.computer import Heal, Incident, NetworkRules, Probe, Service, Spec, State, Stats

UID = 210_000
DAEMON_S, DIAL_S, POLL_S, LOOK_S = 60.0, 10.0, 0.005, 0.2
SOCKETS: dict[Service, str] = {"daemon": "daemon.sock", "screen": "rfb.sock"}


class DockerBackend:
    """`root`: the folder of all computers. `environ`: where DOCKER_HOST is looked up. `uid`: whom
    they run as when we are root."""

    def __init__(
        self, root: Path, environ: Mapping[str, str] | None = None, uid: int = UID
    ) -> None:
        self._folders = Folders(root.absolute(), Owner.here(uid))
        self._homes = Homes(self._folders)
        self._networking = ContainerNetworking(self._folders, self._pid)
        self.engine = Engine(environ)

    @property
    def name(self) -> str:
        return "docker"

    async def probe(self) -> Probe:
        return await asyncio.to_thread(probe, self.engine, self._folders)

    async def build_image(self) -> str:
        """Let the engine build the image that computers are made of; its name."""
        return await asyncio.to_thread(build, self.engine)

    def names(self) -> tuple[str, ...]:
        return self._folders.names()

    def spec(self, name: str) -> Spec:
        return self._folders.spec(name)

    async def state(self, name: str) -> State:
        return await asyncio.to_thread(self._state, name)

    async def create(self, name: str, spec: Spec, snapshot: str = "") -> None:
        Rulebook(spec.network)
        beside.check(spec.folders)
        await asyncio.to_thread(self._create_from, name, spec, snapshot)

    async def start(self, name: str) -> tuple[Heal, ...]:
        rules = (await asyncio.to_thread(self.spec, name)).network
        proxy, started = await asyncio.gather(
            self._networking.proxy(), asyncio.to_thread(self._start, name), return_exceptions=True
        )
        if isinstance(started, BaseException):
            raise started
        if isinstance(proxy, BaseException):
            await self.stop(name)  # no network in silence would be worse
            raise proxy
        if started:
            await self._networking.connect(name, rules)
            return ()
        mended = await self._networking.mend(name, rules)
        return (Heal("network", "open connections were lost"),) if mended else ()

    async def stop(self, name: str) -> None:
        await asyncio.to_thread(self._stop, name)
        await self._networking.disconnect(name)

    async def destroy(self, name: str) -> None:
        await asyncio.to_thread(self._destroy, name)
        await self._networking.disconnect(name)

    async def pause(self, name: str) -> None:
        await asyncio.to_thread(self._freeze, name, "pause", "paused")

    async def resume(self, name: str) -> None:
        await asyncio.to_thread(self._freeze, name, "unpause", "running")

    async def dial(self, name: str, service: Service) -> socket.socket:
        return await asyncio.to_thread(self._dial, name, service)

    async def snapshot(self, name: str) -> str:
        return await asyncio.to_thread(self._snapshot, name)

    async def fork(self, name: str, child: str) -> None:
        await asyncio.to_thread(self._fork, name, child)

    def snapshots(self) -> tuple[str, ...]:
        """The ids of all snapshots."""
        return self._homes.snapshots()

    async def forget(self, snapshot: str) -> None:
        await asyncio.to_thread(self._homes.forget, snapshot)

    async def export(self, name: str, to: Path) -> None:
        """The computer as one file, .tar.zst or .tar.gz: what it is, and its files as they are."""
        await asyncio.to_thread(self._export, name, to)

    async def import_from(self, archive: Path, name: str, most: Spec | None = None) -> Spec:
        return await asyncio.to_thread(self._import, archive, name, most or Spec())

    def incidents(self, name: str, after: float = 0) -> tuple[Incident, ...]:
        """What was seen of it, at its last start or later: how the run before ended by itself, and
        that memory ran out. No other limit tells whom it held back."""
        return incidents.read(self._folders.existing(name), after)

    async def stats(self, name: str) -> Stats:
        return await asyncio.to_thread(self._stats, name)

    def network_folder(self, name: str) -> Path:
        return self._networking.folder(name)

    async def set_network(self, name: str, rules: NetworkRules) -> None:
        Rulebook(rules)
        await asyncio.to_thread(self._store_rules, name, rules)
        if await self.state(name) in ("running", "paused"):
            await self._networking.change(name, rules)

    def _called(self, name: str) -> str:
        return called(self._folders, name)

    def _state(self, name: str) -> State:
        self._folders.existing(name)
        return running.state(self.engine, self._called(name))

    def _pid(self, name: str) -> int:
        found = running.status(self.engine, self._called(name))
        return found.pid if found else 0

    def _create_from(self, name: str, spec: Spec, snapshot: str) -> None:
        source = self._homes.of_snapshot(snapshot) if snapshot else None
        with self._folders.lock(name):
            self._create(name, spec, source)

    def _create(self, name: str, spec: Spec, home: Path | None) -> None:
        with self._room(name) as aside:
            if home is None:
                self._folders.owner.give(aside / "home")
            else:
                self._homes.copy(home, aside / "home")
            self._settle(aside, name, spec)

    @contextlib.contextmanager
    def _room(self, name: str) -> Generator[Path]:
        """A computer is built aside, then it is there at once. The name is locked meanwhile."""
        folder = self._folders.of(name)
        if (folder / "spec.json").exists():
            raise ComputerError(f"there is a computer {name} already")
        aside = self._folders.root / f".new-{name}"
        for left in (folder, aside):
            self._folders.throw_away(left)
        self._folders.owner.show(aside)
        try:
            yield aside
        finally:
            self._folders.throw_away(aside)
            self._folders.empty_trash()

    def _settle(self, aside: Path, name: str, spec: Spec) -> None:
        (aside / "spec.json").write_bytes(msgspec.json.encode(spec))
        aside.rename(self._folders.of(name))

    def _start(self, name: str) -> bool:
        """False when it runs already."""
        with self._folders.lock(name):
            folder = self._folders.existing(name)
            found = running.status(self.engine, self._called(name))
            if found and found.state in ("running", "paused"):
                incidents.look(folder, found)
                return False
            running.remove(self.engine, self._called(name))
            try:
                self._make(name)
                self._await_daemon(name)
                incidents.begin(folder, found)
            except BaseException:
                running.remove(self.engine, self._called(name))
                raise
            return True

    def _make(self, name: str) -> None:
        kind, spec = self.engine.kind(), self._folders.spec(name)
        if kind.remapped:
            raise ComputerError(f"{name} cannot be started: {REMAPPED}")
        if not is_built(self.engine, spec.image or image()):
            how = "" if spec.image else f": {how_to_build(kind.command)}"
            raise ComputerError(f"there is no image {spec.image or image()}{how}")
        folder, owner = self._folders.of(name), self._folders.owner
        for part in ("run", "proxy", "etc"):
            self._folders.throw_away(folder / part)
        owner.give(folder / "run")
        owner.show(folder / "proxy")
        (folder / "etc").mkdir()
        authorities = (self._networking.authority(name),)
        etc.write(folder / "etc", name, Path("/"), authorities, (owner.uid, owner.gid))
        kept = tuple(
            Bind(self._homes.beside(folder / "home", path), path, writable=True)
            for path in spec.folders
        )
        body = computer(self._folders, name, kind, kept)
        running.make(self.engine, self._called(name), body)
        self._folders.empty_trash()

    def _await_daemon(self, name: str) -> None:
        container, folder = self._called(name), self._folders.of(name)
        end = time.monotonic() + DAEMON_S
        look = time.monotonic() + LOOK_S
        while True:
            with contextlib.suppress(ComputerError):
                uid = self._folders.owner.uid
                connect(folder / "run", "daemon.sock", uid, socket.SOCK_STREAM, 1).close()
                return
            if time.monotonic() > look:
                look = time.monotonic() + LOOK_S
                if running.state(self.engine, container) != "running":
                    said = running.said(self.engine, container)
                    raise ComputerError(f"{name} ended while starting: {said}")
            if time.monotonic() > end:
                said = running.said(self.engine, container)
                raise ComputerError(f"the daemon of {name} does not answer: {said}")
            time.sleep(POLL_S)

    def _stop(self, name: str) -> None:
        with self._folders.lock(name):
            self._folders.existing(name)
            running.remove(self.engine, self._called(name))

    def _destroy(self, name: str) -> None:
        with self._folders.lock(name):
            folder = self._folders.of(name)
            running.remove(self.engine, self._called(name))
            self._folders.throw_away(folder)
        self._folders.empty_trash()

    def _freeze(self, name: str, how: str, wanted: State) -> None:
        now = self._state(name)
        if now == wanted:
            return
        if now not in ("running", "paused"):
            raise ComputerError(f"{name} does not run: start it first")
        self.engine.ask("POST", f"/containers/{self._called(name)}/{how}")

    @contextlib.contextmanager
    def _still(self, name: str) -> Generator[Path]:
        """The home, while nothing moves in it."""
        moving = self._state(name) == "running"
        if moving:
            self._freeze(name, "pause", "paused")
        try:
            yield self._folders.of(name) / "home"
        finally:
            if moving:
                self._freeze(name, "unpause", "running")

    def _snapshot(self, name: str) -> str:
        with self._folders.lock(name), self._still(name) as home:
            return self._homes.keep(home)

    def _fork(self, name: str, child: str) -> None:
        if name == child:
            raise ComputerError("a fork needs a name of its own")
        first, second = sorted((name, child))  # so that two forks never wait for each other
        with self._folders.lock(first), self._folders.lock(second):
            spec = self._folders.spec(name)
            with self._still(name) as home:
                self._create(child, spec, home)

    def _export(self, name: str, to: Path) -> None:
        check(to)
        with self._folders.lock(name):
            spec = self.spec(name)
            with self._still(name) as home:
                pack(home.parent, spec, to)

    def _import(self, archive: Path, name: str, most: Spec) -> Spec:
        if not os.access(archive, os.R_OK):
            raise ComputerError(f"{archive} cannot be read: name a file that can")
        with self._folders.lock(name), self._room(name) as aside:
            for part in ("home", "run"):
                self._folders.owner.give(aside / part)
            told = unpack(self.engine, self._folders, aside, archive, most)
            beside.check(told.folders)
            spec = msgspec.structs.replace(
                told,
                memory_mb=min(told.memory_mb, most.memory_mb),
                processes=min(told.processes, most.processes),
                disk_mb=min(told.disk_mb, most.disk_mb),
                cpus=most.cpus,
            )
            self._settle(aside, name, spec)
        return spec

    def _store_rules(self, name: str, rules: NetworkRules) -> None:
        with self._folders.lock(name):
            spec = msgspec.structs.replace(self._folders.spec(name), network=rules)
            self._folders.write_spec(name, spec)

    def _dial(self, name: str, service: Service) -> socket.socket:
        folder, uid = self._folders.existing(name), self._folders.owner.uid
        try:
            kind = socket.SOCK_STREAM
            dialled = connect(folder / "run", SOCKETS[service], uid, kind, DIAL_S)
        except (ComputerError, FileNotFoundError) as error:
            if self._state(name) == "stopped":
                raise ComputerError(f"{name} does not run: start it first") from error
            raise
        dialled.setblocking(False)
        return dialled

    def _stats(self, name: str) -> Stats:
        disk = self._disk(name)
        if (state := self._state(name)) not in ("running", "paused"):
            return Stats(state=state, disk_mb=disk / 2**20)
        used = running.used(self.engine, self._called(name))
        return Stats(
            state=state,
            memory_mb=used.memory / 2**20,
            processes=used.pids_stats.current,
            cpu_s=used.cpu_stats.cpu_usage.total_usage / 1e9,
            disk_mb=disk / 2**20,
        )

    def _disk(self, name: str) -> int:
        folder = self._folders.existing(name)
        try:
            return sum(blocks(str(folder / part)) for part in ("home", "run"))
        except OSError:  # the agent shut a folder, or it was never started
            return 0
