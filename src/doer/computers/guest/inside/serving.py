"""One connection, one call: reads the request, lets the part that knows it answer."""

from __future__ import annotations

import os
import socket
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping

from children import end_all
from chromium import BrowserSlot
from desktop import Desktop
from loop import readable, start, wait
from processes import processes
from running import run
from storing import Storing
from terminals import Terminals
from watching import Watching
from wire import Broken, Connection, Gone, Refused, Request

MAX_CALLERS = 256
_REQUEST_S = 10.0

Answer = Callable[[Connection, Request], Awaitable[None]]


class Daemon:
    def __init__(self, folder: str, home: str, env: Mapping[str, str], display: int) -> None:
        self._began = time.monotonic()
        self._boot = os.urandom(8).hex()
        self._home = home
        self._env = {**env, "DISPLAY": f":{display}"}
        self._callers = 0
        self._desktop = Desktop(folder, home, self._env, display)
        self._browser = BrowserSlot(folder, home, self._env, self._desktop)
        terminals = Terminals(home, self._env)
        storing = Storing(home)
        self._answers: dict[str, Answer] = {
            "ping": self._ping,
            "run": self._run,
            "terminal_open": terminals.open,
            "terminal_write": terminals.write,
            "terminal_read": terminals.read,
            "terminal_signal": terminals.signal,
            "terminal_resize": terminals.resize,
            "terminal_list": terminals.list,
            "terminal_close": terminals.close,
            "files_stat": storing.stat,
            "files_list": storing.list,
            "files_read": storing.read,
            "files_write": storing.write,
            "files_mkdir": storing.mkdir,
            "files_move": storing.move,
            "files_remove": storing.remove,
            "watch": Watching(home).watch,
            "processes": processes,
            "screen": self._desktop.screen,
            "open": self._desktop.open,
            "browser": self._browser.start,
            "stop": self._stop,
        }

    async def serve(self, listener: socket.socket) -> None:
        listener.setblocking(False)
        while True:
            await wait(readable(listener.fileno()))
            try:
                sock, _ = listener.accept()
            except OSError:
                continue
            if self._callers >= MAX_CALLERS:
                sock.close()
                continue
            start(self._call(Connection(sock)))

    async def _call(self, caller: Connection) -> None:
        self._callers += 1
        try:
            await self._answer(caller)
            await caller.finish()
        except Gone:
            pass
        except Exception:  # noqa: BLE001 (a fault in one call must not end the others)
            traceback.print_exc(file=sys.stderr)
        finally:
            caller.close()
            self._callers -= 1

    async def _answer(self, caller: Connection) -> None:
        try:
            request = await caller.request(time.monotonic() + _REQUEST_S)
            op = request.text("op")
            if op not in self._answers:
                raise Refused(f"there is no {op!r}; there are: {', '.join(self._answers)}")
            await self._answers[op](caller, request)
        except Refused as error:
            await caller.answer({"error": str(error)})
        except Broken as error:
            await caller.answer({"error": str(error), "broken": True})
        except MemoryError:
            await caller.answer({"error": "the computer is out of memory", "broken": True})
        except OSError as error:
            await caller.answer({"error": f"{error.strerror}: {error.filename}", "broken": True})

    async def _ping(self, caller: Connection, request: Request) -> None:
        pids = sum(name.isdigit() for name in os.listdir("/proc"))
        await caller.answer(
            {
                "boot": self._boot,
                "uptime_s": time.monotonic() - self._began,
                "load": list(os.getloadavg()),
                "pids": pids,
                "browser": self._browser.running,
            }
        )

    async def _run(self, caller: Connection, request: Request) -> None:
        await run(caller, request, self._home, self._env)

    async def _stop(self, caller: Connection, request: Request) -> None:
        await self._browser.stop()
        self._desktop.leave()
        await end_all()
        await caller.answer({"stopped": True})
        os._exit(0)
