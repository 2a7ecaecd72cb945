"""A computer as data: what it is to be (`Spec`), what its network may reach, what a backend can do
(`Probe`) and what a running one uses (`Stats`)."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Pixels = Annotated[int, Meta(ge=64, le=5760)]
Port = Annotated[int, Meta(ge=1, le=65535)]


class HostRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Allows requests to one host. `host`: a name, or `*.example.com` for everything below one.

    `methods` and `paths` (shell patterns such as `/api/*`) narrow what can be read of a request:
    plain HTTP, and HTTPS to a host in `NetworkRules.terminate`. For other HTTPS they are refused.
    """

    host: str
    ports: tuple[Port, ...] = (80, 443)
    methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


class Route(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A made-up host that a local application answers: `http(s)://host` goes to `to` on the node
    (`127.0.0.1:8000`, or `unix:/path/of/a/socket`)."""

    host: str
    to: str


class NetworkRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What leaves a computer. Routed hosts are reached in every mode.

    `open` reaches every public address; private, loopback, link-local, metadata and carrier-grade
    addresses are refused in every mode unless `private` names the host. `terminate`: hosts whose
    TLS ends in the proxy, so that methods and paths are checked and logged. Limits are per
    computer, 0 for none; `bytes_per_s` is shared by all its connections.
    """

    mode: Literal["off", "allowlist", "open"] = "off"
    allow: tuple[HostRule, ...] = ()
    routes: tuple[Route, ...] = ()
    terminate: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    max_bytes: int = 0
    bytes_per_s: int = 0


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a computer is made of. `image`: a root file system's folder, or "" for the host's /usr,
    read-only. `screen`: width and height in pixels. `processes`: with all their threads. `cpus`:
    cores, 0 for no limit. `folders`: absolute paths beside the home, such as /app, that can be
    written too and are kept with it."""

    screen: tuple[Pixels, Pixels] = (1280, 800)
    memory_mb: Annotated[int, Meta(ge=256)] = 4096
    processes: Annotated[int, Meta(ge=64)] = 1024
    disk_mb: Annotated[int, Meta(ge=64)] = 8192
    cpus: Annotated[float, Meta(ge=0)] = 0
    network: NetworkRules = NetworkRules()
    image: str = ""
    folders: tuple[str, ...] = ()


Part = Literal["shell", "files", "browser", "screen", "network"]
State = Literal["stopped", "running", "paused", "broken"]
Service = Literal["daemon", "screen"]
"""What can be dialled in a computer: our daemon's protocol, and RFB 3.8 (VNC)."""


class Ingredient(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a backend needs, tried for real. `fix` says what to do when it does not work."""

    name: str
    works: bool
    needed: bool = True
    said: str = ""
    fix: str = ""


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a backend works on this machine, and how far."""

    backend: str
    ingredients: tuple[Ingredient, ...] = ()
    isolation: Literal["none", "userns", "container", "vm"] = "none"

    @property
    def works(self) -> bool:
        needed = (one.works for one in self.ingredients if one.needed)
        return self.isolation != "none" and all(needed)


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """What a computer uses now. `memory_mb` is the sum of its processes' PSS."""

    state: State
    memory_mb: float = 0
    processes: int = 0
    cpu_s: float = 0
    disk_mb: float = 0


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Something that befell a computer: a limit was enforced, and on whom, or it `ended`. `at` in
    seconds since 1970."""

    at: float
    what: Literal["memory", "disk", "processes", "ended"]
    said: str


class Heal(msgspec.Struct, frozen=True):
    """Something of a computer died or ran into a limit, and was mended; `lost` says what went with
    it."""

    part: str
    lost: str = ""
    what: str = "restarted"

    def __str__(self) -> str:
        return f"{self.part} {self.what}" + (f"; {self.lost}" if self.lost else "")
