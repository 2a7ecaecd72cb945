"""Computers on this machine, made of bubblewrap, an overlay and a small keeper process each.

No daemon, no setuid program, no root: what an ordinary user may do is enough. For a root everything
of a computer runs as an unprivileged user all the same.
"""

import asyncio
import contextlib
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import msgspec

from doer.computers import beside
from doer.computers.local import cgroups, incidents, starting
from doer.computers.local.archive import flatten, pack, unpack
from doer.computers.local.folders import Folders, Owner, is_held
from doer.computers.local.layers import MAX_DEPTH, Home, Layers
from doer.computers.local.networking import Networking
from doer.computers.local.probe import probe
from doer.computers.local.sockets import call, connect, dial
from doer.computers.network.rules import Rulebook
from doer.errors import ComputerError
from doer.records.computer import Heal, Incident, NetworkRules, Probe, Service, Spec, State, Stats

UID = 210_000
STOP_S, DIAL_S, COPY_S = 10.0, 10.0, 300.0
SOCKETS: dict[Service, str] = {"daemon": "daemon.sock", "screen": "rfb.sock"}


class LocalBackend:
    """`root`: the folder of all computers. `uid`: whom they run as when we are root."""

    def __init__(self, root: Path, uid: int = UID) -> None:
        self._folders = Folders(root.absolute(), Owner.here(uid))
        self._layers = Layers(self._folders)
        self._networking = Networking(self._folders)

    @property
    def name(self) -> str:
        return "local"

    async def probe(self) -> Probe:
        return await asyncio.to_thread(probe, self._folders.owner, self._folders.root)

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
        rules, runs = await asyncio.to_thread(self._glance, name)
        if runs:  # nearly always; nobody has to be locked out for that
            return await self._mended(name, rules)
        proxy, started = await asyncio.gather(
            self._networking.proxy(), asyncio.to_thread(self._start, name), return_exceptions=True
        )
        if isinstance(started, BaseException):
            raise started
        if isinstance(proxy, BaseException):
            await self.stop(name)  # no network in silence would be worse
            raise proxy
        if started:
            rules = (await asyncio.to_thread(self.spec, name)).network  # those of by now
            await self._networking.connect(name, rules)
            return ()
        return await self._mended(name, rules)

    async def _mended(self, name: str, rules: NetworkRules) -> tuple[Heal, ...]:
        mended = await self._networking.mend(name, rules)
        return (Heal("network", "open connections were lost"),) if mended else ()

    async def stop(self, name: str) -> None:
        await asyncio.to_thread(self._stop, name)

    async def destroy(self, name: str) -> None:
        await asyncio.to_thread(self._destroy, name)

    async def pause(self, name: str) -> None:
        await asyncio.to_thread(self._ask, name, {"op": "pause"})

    async def resume(self, name: str) -> None:
        await asyncio.to_thread(self._ask, name, {"op": "resume"})

    async def dial(self, name: str, service: Service) -> socket.socket:
        folder = self._running(name) / "run"
        return await dial(folder, SOCKETS[service], self._folders.owner.uid, DIAL_S)

    async def snapshot(self, name: str) -> str:
        return await asyncio.to_thread(self._snapshot, name)

    async def fork(self, name: str, child: str) -> None:
        await asyncio.to_thread(self._fork, name, child)

    def incidents(self, name: str, after: float = 0) -> tuple[Incident, ...]:
        """What befell it since its last start: limits that were enforced, and its end."""
        return incidents.read(self._folders.existing(name) / "host", after)

    def snapshots(self) -> tuple[str, ...]:
        """The ids of all snapshots."""
        return self._layers.snapshots()

    async def forget(self, snapshot: str) -> None:
        """Delete a snapshot. Computers made of it stay as they are."""
        self._layers.forget(snapshot)
        await asyncio.to_thread(self._sweep)

    async def stats(self, name: str) -> Stats:
        return await asyncio.to_thread(self._stats, name)

    def network_folder(self, name: str) -> Path:
        return self._networking.folder(name)

    async def set_network(self, name: str, rules: NetworkRules) -> None:
        Rulebook(rules)
        await asyncio.to_thread(self._store_rules, name, rules)
        if await asyncio.to_thread(self._is_alive, name):
            await self._networking.change(name, rules)

    async def export(self, name: str, to: Path) -> None:
        """The computer as one file, .tar.zst or .tar.gz: what it is, and its files as they are."""
        await asyncio.to_thread(self._export, name, to)

    async def import_from(self, archive: Path, name: str, most: Spec | None = None) -> Spec:
        """Make a computer of such a file, with no network and no image of its own: those are not
        the archive's to choose. It may take as much memory, processes and disk as `most`."""
        return await asyncio.to_thread(self._import, archive, name, most or Spec())

    def _export(self, name: str, to: Path) -> None:
        with self._folders.keep_layers():
            with self._folders.lock(name):
                spec, layers = self.spec(name), self._freeze(name)
            pack(self._folders, spec, layers, to)

    def _import(self, archive: Path, name: str, most: Spec) -> Spec:
        with self._folders.lock(name):
            aside = self._make_room(name, ())
            try:
                told = unpack(self._folders, aside, archive, most)
                beside.check(told.folders)
                spec = msgspec.structs.replace(
                    told,
                    memory_mb=min(told.memory_mb, most.memory_mb),
                    processes=min(told.processes, most.processes),
                    disk_mb=min(told.disk_mb, most.disk_mb),
                    cpus=most.cpus,
                )
                self._settle(aside, name, spec)
            except OSError as error:
                raise ComputerError(f"{archive} cannot be read: {error}") from error
            finally:
                self._folders.throw_away(aside)
        self._folders.empty_trash()
        return spec

    def _create_from(self, name: str, spec: Spec, snapshot: str) -> None:
        with self._folders.lock(name), self._folders.keep_layers():
            layers = self._layers.of_snapshot(snapshot) if snapshot else ()
            self._create(name, spec, layers)

    def _create(self, name: str, spec: Spec, layers: tuple[str, ...]) -> None:
        self._settle(self._make_room(name, layers), name, spec)

    def _make_room(self, name: str, layers: tuple[str, ...]) -> Path:
        """A computer is built aside, then it is there at once. The name is locked meanwhile."""
        folder = self._folders.of(name)
        if (folder / "spec.json").exists():
            raise ComputerError(f"there is a computer {name} already")
        aside = self._folders.root / f".new-{name}"
        for left in (folder, aside):
            self._folders.throw_away(left)
        self._folders.owner.show(aside)
        for part in ("upper", "work", "run", "host"):
            self._folders.owner.give(aside / part)
        (aside / "layers.json").write_bytes(msgspec.json.encode(Home(layers=layers)))
        return aside

    def _settle(self, aside: Path, name: str, spec: Spec) -> None:
        (aside / "spec.json").write_bytes(msgspec.json.encode(spec))
        aside.rename(self._folders.of(name))

    def _snapshot(self, name: str) -> str:
        with self._folders.lock(name), self._folders.keep_layers():
            return self._layers.keep(self._freeze(name))

    def _fork(self, name: str, child: str) -> None:
        if name == child:
            raise ComputerError("a fork needs a name of its own")
        first, second = sorted((name, child))  # so that two forks never wait for each other
        with (
            self._folders.lock(first),
            self._folders.lock(second),
            self._folders.keep_layers(),
        ):
            self._create(child, self._folders.spec(name), self._freeze(name))

    def _freeze(self, name: str) -> tuple[str, ...]:
        """The home as it is now, as layers."""
        if not self._is_alive(name):
            layers = self._layers.freeze(name)
            return layers if len(layers) <= MAX_DEPTH else self._flatten(name, layers)
        home = self._layers.home(name)
        layer, folder = self._layers.room()
        deep = len(home.layers) >= MAX_DEPTH
        request = {"op": "copy", "of": "home" if deep else "upper", "to": folder.name}
        self._call(self._folders.of(name), request, COPY_S)
        self._layers.finish(layer)
        return (layer,) if deep else (layer, *home.layers)

    def _flatten(self, name: str, layers: tuple[str, ...]) -> tuple[str, ...]:
        layer, folder = self._layers.room()
        flatten(self._folders, layers, folder.name)
        self._layers.finish(layer)
        self._layers.stand_on(name, layer)
        return (layer,)

    def _sweep(self) -> None:
        with self._folders.keep_layers(sweeping=True) as alone:
            if alone:
                self._layers.sweep()
        for left in self._folders.root.glob(".new-*"):  # of whoever was killed while making it
            name = left.name.removeprefix(".new-")
            with contextlib.suppress(ComputerError), self._folders.lock(name, wait_s=0):
                self._folders.throw_away(left)
        self._folders.empty_trash()

    def _glance(self, name: str) -> tuple[NetworkRules, bool]:
        """What it may reach, and whether it runs, or is paused."""
        return self.spec(name).network, self._state(name) in ("running", "paused")

    def _start(self, name: str) -> bool:
        """False when it runs already."""
        with self._folders.lock(name):
            folder = self._folders.existing(name)
            if self._state(name) in ("running", "paused"):
                return False
            self._end(name, folder)  # it may be about to die
            home = self._layers.home(name)
            self._layers.mend(name)
            authorities = (self._networking.authority(name),)
            try:
                starting.start(self._folders, name, home.layers, authorities)
            except BaseException:
                self._end(name, folder)
                raise
            return True

    def _store_rules(self, name: str, rules: NetworkRules) -> None:
        with self._folders.lock(name):
            spec = msgspec.structs.replace(self._folders.spec(name), network=rules)
            self._folders.write_spec(name, spec)

    def _stop(self, name: str) -> None:
        with self._folders.lock(name):
            self._end(name, self._folders.existing(name))

    def _destroy(self, name: str) -> None:
        with self._folders.lock(name):
            folder = self._folders.of(name)
            self._end(name, folder)
            self._folders.throw_away(folder)
        self._sweep()

    def _end(self, name: str, folder: Path) -> None:
        """No process of it is left when this returns."""
        lifetime = folder / "host" / "lifetime"
        end = time.monotonic() + STOP_S
        while is_held(lifetime):
            with contextlib.suppress(ComputerError):
                if time.monotonic() < end - STOP_S / 2:
                    self._call(folder, {"op": "stop"}, STOP_S / 2)
                else:
                    self._kill_keeper(folder)
            if time.monotonic() > end:
                raise ComputerError(f"{name} does not end")
            time.sleep(0.003)
        cgroups.remove(cgroups.of(self._folders.group(name)))

    def _kill_keeper(self, folder: Path) -> None:
        uid = self._folders.owner.uid
        with connect(folder / "host", "control.sock", uid, socket.SOCK_SEQPACKET, 1) as keeper:
            told = keeper.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        with contextlib.suppress(ProcessLookupError):
            os.kill(int.from_bytes(told[:4], "little"), signal.SIGKILL)

    def _is_alive(self, name: str) -> bool:
        return is_held(self._folders.of(name) / "host" / "lifetime")

    def _state(self, name: str) -> State:
        self._folders.existing(name)
        if not self._is_alive(name):
            return "stopped"
        try:
            return "paused" if self._ask(name, {"op": "ping"})["paused"] else "running"
        except ComputerError:
            return "broken" if self._is_alive(name) else "stopped"

    def _ask(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        return self._call(self._running(name), request, DIAL_S)

    def _running(self, name: str) -> Path:
        """The folder of a computer that lives."""
        folder = self._folders.existing(name)
        if not self._is_alive(name):
            raise ComputerError(f"{name} does not run: start it first")
        return folder

    def _call(self, folder: Path, request: dict[str, Any], wait_s: float) -> dict[str, Any]:
        return call(folder / "host", self._folders.owner.uid, request, wait_s).told

    def _stats(self, name: str) -> Stats:
        if (state := self._state(name)) in ("stopped", "broken"):
            return Stats(state=state)
        told = self._ask(name, {"op": "stats"})
        return Stats(
            state=state,
            memory_mb=told["memory"] / 2**20,
            processes=told["processes"],
            cpu_s=told["cpu_s"],
            disk_mb=told["disk"] / 2**20,
        )
