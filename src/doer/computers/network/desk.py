"""Takes the orders of the node's Doer processes and keeps the doors of its computers."""

import asyncio
import logging
import os
import socket
import ssl
from dataclasses import dataclass
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
from doer.computers.network.door import Door
from doer.computers.network.gate import Deadlines, Gate
from doer.computers.network.rules import Rulebook
from doer.errors import ComputerError, DoerError, boundary

_ORDER_S = 10

_log = logging.getLogger(__name__)
_decode = msgspec.json.Decoder(Order).decode


@dataclass(slots=True)
class _Opened:
    door: Door
    serving: asyncio.Task[None]
    watching: asyncio.Task[None] | None = None


class Desk:
    """All computers of one proxy."""

    def __init__(self, deadlines: Deadlines | None = None) -> None:
        self._deadlines = deadlines or Deadlines()
        self._trust = ssl.create_default_context()
        self._trust.set_alpn_protocols(["http/1.1"])
        self._doors: dict[str, _Opened] = {}
        self._visits: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._turn = asyncio.Lock()

    async def serve(self, listener: socket.socket) -> None:
        """Take orders until cancelled; then every door is closed."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                sock, _ = await loop.sock_accept(listener)
                visit = asyncio.create_task(self._visit(sock))
                self._visits.add(visit)
                visit.add_done_callback(self._visits.discard)
        finally:
            listener.close()
            for name in list(self._doors):
                await self._close(name)
            for visit in self._visits:  # who holds on learns of the end when it has come
                visit.cancel()
            await asyncio.gather(*self._visits, return_exceptions=True)

    async def idle(self, patience_s: float) -> None:
        """Wait until no computer has been registered, and no order taken, for so long."""
        while True:
            self._changed.clear()
            try:
                async with asyncio.timeout(None if self._doors else patience_s):
                    await self._changed.wait()
            except TimeoutError:
                return

    async def obey(self, order: Order, descriptors: list[int]) -> Reply:
        """Raises `DoerError` for what cannot be done. Takes what it needs of the descriptors."""
        self._changed.set()
        stats = ProxyStats()
        match order:
            case Register():
                async with self._turn:
                    await self._register(order, descriptors)
            case Update(name, rules):
                self._opened(name).door.gate.update(rules)
            case Unregister(name):
                async with self._turn:
                    await self._close(name)
            case AskStats(name):
                stats = _stats(self._opened(name).door)
            case Ping() | Hold():
                pass
        return Reply(pid=os.getpid(), names=tuple(sorted(self._doors)), stats=stats)

    async def _visit(self, sock: socket.socket) -> None:
        with sock:
            sock.setblocking(False)
            try:
                async with asyncio.timeout(_ORDER_S):
                    content, descriptors = await control.receive(sock)
                    order, reply = await self._answer(content, descriptors)
                    await control.send(sock, reply)
                if isinstance(order, Hold):
                    await control.readable(sock)
            except (OSError, TimeoutError) as error:
                _log.info("an order was not taken: %r", error)

    async def _answer(self, content: bytes, descriptors: list[int]) -> tuple[Order | None, Reply]:
        order: Order | None = None
        try:
            with boundary(ComputerError, "the network proxy"):
                order = taken = _decode(content)
                return order, await self.obey(taken, descriptors)
        except DoerError as error:
            return order, Reply(error=str(error))
        finally:
            for one in descriptors:
                os.close(one)

    async def _register(self, order: Register, descriptors: list[int]) -> None:
        if not descriptors:
            raise ComputerError(f"{order.name}: no listening socket came with the registration")
        Rulebook(order.rules)  # what makes no sense closes nothing
        await self._close(order.name)
        gate = Gate(order.name, Path(order.folder), order.rules, self._trust, self._deadlines)
        listener = socket.socket(fileno=descriptors.pop())
        opened = _Opened(door := Door(gate, listener), asyncio.create_task(door.serve()))
        self._doors[order.name] = opened
        if order.pid:
            opened.watching = asyncio.create_task(self._outlive(opened, order.pid))

    async def _outlive(self, opened: _Opened, pid: int) -> None:
        """Close a door when its process has ended."""
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            pass
        else:
            try:
                await control.readable(descriptor)
            finally:
                os.close(descriptor)
        async with self._turn:
            opened.watching = None
            await self._close(opened.door.gate.name)
        self._changed.set()

    def _opened(self, name: str) -> _Opened:
        if name not in self._doors:
            raise ComputerError(f"{name} is not registered with the network proxy")
        return self._doors[name]

    async def _close(self, name: str) -> None:
        opened = self._doors.pop(name, None)
        if opened:
            tasks = [one for one in (opened.serving, opened.watching) if one]
            for one in tasks:
                one.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            opened.door.close()


def _stats(door: Door) -> ProxyStats:
    meter = door.gate.meter
    return ProxyStats(
        up=meter.up,
        down=meter.down,
        connections=door.connections,
        log_lost=door.gate.log.lost,
    )
