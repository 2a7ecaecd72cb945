"""An engine of containers, spoken to over its unix socket: Docker's HTTP API, 1.43 or later, and
Podman's that is made after it.

Paths carry no version: an engine then speaks its newest, and both know all that is asked for here.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx2
import msgspec

from doer.errors import ComputerError

ASK_S, KIND_S, CONNECT_S = 60.0, 15.0, 2.0
UNAVAILABLE = "start one (`sudo systemctl start docker`, `systemctl --user start podman.socket`)"
T = TypeVar("T")


class Reply(msgspec.Struct, frozen=True):
    status: int
    content: bytes


class _Said(msgspec.Struct, frozen=True):
    message: str = ""


class _Component(msgspec.Struct, frozen=True, rename="pascal"):
    name: str = ""


class _Version(msgspec.Struct, frozen=True, rename="pascal"):
    version: str = ""
    components: list[_Component] | None = None


class _Info(msgspec.Struct, frozen=True, rename="pascal"):
    security_options: list[str] | None = None
    o_s_type: str = "linux"


@dataclass(frozen=True)
class Kind:
    """What matters of an engine. `remapped`: users inside are other users of this machine, and
    there is no way to choose which."""

    podman: bool
    version: str
    rootless: bool
    selinux: bool
    remapped: bool

    @property
    def command(self) -> str:
        return "podman" if self.podman else "docker"


class Engine:
    """Whichever of a user's engines answers. Every method blocks its thread, and raises
    `ComputerError` when there is none or it does not do as asked. May be used by many threads."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._kinds: dict[Path, Kind] = {}
        self._lock = threading.Lock()

    def is_absent(self) -> bool:
        """Nobody has installed one, or named one that should be there."""
        if self._environ.get("DOCKER_HOST", ""):
            return False
        return not any(os.path.lexists(path) for path in places(self._environ))

    def find(self) -> Path:
        """The socket of the first engine that takes connections."""
        refused: list[str] = []
        for path in places(self._environ):
            try:
                with socket.socket(socket.AF_UNIX) as trial:
                    trial.settimeout(CONNECT_S)
                    trial.connect(str(path))
                return path
            except FileNotFoundError:
                continue
            except PermissionError:
                refused.append(
                    f"{path} may not be used by this user: `sudo usermod -aG docker $USER`, then "
                    "log in again"
                )
            except OSError as error:
                refused.append(f"nobody answers at {path} ({error}): {UNAVAILABLE}")
        if refused:
            raise ComputerError("; ".join(refused))
        raise ComputerError(
            "there is no engine of containers here: install Docker or Podman and "
            f"{UNAVAILABLE}, or name its socket in DOCKER_HOST (unix:///...)"
        )

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        fine: tuple[int, ...] = (),
        wait_s: float = ASK_S,
    ) -> Reply:
        """One request. `body` is sent as JSON, bytes as a tar archive. What the engine refuses is
        raised, but for the statuses in `fine`."""
        raw = isinstance(body, bytes)
        content = body if raw else b"" if body is None else msgspec.json.encode(body)
        kind = "application/x-tar" if raw else "application/json"
        with self._talking(method, path, wait_s) as http:
            answer = http.request(
                method,
                path,
                params=dict(query or {}),
                content=content,
                headers={"Content-Type": kind} if content else {},
            )
        if answer.status_code >= 400 and answer.status_code not in fine:
            raise ComputerError(
                f"the engine refused {method} {path} ({answer.status_code}): "
                f"{_message(answer.content)}"
            )
        return Reply(answer.status_code, answer.content)

    def read(
        self,
        path: str,
        what: type[T],
        query: Mapping[str, str] | None = None,
        wait_s: float = ASK_S,
    ) -> T:
        """What an engine tells, as a record."""
        return decode(self.ask("GET", path, query=query, wait_s=wait_s).content, what, path)

    def kind(self) -> Kind:
        """Asked once of each engine."""
        place = self.find()
        with self._lock:
            if place not in self._kinds:
                self._kinds[place] = self._ask_kind()
            return self._kinds[place]

    def _ask_kind(self) -> Kind:
        version = self.read("/version", _Version, wait_s=KIND_S)
        info = self.read("/info", _Info, wait_s=KIND_S)
        if info.o_s_type != "linux":
            raise ComputerError(f"the engine runs containers of {info.o_s_type}: switch to Linux's")
        options = " ".join(info.security_options or ())
        podman = any("podman" in one.name.lower() for one in version.components or ())
        rootless = "name=rootless" in options
        return Kind(
            podman=podman,
            version=version.version,
            rootless=rootless,
            selinux="name=selinux" in options,
            remapped="name=userns" in options or (rootless and not podman),
        )

    @contextlib.contextmanager
    def _talking(self, method: str, path: str, wait_s: float) -> Generator[httpx2.Client]:
        place = self.find()
        # verify: there is no TLS on a unix socket, and its setting up would take 20 ms a request
        wire = httpx2.HTTPTransport(uds=str(place), verify=False, trust_env=False)
        timeout = httpx2.Timeout(wait_s, connect=CONNECT_S)
        try:
            with httpx2.Client(
                transport=wire, base_url="http://engine", timeout=timeout, trust_env=False
            ) as http:
                yield http
        except httpx2.ConnectError as error:
            raise ComputerError(f"nobody answers at {place} ({error}): {UNAVAILABLE}") from error
        except httpx2.TimeoutException as late:
            raise ComputerError(
                f"the engine did not answer {method} {path} in {wait_s:.0f} s: is it overloaded?"
            ) from late
        except httpx2.HTTPError as error:
            raise ComputerError(
                f"the engine at {place} broke off in {method} {path} ({error}): see whether it "
                "still runs, and try again"
            ) from error


def places(environ: Mapping[str, str]) -> list[Path]:
    """Where an engine's socket may be, the likeliest first. Raises `ComputerError` when the user
    names an engine that is not on this machine."""
    if named := environ.get("DOCKER_HOST", ""):
        if not named.startswith("unix://"):
            raise ComputerError(
                f"DOCKER_HOST={named}: computers need an engine on this machine, unix:///path"
            )
        return [Path(named.removeprefix("unix://"))]
    found = [Path("/var/run/docker.sock"), Path("/run/podman/podman.sock")]
    if runtime := environ.get("XDG_RUNTIME_DIR", ""):
        found.insert(1, Path(runtime, "podman/podman.sock"))
        found.insert(2, Path(runtime, "docker.sock"))
    return found


def decode(content: bytes, what: type[T], path: str) -> T:
    try:
        return msgspec.json.decode(content, type=what)
    except (msgspec.DecodeError, RecursionError) as wrong:
        raise ComputerError(
            f"the engine's answer to {path} cannot be read ({wrong}): is it Docker 24 or Podman 4, "
            "or later?"
        ) from wrong


def _message(content: bytes) -> str:
    with contextlib.suppress(msgspec.DecodeError, RecursionError):
        return msgspec.json.decode(content, type=_Said).message
    return content[:500].decode(errors="replace")
