"""One JSON line a request, in the computer's folder on the host, bounded in size."""

import time
from pathlib import Path
from typing import Literal

import msgspec

from doer.computers.network.refusal import Verdict

FILE, OLDER = "network.jsonl", "network.1.jsonl"
MAX_BYTES = 8 * 1024 * 1024

Kind = Literal["http", "connect", "socks"]


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request and what became of it. A tunnel has two: `allowed` when it opens, `closed` with
    its bytes when it ends. `at`: seconds since 1970. `path` is without the query, which may hold
    secrets. `tls`: it was read because its TLS ended in the proxy. Bytes are those on the
    computer's side of the proxy, TLS and headers included."""

    at: float
    kind: Kind
    host: str
    port: int
    verdict: Verdict
    method: str = ""
    path: str = ""
    tls: bool = False
    rule: str = ""
    why: str = ""
    status: int = 0
    up: int = 0
    down: int = 0
    ms: float = 0


class NetworkLog:
    """Appends lines; at `max_bytes` the file becomes the older one, of which there is one."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._file = folder / FILE
        self._older = folder / OLDER
        self._max_bytes = max_bytes
        self.lost = 0

    def write(self, line: Line) -> None:
        """Raises nothing: on a full disk the line is counted in `lost`, and the network goes on."""
        try:
            with self._file.open("ab") as file:
                file.write(msgspec.json.encode(line) + b"\n")
                full = file.tell() >= self._max_bytes
            if full:
                self._file.replace(self._older)
        except OSError:
            self.lost += 1


def recent(folder: Path, count: int = 50) -> tuple[Line, ...]:
    """The last requests of a computer, oldest first."""
    lines: list[bytes] = []
    for name in (OLDER, FILE):
        path = folder / name
        if path.is_file():
            lines += path.read_bytes().splitlines()
    decode = msgspec.json.Decoder(Line).decode
    return tuple(decode(one) for one in lines[-count:] if one.endswith(b"}"))


def now() -> float:
    return round(time.time(), 3)
