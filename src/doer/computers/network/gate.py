"""What one computer's connections share: its rules, meter, log, names, authority and deadlines."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from doer.computers.network.authority import Authority
from doer.computers.network.log import NetworkLog
from doer.computers.network.meter import Meter
from doer.computers.network.refusal import Refusal
from doer.computers.network.resolver import Resolver
from doer.computers.network.rules import Judgement, Rulebook
from doer.computers.network.streams import SocketStream
from doer.records.computer import NetworkRules

TURNS_PER_S, TURNS_AT_ONCE = 200, 400
"""Connections and requests of one computer: what comes faster waits, so that others need not."""

Judge = Callable[[Rulebook], Judgement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Seconds. `ask_s`: a request's head, the wait before it included. `stall_s`: a body or a
    write that does not move. `answer_s`: until the other side begins to answer. `idle_s`: a tunnel
    in which nothing moves; `half_open_s`: when one side of it has ended."""

    ask_s: float = 60
    stall_s: float = 60
    dial_s: float = 10
    look_up_s: float = 10
    handshake_s: float = 15
    answer_s: float = 300
    idle_s: float = 900
    half_open_s: float = 60


class Gate:
    """One computer's way out."""

    def __init__(
        self,
        name: str,
        folder: Path,
        rules: NetworkRules,
        trust: ssl.SSLContext,
        deadlines: Deadlines,
    ) -> None:
        """`trust` verifies the servers that hosts of `terminate` reach. Raises `ConfigError`."""
        self.name = name
        self.folder = folder
        self.book = Rulebook(rules)
        self.meter = Meter(folder, rules.max_bytes, rules.bytes_per_s)
        self.log = NetworkLog(folder)
        self.authority = Authority(folder)
        self.trust = trust
        self.deadlines = deadlines
        self._resolver = Resolver(deadlines.look_up_s)
        self._turn_s = 0.0
        self._passing: dict[asyncio.Task[object], Judge] = {}

    def update(self, rules: NetworkRules) -> None:
        """Judge by these rules from now on, and cut what they no longer allow."""
        self.book = Rulebook(rules)
        self.meter.max_bytes = rules.max_bytes
        self.meter.bytes_per_s = rules.bytes_per_s
        for task, judge in list(self._passing.items()):
            if not judge(self.book).allowed:
                task.cancel()

    async def turn(self) -> None:
        """Wait for this computer's next turn to have something done."""
        now = asyncio.get_running_loop().time()
        earliest = now - TURNS_AT_ONCE / TURNS_PER_S
        self._turn_s = max(earliest, self._turn_s) + 1 / TURNS_PER_S
        if self._turn_s > now:
            await asyncio.sleep(self._turn_s - now)

    @contextmanager
    def passing(self, judge: Judge) -> Generator[None]:
        """While open, this task ends when the rules change so that `judge` says no."""
        task = asyncio.current_task()
        assert task
        self._passing[task] = judge
        try:
            yield
        finally:
            del self._passing[task]

    async def dial(self, host: str, port: int, judged: Judgement) -> SocketStream:
        """A connection to where the judgement leads. Raises `Refusal`."""
        if judged.route:
            return await self._dial(*_local(judged.route), shown=f"{host} (a local application)")
        failure: Refusal | None = None
        for address in (await self._resolver.addresses(host, judged.private))[:4]:
            family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
            try:
                return await self._dial(family, (str(address), port), shown=f"{host}:{port}")
            except Refusal as refusal:
                failure = refusal
        assert failure
        raise failure

    async def _dial(
        self, family: socket.AddressFamily, where: tuple[str, int] | str, shown: str
    ) -> SocketStream:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            async with asyncio.timeout(self.deadlines.dial_s):
                await asyncio.get_running_loop().sock_connect(sock, where)
        except BaseException as error:
            sock.close()
            if isinstance(error, TimeoutError):
                raise Refusal("failed", f"{shown} did not answer in time.") from None
            if isinstance(error, OSError):
                raise Refusal("failed", f"{shown} cannot be reached: {error.strerror}.") from None
            raise
        if family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return SocketStream(sock, stall_s=self.deadlines.stall_s)

    def close(self) -> None:
        self.meter.save()
        self._resolver.close()


def _local(route: str) -> tuple[socket.AddressFamily, tuple[str, int] | str]:
    if route.startswith("unix:"):
        return socket.AF_UNIX, route.removeprefix("unix:")
    host, _, port = route.rpartition(":")
    if host == "[::1]":
        return socket.AF_INET6, ("::1", int(port))
    return socket.AF_INET, ("127.0.0.1", int(port))
