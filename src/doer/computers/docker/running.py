"""Containers of an engine by name: what state they are in, and one that does a single thing."""

import time
from typing import Any

import msgspec

from doer.computers.docker.engine import Engine, decode
from doer.errors import ComputerError
from doer.records.computer import State

GONE_S, POLL_S = 20.0, 0.01
STATES: dict[str, State] = {
    **{"running": "running", "paused": "paused"},
    **{"created": "stopped", "exited": "stopped", "stopped": "stopped", "removing": "stopped"},
    **{"configured": "stopped", "initialized": "stopped", "stopping": "stopped"},
}
LOG = {"stdout": "true", "stderr": "true", "tail": "20"}


class Status(msgspec.Struct, frozen=True, rename="pascal"):
    """`pid`: its first process as this machine numbers it, 0 when there is none. `oom_killed`: the
    kernel has ended some process of it for memory."""

    status: str = ""
    pid: int = 0
    exit_code: int = 0
    oom_killed: bool = msgspec.field(default=False, name="OOMKilled")

    @property
    def state(self) -> State:
        return STATES.get(self.status, "broken")


class _Inspected(msgspec.Struct, frozen=True, rename="pascal"):
    state: Status


class _Ended(msgspec.Struct, frozen=True, rename="pascal"):
    status_code: int


class _Processor(msgspec.Struct, frozen=True):
    total_usage: int = 0


class _Processors(msgspec.Struct, frozen=True):
    cpu_usage: _Processor = _Processor()


class _Memory(msgspec.Struct, frozen=True):
    usage: int = 0
    stats: dict[str, int] | None = None


class _Processes(msgspec.Struct, frozen=True):
    current: int = 0


class Used(msgspec.Struct, frozen=True):
    """What an engine measures of a container."""

    cpu_stats: _Processors = _Processors()
    memory_stats: _Memory = _Memory()
    pids_stats: _Processes = _Processes()

    @property
    def memory(self) -> int:
        """Bytes, without files that could be read again."""
        stats = self.memory_stats.stats or {}
        again = stats.get("inactive_file", stats.get("total_inactive_file", 0))
        return max(0, self.memory_stats.usage - again)


def status(engine: Engine, container: str) -> Status | None:
    """None when there is no such container."""
    path = f"/containers/{container}/json"
    told = engine.ask("GET", path, fine=(404,))
    return None if told.status == 404 else decode(told.content, _Inspected, path).state


def state(engine: Engine, container: str) -> State:
    found = status(engine, container)
    return found.state if found else "stopped"


def make(engine: Engine, container: str, body: dict[str, Any]) -> None:
    """Make and start it."""
    engine.ask("POST", "/containers/create", query={"name": container}, body=body)
    engine.ask("POST", f"/containers/{container}/start")


def remove(engine: Engine, container: str) -> None:
    """Nothing of it runs when this returns. May be repeated."""
    end = time.monotonic() + GONE_S
    query = {"force": "true", "v": "true"}
    while (found := status(engine, container)) is not None:
        if time.monotonic() > end:
            raise ComputerError(f"the engine does not remove {container}: it is {found.status}")
        if found.status == "paused":  # frozen, it could not even die
            engine.ask("POST", f"/containers/{container}/unpause", fine=(404, 409, 500))
        # 409: somebody else is removing it
        engine.ask("DELETE", f"/containers/{container}", query=query, fine=(404, 409))
        time.sleep(POLL_S)


def said(engine: Engine, container: str) -> str:
    """The last lines of its outputs."""
    told = engine.ask("GET", f"/containers/{container}/logs", query=LOG, fine=(404, 500)).content
    return unframed(told)[-1000:].decode(errors="replace").strip() or "it said nothing"


def unframed(told: bytes) -> bytes:
    """Both outputs together, out of frames of an output's number, three zeros, a length (u32,
    big-endian) and bytes. What is not framed is as it is."""
    lines, at = b"", 0
    while len(told) - at >= 8 and told[at] <= 2 and told[at + 1 : at + 4] == b"\0\0\0":
        size = int.from_bytes(told[at + 4 : at + 8])
        lines += told[at + 8 : at + 8 + size]
        at += 8 + size
    return lines or told


def used(engine: Engine, container: str) -> Used:
    query = {"stream": "false", "one-shot": "true"}
    return engine.read(f"/containers/{container}/stats", Used, query)


def once(engine: Engine, container: str, body: dict[str, Any], wait_s: float) -> None:
    """Run a container to its end. Raises `ComputerError` with its words when that is no success."""
    try:
        make(engine, container, body)
        path = f"/containers/{container}/wait"
        code = decode(engine.ask("POST", path, wait_s=wait_s).content, _Ended, path).status_code
        if code:
            raise ComputerError(f"exit code {code}: {said(engine, container)}")
    finally:
        remove(engine, container)
