"""A request on its way into the log."""

import time
from dataclasses import dataclass, field

from doer.computers.network.log import Kind, Line, NetworkLog, now
from doer.computers.network.refusal import Refusal, Verdict
from doer.computers.network.streams import SocketStream


@dataclass(slots=True, kw_only=True)
class Entry:
    """Filled in as the request is understood; `write` puts it into the log."""

    log: NetworkLog
    wire: SocketStream
    kind: Kind
    host: str = ""
    port: int = 0
    method: str = ""
    path: str = ""
    tls: bool = False
    rule: str = ""
    up: int = 0
    down: int = 0
    at: float = field(default_factory=now)
    _started: float = field(default_factory=time.monotonic)

    written: bool = False

    def begin(self, method: str) -> None:
        """The request has come: from now on the time counts."""
        self.method = method
        self.at, self._started = now(), time.monotonic()

    def write(self, verdict: Verdict, status: int = 0, why: str = "") -> None:
        self.written = True
        self.log.write(
            Line(
                at=self.at,
                kind=self.kind,
                host=self.host,
                port=self.port,
                verdict=verdict,
                method=self.method,
                path=self.path[:500],
                tls=self.tls,
                rule=self.rule,
                why=why,
                status=status,
                up=self.wire.up - self.up,
                down=self.wire.down - self.down,
                ms=round((time.monotonic() - self._started) * 1000, 1),
            )
        )

    def broken(self, verdict: Verdict, why: str) -> None:
        """For a request that came to no answer and is not in the log yet."""
        if self.host and not self.written:
            self.write(verdict, why=why)

    def refused(self, refusal: Refusal) -> None:
        self.rule = refusal.rule or self.rule
        self.write(refusal.verdict, refusal.status, refusal.why)
