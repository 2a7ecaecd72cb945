"""What CONNECT and SOCKS ask for: bytes both ways to one host, as far as they can be judged.

TLS must name the host that was asked for; on port 443 nothing but TLS passes, on port 80 nothing
but HTTP or TLS. Where the rules want to know more, HTTP is read request by request, and TLS of
routed hosts and of those in `terminate` ends here. On other ports either side may speak first.
"""

import asyncio
import contextlib
import ssl
from typing import Protocol

from doer.computers.network import hello
from doer.computers.network.entry import Entry
from doer.computers.network.gate import Gate
from doer.computers.network.hosts import address, canonical
from doer.computers.network.refusal import Refusal
from doer.computers.network.rules import Judgement
from doer.computers.network.streams import SocketStream, Stream, TlsStream, relay

_UNRECOGNIZED_NAME = bytes((21, 3, 3, 0, 2, 2, 112))
"""A TLS alert: fatal, unrecognized_name."""


class Answer(Protocol):
    """How the caller's protocol says yes. No is said by whoever catches the `Refusal`."""

    async def __call__(self) -> None: ...


class Readable(Protocol):
    """Serves the HTTP requests that come out of a tunnel."""

    async def __call__(
        self, gate: Gate, wire: SocketStream, client: Stream, entry: Entry, *, tls: bool
    ) -> None: ...


async def tunnel(
    gate: Gate, wire: SocketStream, entry: Entry, grant: Answer, read_http: Readable
) -> None:
    """Until either side ends it. Raises `Refusal`: before `grant` was called, or after."""
    host, port = entry.host, entry.port
    judged = gate.book.host(host, port)
    entry.rule = judged.rule
    if not judged.allowed:
        raise Refusal("denied", judged.why, judged.rule)
    gate.meter.check()
    wire.limited = True
    if judged.terminate or judged.narrowed or port == 80:
        await grant()
        if await _is_tls(gate, wire, host):
            if judged.terminate:
                entry.write("allowed", 200)
                client = await _end_tls(gate, wire, host)
                await read_http(gate, wire, client, entry, tls=True)
                await client.end()
                return
            if judged.narrowed:
                why = (
                    f"Only some requests to {host} are allowed, and inside TLS they cannot be read."
                )
                raise Refusal("denied", f"{why} It would have to be in `terminate`.", judged.rule)
        elif port == 443:
            raise Refusal("denied", "On port 443 only TLS passes.", judged.rule)
        else:
            entry.write("allowed", 200)
            await read_http(gate, wire, wire, entry, tls=False)
            return
        await _pass(gate, wire, entry, judged, None)
    else:
        await _pass(gate, wire, entry, judged, grant)


async def _pass(
    gate: Gate, wire: SocketStream, entry: Entry, judged: Judgement, grant: Answer | None
) -> None:
    host, port, times = entry.host, entry.port, gate.deadlines
    other = await gate.dial(host, port, judged)
    try:
        if grant:
            await grant()
            if port == 443:
                if not await _is_tls(gate, wire, host):
                    raise Refusal("denied", "On port 443 only TLS passes.", judged.rule)
            else:
                await _first_word(gate, wire, other, host)
        entry.write("allowed", 200)
        with gate.passing(lambda book: book.host(host, port)):
            await relay(wire, other, times.idle_s, times.half_open_s)
    finally:
        other.close()
        entry.write("closed")


async def _first_word(gate: Gate, wire: SocketStream, other: SocketStream, host: str) -> None:
    """If the caller speaks first, TLS must name the host. A server that speaks first has no TLS."""
    caller = asyncio.ensure_future(wire.readable())
    server = asyncio.ensure_future(other.readable())
    try:
        async with asyncio.timeout(gate.deadlines.idle_s):
            await asyncio.wait((caller, server), return_when=asyncio.FIRST_COMPLETED)
        speaks = caller.done()
    finally:
        for one in (caller, server):
            one.cancel()
        await asyncio.gather(caller, server, return_exceptions=True)
    if speaks:
        await _is_tls(gate, wire, host)


async def _is_tls(gate: Gate, wire: SocketStream, host: str) -> bool:
    """Look at the caller's first bytes. Raises `Refusal` for TLS that does not name the host."""
    seen = b""
    found: hello.Hello | None = None
    try:
        async with asyncio.timeout(gate.deadlines.ask_s):
            while found is None:
                data = await wire.read()
                seen += data
                found = hello.read(seen)
                if not data:
                    raise ConnectionResetError("the caller has gone")
    except hello.NotTls:
        if seen[:1] == b"\x16":
            raise Refusal("denied", "This is no TLS that can be understood.", "tls") from None
        wire.unread(seen)
        return False
    wire.unread(seen)
    named = ""
    with contextlib.suppress(ValueError):
        named = canonical(found.name) if found.name else ""
    if named == host or (not found.name and address(host)):
        return True
    await wire.write(_UNRECOGNIZED_NAME)
    shown = found.name[:80] or "no name"
    raise Refusal("denied", f"TLS for {shown!r} in a connection to {host}.", "server name")


async def _end_tls(gate: Gate, wire: SocketStream, host: str) -> TlsStream:
    client = TlsStream(wire, gate.authority.context(host), server_side=True)
    try:
        async with asyncio.timeout(gate.deadlines.handshake_s):
            await client.handshake()
    except ssl.SSLError as error:
        why = f"No TLS with this computer's own authority: {error.reason}."
        raise Refusal("failed", why, "tls") from None
    return client
