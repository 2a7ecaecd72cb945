"""What a keeper does while its computer lives: answers on the control socket, keeps a short log of
what the sandbox says, and lets the watchdog look.

One thread, one loop. A request is one packet of JSON, at most one descriptor with it; so is its
answer: `{"error": ...}`, or what was asked for.
"""

import array  # noqa: F401  # pyright: ignore[reportUnusedImport]  # see _send
import contextlib
import json
import os
import select
import selectors
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from doer.computers.local.keeper import events, kernel
from doer.computers.local.keeper.copying import Copier
from doer.computers.local.keeper.plan import Plan
from doer.computers.local.keeper.staging import COMPUTER, HOME, LAYERS
from doer.computers.local.keeper.tree import Tree
from doer.computers.local.keeper.watchdog import Watchdog

MAX_PACKET = 64 << 10
MAX_LOG = 256 << 10
TICK_S = 0.25


class Keeping:
    def __init__(
        self,
        plan: Plan,
        bubblewrap: subprocess.Popen[bytes],
        control: socket.socket,
        listener: socket.socket,
    ) -> None:
        self._plan = plan
        self._bubblewrap = bubblewrap
        self._listener = listener
        self._tree = Tree(bubblewrap.pid)
        self._watchdog = Watchdog(plan, self._tree)
        self._selector = selectors.DefaultSelector()
        self._logged = 0
        self._looked = 0.0
        self._paused = False
        self._alive = True
        assert bubblewrap.stdout is not None
        self._said = bubblewrap.stdout.fileno()
        os.set_blocking(self._said, False)
        control.setblocking(False)
        self._watch(control, lambda: self._accept(control))
        self._watch(self._said, self._listen)
        self._watch(os.pidfd_open(bubblewrap.pid), self._end)

    def keep(self) -> None:
        while self._alive:
            for key, _ in self._selector.select(TICK_S):
                key.data()
            if self._alive and not self._paused and time.monotonic() - self._looked > TICK_S:
                with contextlib.suppress(OSError):  # what it looked at has just gone
                    self._watchdog.look()
                self._looked = time.monotonic()
                if not Path("control.sock").exists():  # its folder was deleted by force
                    self._tree.end()
        self._listen()

    def _watch(self, source: socket.socket | int, react: Callable[[], None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, react)

    def _accept(self, control: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            caller, _ = control.accept()
            caller.setblocking(False)
            self._watch(caller, lambda: self._serve(caller))

    def _serve(self, caller: socket.socket) -> None:
        packet = b""
        with contextlib.suppress(OSError):
            packet = caller.recv(MAX_PACKET)
        if not packet:
            self._selector.unregister(caller)
            caller.close()
            return
        fds: list[int] = []
        try:
            request = json.loads(packet)
            if request["op"] == "copy":
                self._copy(caller, request["of"], request["to"])
                return
            answer = self._answer(request, fds)
        except (OSError, ValueError, KeyError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        _send(caller, answer, fds)

    def _copy(self, caller: socket.socket, of: str, to: str) -> None:
        """Copy the upper folder, or the whole home, into an unfinished layer, by a process of its
        own. Meanwhile nothing moves inside, so that the copy is of one moment."""
        self._tree.stop()
        sources = {"upper": f"{COMPUTER}/upper", "home": HOME}
        told, telling = os.pipe()
        if (copier := os.fork()) == 0:
            kernel.die_with_parent()
            try:
                Copier().copy(sources[of], f"{LAYERS}/{to}")
            except (OSError, KeyError) as error:
                os.write(telling, str(error).encode())
            os._exit(0)
        os.close(telling)
        self._selector.unregister(caller)

        def end() -> None:
            self._selector.unregister(told)
            problem = os.read(told, MAX_PACKET // 4)
            os.close(told)
            os.waitpid(copier, 0)
            if not self._paused:
                self._tree.go_on()
            _send(caller, {"error": problem.decode(errors="replace")} if problem else {}, [])
            self._watch(caller, lambda: self._serve(caller))

        self._watch(told, end)

    def _answer(self, request: dict[str, object], fds: list[int]) -> dict[str, object]:
        match request["op"]:
            case "ping":
                return {"pid": os.getpid(), "paused": self._paused}
            case "listener":
                fds.append(self._listener.fileno())
                return {}
            case "pause":
                self._tree.stop()
                self._paused = True
                return {}
            case "resume":
                self._paused = False
                self._tree.go_on()
                return {}
            case "stats":
                return self._stats()
            case "stop":
                self._tree.end()
                return {}
            case unknown:
                return {"error": f"a keeper does not know {unknown}"}

    def _stats(self) -> dict[str, object]:
        living = self._tree.processes()
        return {
            "paused": self._paused,
            "memory": self._watchdog.measure_memory(),
            "disk": self._watchdog.measure_disk(),
            "processes": len(living),
            "cpu_s": sum(one.cpu_s for one in living),
        }

    def _listen(self) -> None:
        """Keep the first of what the sandbox says; read on, so that nobody in it is held up."""
        with contextlib.suppress(BlockingIOError):
            said = os.read(self._said, 64 << 10)
            if not said:
                with contextlib.suppress(KeyError):
                    self._selector.unregister(self._said)
            if self._logged < MAX_LOG:
                self._logged += len(said)
                with Path("log").open("ab") as log:
                    log.write(said)

    def _end(self) -> None:
        code = self._bubblewrap.wait()
        events.tell("ended", f"the computer has ended, with {code}")
        self._alive = False
        if select.select([self._said], [], [], 0)[0]:
            self._listen()


def _send(caller: socket.socket, answer: Mapping[str, object], fds: list[int]) -> None:
    """`send_fds` needs the module array and would load it when a root's keeper, an ordinary user by
    now, may not be able to read it any more."""
    with contextlib.suppress(OSError):
        socket.send_fds(caller, [json.dumps(answer).encode()], fds)
