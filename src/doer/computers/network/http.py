"""HTTP/1.1 as a computer speaks it to its proxy: absolute addresses, CONNECT, and what comes out of
a tunnel that is read.

Every message is parsed and written anew (h11), so the other side reads it as it was judged. Each
request of a connection is judged by the rules of that moment.
"""

import asyncio
import re
from dataclasses import dataclass

import h11

from doer.computers.network import headers
from doer.computers.network.caller import Caller
from doer.computers.network.entry import Entry
from doer.computers.network.exchange import exchange
from doer.computers.network.gate import Gate
from doer.computers.network.hosts import split_port
from doer.computers.network.refusal import Refusal
from doer.computers.network.streams import SocketStream, Stream
from doer.computers.network.tunnel import tunnel
from doer.computers.network.upstream import Key, Upstream

_ABSOLUTE = re.compile(rb"http://([^/?#\\@]+)(/[^#\\]*|\?[^#\\]*)?", re.IGNORECASE)
_LOCAL = re.compile(rb"/[^#\\]*")


@dataclass(frozen=True, slots=True)
class Origin:
    host: str
    port: int
    tls: bool


class Http:
    """One connection of a computer, or the inside of one of its tunnels: then all requests go to
    `origin`."""

    def __init__(
        self, gate: Gate, wire: SocketStream, client: Stream, origin: Origin | None = None
    ) -> None:
        self._gate = gate
        self._caller = Caller(wire, client)
        self._origin = origin
        self._upstream: Upstream | None = None

    async def serve(self) -> None:
        """Answer requests until the caller closes or one of them ends the connection. Raises
        `OSError` and `TimeoutError`."""
        try:
            while await self._one() and self._caller.another():
                pass
        finally:
            self._drop_upstream()

    async def _one(self) -> bool:
        """Answer one request; False when the connection is at its end."""
        wire = self._caller.wire
        wire.limited = False
        entry = Entry(log=self._gate.log, wire=wire, kind="http", up=wire.up, down=wire.down)
        try:
            async with asyncio.timeout(self._gate.deadlines.ask_s):
                request = await self._caller.hear()
            if not isinstance(request, h11.Request):
                return False
            await self._gate.turn()
            entry.begin(request.method.decode())
            if request.method == b"CONNECT":
                await self._connect(request, entry)
                return False
            await self._pass_on(request, entry)
        except Refusal as refusal:
            entry.refused(refusal)
            await self._caller.refuse(refusal)
        except (OSError, TimeoutError):
            entry.broken("failed", "The caller's connection broke.")
            raise
        except asyncio.CancelledError:
            entry.broken("closed", "The rules no longer allow it, or the computer is stopped.")
            raise
        return True

    async def _connect(self, request: h11.Request, entry: Entry) -> None:
        entry.kind = "connect"
        if self._origin:
            raise Refusal("malformed", "CONNECT inside of a tunnel.")
        try:
            entry.host, entry.port = split_port(request.target.decode("ascii", "replace"))
        except ValueError as wrong:
            raise Refusal("malformed", f"CONNECT: {wrong}.") from None
        await self._caller.hear()  # the end of the request

        async def grant() -> None:
            await self._caller.send(h11.Response(status_code=200, headers=[], reason=b"OK"))
            self._caller.wire.unread(self._caller.leftover)

        await tunnel(self._gate, self._caller.wire, entry, grant, read_tunnel)

    async def _pass_on(self, request: h11.Request, entry: Entry) -> None:
        origin, target = self._destination(request)
        host, port, method, path = origin.host, origin.port, entry.method, target.partition("?")[0]
        entry.host, entry.port, entry.tls, entry.path = host, port, origin.tls, path
        if headers.two_lengths(request):
            raise Refusal("malformed", "Both Content-Length and Transfer-Encoding.")
        judged = self._gate.book.request(host, port, method, path)
        entry.rule = judged.rule
        if not judged.allowed:
            raise Refusal("denied", judged.why, judged.rule)
        self._gate.meter.check()
        self._caller.wire.limited = True
        ask = h11.Request(
            method=method,
            target=target,
            headers=headers.for_server(
                request, host, port, tls=origin.tls, local=bool(judged.route)
            ),
        )
        with self._gate.passing(lambda book: book.request(host, port, method, path)):
            key: Key = (host, port, origin.tls, judged.route)
            if not (self._upstream and self._upstream.key == key and self._upstream.reusable()):
                self._drop_upstream()
                self._upstream = await Upstream.open(self._gate, key, judged)
            await exchange(self._caller, self._upstream, ask, entry, self._gate.deadlines)
        if judged.route:  # near and cheap to reach; an old connection may be closed at any moment
            self._drop_upstream()

    def _destination(self, request: h11.Request) -> tuple[Origin, str]:
        """Where a request goes, and its path with the query."""
        raw = request.target
        if self._origin and _LOCAL.fullmatch(raw):
            return self._origin, raw.decode("ascii")
        shown = raw[:80].decode("latin-1")
        found = _ABSOLUTE.fullmatch(raw)
        if not found:
            raise Refusal(
                "malformed",
                f"{shown!r}: this is a proxy. Ask it for http://HOST/PATH, without user and "
                "password, or for CONNECT HOST:PORT.",
            )
        try:
            host, port = split_port(found[1].decode("ascii"), 80)
        except ValueError as wrong:
            raise Refusal("malformed", f"The address asked for: {wrong}.") from None
        origin = Origin(host, port, tls=False)
        if self._origin not in (None, origin):
            raise Refusal("malformed", f"{shown!r} inside of a tunnel to {self._origin.host}.")
        target = (found[2] or b"/").decode("ascii")
        return origin, target if target.startswith("/") else f"/{target}"

    def _drop_upstream(self) -> None:
        if self._upstream:
            self._upstream.close()
            self._upstream = None


async def read_tunnel(
    gate: Gate, wire: SocketStream, client: Stream, entry: Entry, *, tls: bool
) -> None:
    """Serve the requests inside of a tunnel, whose own entry this is."""
    await Http(gate, wire, client, Origin(entry.host, entry.port, tls)).serve()
