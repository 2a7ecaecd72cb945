"""SOCKS5 (RFC 1928): TCP to a name or an address, no authentication. UDP and BIND are refused."""

import asyncio
from ipaddress import IPv4Address, IPv6Address

from doer.computers.network.entry import Entry
from doer.computers.network.gate import Gate
from doer.computers.network.hosts import canonical
from doer.computers.network.http import read_tunnel
from doer.computers.network.refusal import Refusal, Verdict
from doer.computers.network.streams import SocketStream
from doer.computers.network.tunnel import tunnel

VERSION = 5
_CONNECT = 1
_GRANTED, _NO_COMMAND, _NO_ADDRESS, _NO_METHOD = 0, 7, 8, 255
_CODES: dict[Verdict, int] = {"denied": 2, "over_limit": 2, "failed": 4}
_IPV4, _NAME, _IPV6 = 1, 3, 4


class _Unsupported(Refusal):
    def __init__(self, code: int, why: str) -> None:
        super().__init__("malformed", why)
        self.code = code


async def serve(gate: Gate, wire: SocketStream) -> None:
    """Raises `OSError` and `TimeoutError`."""
    entry = Entry(log=gate.log, wire=wire, kind="socks", up=wire.up, down=wire.down)
    granted = False

    async def grant() -> None:
        nonlocal granted
        granted = True
        await _reply(wire, _GRANTED)

    try:
        async with asyncio.timeout(gate.deadlines.ask_s):
            await _greet(wire)
            await _ask(wire, entry)
        await tunnel(gate, wire, entry, grant, read_tunnel)
    except _Unsupported as refusal:
        entry.refused(refusal)
        await _reply(wire, refusal.code)
    except Refusal as refusal:
        entry.refused(refusal)
        if not granted:
            await _reply(wire, _CODES.get(refusal.verdict, 1))


async def _greet(wire: SocketStream) -> None:
    _, count = await _take(wire, 2)
    if 0 not in await _take(wire, count):
        await wire.write(bytes((VERSION, _NO_METHOD)))
        raise ConnectionResetError("SOCKS with authentication only")
    await wire.write(bytes((VERSION, 0)))


async def _ask(wire: SocketStream, entry: Entry) -> None:
    version, command, _, kind = await _take(wire, 4)
    if kind == _NAME:
        host = (await _take(wire, (await _take(wire, 1))[0])).decode("latin-1")
    elif kind == _IPV4:
        host = str(IPv4Address(await _take(wire, 4)))
    elif kind == _IPV6:
        host = str(IPv6Address(await _take(wire, 16)))
    else:
        raise _Unsupported(_NO_ADDRESS, f"SOCKS: no such kind of address ({kind}).")
    port = int.from_bytes(await _take(wire, 2))
    entry.host, entry.port = host[:255], port
    if version != VERSION or command != _CONNECT:
        raise _Unsupported(_NO_COMMAND, "SOCKS: only TCP connections are made, UDP and BIND not.")
    try:
        entry.host = canonical(host)
    except ValueError as wrong:
        raise Refusal("malformed", f"SOCKS: {wrong}.") from None
    if not port:
        raise Refusal("malformed", "SOCKS: port 0.")


async def _reply(wire: SocketStream, code: int) -> None:
    await wire.write(bytes((VERSION, code, 0, _IPV4, 0, 0, 0, 0, 0, 0)))


async def _take(wire: SocketStream, size: int) -> bytes:
    taken = b""
    while len(taken) < size:
        data = await wire.read()
        if not data:
            raise ConnectionResetError("the caller has gone")
        taken += data
    wire.unread(taken[size:])
    return taken[:size]
