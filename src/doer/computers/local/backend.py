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

from doer.computers.local import cgroups, starting
from doer.computers.local.folders import Folders, Owner, is_held
from doer.computers.local.layers import Layers
from doer.computers.local.sockets import call, connect
from doer.errors import ComputerError
from doer.records.computer import NetworkRules, Probe, Service, Spec, State, Stats

UID = 210_000
STOP_S, DIAL_S = 10.0, 10.0
SOCKETS: dict[Service, str] = {"daemon": "daemon.sock", "screen": "rfb.sock"}


class LocalBackend:
    """`root`: the folder of all computers. `uid`: whom they run as when we are root."""

    def __init__(self, root: Path, uid: int = UID) -> None:
        self._folders = Folders(root.absolute(), Owner.here(uid))
        self._layers = Layers(self._folders)

    @property
    def name(self) -> str:
        return "local"

    async def probe(self) -> Probe:
        return Probe(backend="local")

    def names(self) -> tuple[str, ...]:
        return self._folders.names()

    def spec(self, name: str) -> Spec:
        return self._folders.spec(name)

    async def state(self, name: str) -> State:
        return await asyncio.to_thread(self._state, name)

    async def create(self, name: str, spec: Spec, snapshot: str = "") -> None:
        layers = self._layers.of_snapshot(snapshot) if snapshot else ()
        await asyncio.to_thread(self._create, name, spec, layers)

    async def start(self, name: str) -> None:
        await asyncio.to_thread(self._start, name)

    async def stop(self, name: str) -> None:
        await asyncio.to_thread(self._stop, name)

    async def destroy(self, name: str) -> None:
        await asyncio.to_thread(self._destroy, name)

    async def pause(self, name: str) -> None:
        await asyncio.to_thread(self._ask, name, {"op": "pause"})

    async def resume(self, name: str) -> None:
        await asyncio.to_thread(self._ask, name, {"op": "resume"})

    async def dial(self, name: str, service: Service) -> socket.socket:
        return await asyncio.to_thread(self._dial, name, service)

    async def snapshot(self, name: str) -> str:
        raise ComputerError("not built yet")

    async def fork(self, name: str, child: str) -> None:
        raise ComputerError("not built yet")

    async def stats(self, name: str) -> Stats:
        return await asyncio.to_thread(self._stats, name)

    async def set_network(self, name: str, rules: NetworkRules) -> None:
        raise ComputerError("not built yet")

    def _create(self, name: str, spec: Spec, layers: tuple[str, ...]) -> None:
        folder = self._folders.of(name)
        with self._folders.lock(name):
            if (folder / "spec.json").exists():
                raise ComputerError(f"there is a computer {name} already")
            self._folders.throw_away(folder)
            self._folders.owner.show(folder)
            for part in ("upper", "work", "run", "host"):
                self._folders.owner.give(folder / part)
            self._layers.begin(name, layers)
            self._folders.write_spec(name, spec)

    def _start(self, name: str) -> None:
        with self._folders.lock(name):
            folder = self._folders.existing(name)
            if self._is_alive(name):
                return
            home = self._layers.home(name)
            self._layers.mend(name)
            try:
                starting.start(self._folders, name, self._folders.spec(name), home.layers)
            except BaseException:
                self._end(name, folder)
                raise

    def _stop(self, name: str) -> None:
        with self._folders.lock(name):
            self._end(name, self._folders.existing(name))

    def _destroy(self, name: str) -> None:
        with self._folders.lock(name):
            folder = self._folders.of(name)
            self._end(name, folder)
            self._folders.throw_away(folder)

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
        cgroups.remove(cgroups.of(name))

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
        folder = self._folders.existing(name)
        if not self._is_alive(name):
            raise ComputerError(f"{name} does not run: start it first")
        return self._call(folder, request, DIAL_S)

    def _call(self, folder: Path, request: dict[str, Any], wait_s: float) -> dict[str, Any]:
        return call(folder / "host", self._folders.owner.uid, request, wait_s).told

    def _dial(self, name: str, service: Service) -> socket.socket:
        folder = self._folders.existing(name)
        if not self._is_alive(name):
            raise ComputerError(f"{name} does not run: start it first")
        uid = self._folders.owner.uid
        dialled = connect(folder / "run", SOCKETS[service], uid, socket.SOCK_STREAM, DIAL_S)
        dialled.setblocking(False)
        return dialled

    def _stats(self, name: str) -> Stats:
        if (state := self._state(name)) == "stopped":
            return Stats(state=state)
        told = self._ask(name, {"op": "stats"})
        return Stats(
            state=state,
            memory_mb=told["memory"] / 2**20,
            processes=told["processes"],
            cpu_s=told["cpu_s"],
        )
