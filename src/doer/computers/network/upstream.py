"""The proxy's own HTTP/1.1 connection to a host or to a local application."""

import asyncio
import ssl

import h11

from doer.computers.network.caller import MAX_HEAD
from doer.computers.network.gate import Gate
from doer.computers.network.refusal import Refusal
from doer.computers.network.rules import Judgement
from doer.computers.network.streams import SocketStream, Stream, TlsStream

Sent = h11.Request | h11.Data | h11.EndOfMessage
Heard = h11.InformationalResponse | h11.Response | h11.Data | h11.EndOfMessage
Key = tuple[str, int, bool, str]
"""Host, port, TLS, route: what a connection may be used again for."""


class Upstream:
    """One connection; request and answer take turns on it."""

    def __init__(self, key: Key, wire: SocketStream, stream: Stream) -> None:
        self.key = key
        self.stream = stream
        self._wire = wire
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)

    @classmethod
    async def open(cls, gate: Gate, key: Key, judged: Judgement) -> "Upstream":
        """Raises `Refusal`. With TLS the certificate is verified, but for a local application,
        which is spoken to in the clear."""
        host, port, tls, route = key
        wire = await gate.dial(host, port, judged)
        if not tls or route:
            return cls(key, wire, wire)
        stream = TlsStream(wire, gate.trust, host=host)
        try:
            async with asyncio.timeout(gate.deadlines.handshake_s):
                await stream.handshake()
        except ssl.SSLCertVerificationError as error:
            wire.close()
            why = f"The certificate of {host} is not valid: {error.verify_message}."
            raise Refusal("failed", why, "certificate") from None
        except (OSError, TimeoutError) as error:
            wire.close()
            raise Refusal("failed", f"No TLS with {host}: {error}.") from None
        except BaseException:
            wire.close()
            raise
        return cls(key, wire, stream)

    def reusable(self) -> bool:
        """Whether another request may follow; makes ready for it."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        return self._http.our_state is h11.IDLE and not self._wire.stale()

    @property
    def leftover(self) -> bytes:
        """What came after a protocol was switched."""
        return self._http.trailing_data[0]

    async def send(self, event: Sent) -> None:
        data = self._http.send(event)
        if data:
            await self.stream.write(data)

    async def hear(self, deadline_s: float) -> Heard:
        """Raises `Refusal` when the connection ends, says nothing in time, or is no HTTP."""
        host = self.key[0]
        try:
            async with asyncio.timeout(deadline_s):
                while (event := self._http.next_event()) is h11.NEED_DATA:
                    self._http.receive_data(await self.stream.read())
        except TimeoutError:
            raise Refusal("failed", f"{host} did not answer in time.") from None
        except OSError as error:
            raise Refusal("failed", f"The connection to {host} broke: {error}.") from None
        except h11.RemoteProtocolError as error:
            raise Refusal("failed", f"What {host} answers is no HTTP: {error}.") from None
        if isinstance(event, (h11.InformationalResponse, h11.Response, h11.Data, h11.EndOfMessage)):
            return event
        raise Refusal("failed", f"{host} closed the connection without an answer.")

    def close(self) -> None:
        self.stream.close()
