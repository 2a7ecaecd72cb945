"""What a Harbor task.toml says (harborframework.com/docs/tasks), in schema versions 1.0 to 1.4.

Older spellings are read as what they became. Keys not named here are ignored, as Harbor does.
"""

import re
from typing import Annotated, Any, Literal

import msgspec

from doer.errors import ConfigError
from doer.records.task import Limits

Positive = Annotated[float, msgspec.Meta(gt=0)]
Network = Literal["public", "no-network", "allowlist"]
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG])i?B?", re.IGNORECASE)
MB_PER_UNIT = {"K": 1 / 1024, "M": 1, "G": 1024}
OLD_AGENT_S = 600.0  # what version 1.0 gives an agent when the task says nothing


class Package(msgspec.Struct, frozen=True):
    """[task], since 1.1."""

    name: str
    description: str = ""
    keywords: tuple[str, ...] = ()


class Verifier(msgspec.Struct, frozen=True):
    """[verifier]"""

    timeout_sec: Positive = 600.0
    env: dict[str, str] = {}
    user: str | int | None = None


class Agent(msgspec.Struct, frozen=True):
    """[agent]"""

    timeout_sec: Positive | None = None
    user: str | int | None = None
    network_mode: Network | None = None
    allowed_hosts: tuple[str, ...] = ()


class Machine(msgspec.Struct, frozen=True):
    """[environment]"""

    build_timeout_sec: Positive = 600.0
    docker_image: str | None = None
    os: Literal["linux", "windows"] = "linux"
    workdir: str | None = None
    cpus: Positive = 1
    memory_mb: Positive = 2048
    storage_mb: Positive = 10240
    gpus: int = 0
    env: dict[str, str] = {}
    network_mode: Network | None = None
    allowed_hosts: tuple[str, ...] = ()
    allow_internet: bool = True  # became network_mode
    memory: str | None = None  # became memory_mb
    storage: str | None = None  # became storage_mb


class Settings(msgspec.Struct, frozen=True):
    """One task.toml. Its methods raise `ConfigError` without the file's name."""

    version: str | None = None  # became schema_version
    schema_version: str | None = None
    task: Package | None = None
    metadata: dict[str, Any] = {}
    verifier: Verifier = Verifier()
    agent: Agent = Agent()
    environment: Machine = Machine()
    steps: tuple[dict[str, Any], ...] = ()

    @property
    def schema(self) -> str:
        """The version it is written in; what names none is taken as the first with that choice."""
        schema = self.schema_version or self.version or "1.1"
        if schema.split(".")[0] != "1":
            raise ConfigError(f"schema version {schema} is not known; 1.0 to 1.4 are")
        return schema

    @property
    def memory_mb(self) -> float:
        return _megabytes("environment.memory", self.environment.memory, self.environment.memory_mb)

    @property
    def storage_mb(self) -> float:
        old = self.environment.storage
        return _megabytes("environment.storage", old, self.environment.storage_mb)

    @property
    def network(self) -> tuple[Network, tuple[str, ...]]:
        """What the agent may reach: the mode, and the hosts when it is a list of them. What
        [agent] says goes before what [environment] says."""
        for name, place in (("agent", self.agent), ("environment", self.environment)):
            if place.allowed_hosts and place.network_mode not in (None, "allowlist"):
                raise ConfigError(
                    f'{name}.allowed_hosts needs {name}.network_mode = "allowlist",'
                    f" not {place.network_mode!r}"
                )
            if place.network_mode or place.allowed_hosts:
                return place.network_mode or "allowlist", place.allowed_hosts
        return ("public" if self.environment.allow_internet else "no-network"), ()

    @property
    def agent_s(self) -> float:
        """Seconds the agent has."""
        if self.agent.timeout_sec is not None:
            return self.agent.timeout_sec
        return OLD_AGENT_S if self.schema == "1.0" else Limits().total_s

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags and keywords, each once. Those in [metadata] may be of any type."""
        said = self.metadata.get("tags", ())
        tags = [str(tag) for tag in said] if isinstance(said, list | tuple) else [str(said)]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return tuple(dict.fromkeys([*tags, *(self.task.keywords if self.task else ())]))

    def fact(self, name: str) -> str:
        """What [metadata] says under a name; empty when it says nothing."""
        return str(self.metadata.get(name, ""))


def _megabytes(name: str, old: str | None, new: float) -> float:
    if old is None:
        return new
    found = SIZE.fullmatch(old.strip())
    if found is None:
        raise ConfigError(f'{name} = "{old}" is no size; write {name}_mb = 2048')
    return float(found[1]) * MB_PER_UNIT[found[2].upper()]
