"""The host's side of the proxy: start it when there is none, and tell it what to do."""

import asyncio
import contextlib
import socket
import sys
from pathlib import Path

import msgspec

from doer.computers.network import control
from doer.computers.network.control import (
    AskStats,
    Hold,
    Order,
    Ping,
    ProxyStats,
    Register,
    Reply,
    Unregister,
    Update,
)
from doer.computers.network.rules import Rulebook
from doer.errors import ComputerError, boundary
from doer.records.computer import NetworkRules

FOLDER = ".proxy"
_ORDER_S = 10
_START_S = 30

_decode = msgspec.json.Decoder(Reply).decode


async def ensure(root: Path, idle_s: float = 60) -> "ProxyClient":
    """The proxy of this root folder, started when none answers; one that hangs is replaced. It
    survives this process, and ends when no computer was registered for `idle_s`. Raises
    `ComputerError`."""
    folder = root / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    client = ProxyClient(folder)
    try:
        await client.ping()
    except ComputerError:
        await _start(folder, idle_s)
        await client.ping()
    return client


class ProxyClient:
    """Every method raises `ComputerError` when the proxy has gone: then `ensure` again, and
    register again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.names: tuple[str, ...] = ()
        """The computers that were registered when it was last asked (`ping`)."""

    async def register(
        self, name: str, listener: socket.socket, rules: NetworkRules, folder: Path, pid: int = 0
    ) -> None:
        """Serve what connects to this listening socket, of which the caller keeps its own copy, by
        these rules. `folder`, on the host: the log and the authority are kept there. With `pid` the
        registration ends with that process. A name registered before is replaced. Raises
        `ConfigError` for rules that make no sense."""
        Rulebook(rules)
        order = Register(name, _absolute(folder), rules, pid)
        await self._order(order, listener.fileno())

    async def update(self, name: str, rules: NetworkRules) -> None:
        """Judge by these rules from now on; connections they do not allow are cut. Raises
        `ConfigError`."""
        Rulebook(rules)
        await self._order(Update(name, rules))

    async def unregister(self, name: str) -> None:
        """Close its connections and its socket. May be repeated."""
        await self._order(Unregister(name))

    async def stats(self, name: str) -> ProxyStats:
        return (await self._order(AskStats(name))).stats

    async def ping(self) -> tuple[str, ...]:
        """The names that are registered."""
        self.names = (await self._order(Ping())).names
        return self.names

    async def pid(self) -> int:
        return (await self._order(Ping())).pid

    async def lost(self) -> None:
        """Wait until the proxy has gone."""
        with contextlib.suppress(ComputerError), await self._connect() as sock:
            await self._ask(sock, Hold())
            await control.readable(sock)

    async def _order(self, order: Order, descriptor: int = -1) -> Reply:
        with await self._connect() as sock:
            reply = await self._ask(sock, order, descriptor)
        if reply.error:
            raise ComputerError(reply.error)
        return reply

    async def _ask(self, sock: socket.socket, order: Order, descriptor: int = -1) -> Reply:
        with boundary(ComputerError, "the network proxy"):
            async with asyncio.timeout(_ORDER_S):
                await control.send(sock, order, descriptor)
                content, _ = await control.receive(sock)
                return _decode(content)

    async def _connect(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX)
        sock.setblocking(False)
        try:
            with (
                boundary(ComputerError, "the network proxy does not run"),
                control.short_path(self._folder / control.SOCKET) as path,
            ):
                async with asyncio.timeout(_ORDER_S):
                    await asyncio.get_running_loop().sock_connect(sock, path)
        except BaseException:
            sock.close()
            raise
        return sock


async def _start(folder: Path, idle_s: float) -> None:
    ready, theirs = socket.socketpair()
    ready.setblocking(False)
    with ready, theirs, boundary(ComputerError, "the network proxy did not start"):
        starter = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "doer.computers.network.node",
            _absolute(folder),
            str(theirs.fileno()),
            str(idle_s),
            pass_fds=(theirs.fileno(),),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        try:
            async with asyncio.timeout(_START_S):
                await starter.wait()
                said = await asyncio.get_running_loop().sock_recv(ready, 1)
        finally:
            if starter.returncode is None:
                starter.kill()
                await starter.wait()
    if not said:
        said_why = _last_words(folder)
        raise ComputerError(f"the network proxy did not start{said_why}")


def _absolute(folder: Path) -> str:
    return str(folder.absolute())


def _last_words(folder: Path) -> str:
    output = folder / control.OUTPUT
    with contextlib.suppress(OSError):
        lines = output.read_text(errors="replace").strip().splitlines()
        return f": {lines[-1]}" if lines else ""
    return ""
