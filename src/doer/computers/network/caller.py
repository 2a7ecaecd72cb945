"""A computer's side of HTTP/1.1: requests come in, answers and refusals go out."""

import asyncio
import contextlib

import h11

from doer.computers.network.refusal import Refusal
from doer.computers.network.streams import SocketStream, Stream

MAX_HEAD = 64 * 1024
_DRAIN_BYTES, _DRAIN_S = 64 * 1024, 2


class Caller:
    """`stream` is the wire itself, or TLS on it."""

    def __init__(self, wire: SocketStream, stream: Stream) -> None:
        self.wire = wire
        self.stream = stream
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        self._sending = asyncio.Lock()

    async def hear(self) -> h11.Event:
        """Raises `Refusal` for what is no HTTP, and `OSError`."""
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                raise Refusal("malformed", f"This is no HTTP request: {error}.") from None
            if isinstance(event, h11.Event):
                return event
            if event is h11.PAUSED:
                raise Refusal("malformed", "Something came before its turn.")
            if self._http.they_are_waiting_for_100_continue:
                await self.send(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(await self.stream.read())

    async def send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            async with self._sending:
                await self.stream.write(data)

    @property
    def leftover(self) -> bytes:
        """What came after the last request, once the protocol has switched."""
        return self._http.trailing_data[0]

    def another(self) -> bool:
        """Whether another request may follow on this connection; makes ready for it."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            return True
        return False

    async def refuse(self, refusal: Refusal) -> None:
        """Say why, in plain text. When an answer has begun, the connection breaks instead. After
        what is malformed nobody knows where the next request begins: that is its end."""
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            if self._http.our_state is not h11.SWITCHED_PROTOCOL:
                self.wire.abort()
            return
        self.wire.limited = False
        body = f"Doer's network proxy: {refusal.why}\n".encode()
        told = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
        if refusal.verdict == "malformed" or not await self._drained():
            told.append(("Connection", "close"))
        with contextlib.suppress(OSError, TimeoutError):
            await self.send(h11.Response(status_code=refusal.status, headers=told))
            await self.send(h11.Data(data=body))
            await self.send(h11.EndOfMessage())

    async def _drained(self) -> bool:
        """Read the rest of a short body, so that the connection can be used again."""
        left = _DRAIN_BYTES
        try:
            async with asyncio.timeout(_DRAIN_S):
                while self._http.their_state is h11.SEND_BODY and left > 0:
                    if self._http.they_are_waiting_for_100_continue:
                        return False
                    event = await self.hear()
                    left -= len(event.data) if isinstance(event, h11.Data) else 0
        except (Refusal, OSError, TimeoutError):
            return False
        return self._http.their_state not in (h11.SEND_BODY, h11.ERROR)
