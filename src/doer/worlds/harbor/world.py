"""Harbor tasks: folders as Terminal-Bench and others publish them, each done on a whole computer
of its own.

There is no container: the computer has the system of its host, without root, and what a task's
Dockerfile says is followed as far as that goes (`plan`). What cannot be is told before anything
starts.
"""

import asyncio
import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import msgspec

from doer.computers.fleet import Fleet
from doer.computers.local.backend import LocalBackend
from doer.computers.shell import Shell
from doer.config import home
from doer.errors import ConfigError
from doer.records.action import Observation
from doer.records.computer import HostRule, NetworkRules, Spec
from doer.records.task import End, Task
from doer.worlds.harbor.building import build
from doer.worlds.harbor.computer import TaskComputer
from doer.worlds.harbor.folder import Start, is_task, read_task
from doer.worlds.harbor.plan import NEEDS_ENGINE, Plan, plan
from doer.worlds.harbor.solution import Solution
from doer.worlds.harbor.stock import Stock
from doer.worlds.harbor.verifier import Verifier
from doer.worlds.world import Environment, Oracle

TOOLS = ("run",)
LOOK = "pwd; ls -A | head -n 50"
FOLDER = "harbor"
MODES = {"public": "open", "no-network": "off", "allowlist": "allowlist"}
_ASKED = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


class HarborTasks:
    """The taskset `harbor:FOLDER`: the task folders in FOLDER, or FOLDER alone if it is one.

    Construction raises `ConfigError` when there are none. Folders without a task.toml and an
    instruction.md are passed over; those with only one of them are mistakes. `fleet`: where the
    computers are made; nothing else may be in it. At most `at_once` of them are there at a time.
    """

    def __init__(self, folder: Path, fleet: Fleet | None = None, at_once: int = 0) -> None:
        if not folder.is_dir():
            raise ConfigError(f"there is no folder {folder}")
        folder = folder.absolute()
        one = is_task(folder)
        self._folder = folder.parent if one else folder
        found = [folder] if one else [path for path in folder.iterdir() if is_task(path)]
        self._names = tuple(sorted(path.name for path in found))
        if not found:
            raise ConfigError(f"{folder} holds no task folders (task.toml and instruction.md)")
        root = home() / FOLDER
        fleet = fleet or Fleet(LocalBackend(root), root)
        self._stock = Stock(fleet, at_once or 2 * (os.cpu_count() or 1))

    @property
    def name(self) -> str:
        """With the folder in it, so that a recorded task is found again from anywhere."""
        return f"harbor:{self._folder}"

    def names(self) -> tuple[str, ...]:
        return self._names

    def task(self, name: str, seed: int) -> Task:
        if name not in self._names:
            known = ", ".join(self._names)
            raise ConfigError(f"{self._folder} has no task {name!r}; it has {known}")
        return read_task(self._folder / name, self.name, seed)

    def oracle(self, name: str) -> Oracle | None:
        """Its solution/solve.sh, where there is one, put in and run by the tool `run`."""
        folder = self._folder / name / "solution"
        return Solution(folder) if (folder / "solve.sh").is_file() else None

    async def prepare(self, task: Task) -> Environment:
        """Raises `ConfigError` for what cannot be followed here, naming the line, `SiteError` when
        a step of the Dockerfile fails."""
        start = msgspec.convert(task.start, Start)
        try:
            wanted = await asyncio.to_thread(_plan, start, task.instruction)
            spec = _spec(start, wanted)
            environ = {**wanted.environ, **_filled("environment.env", start.environ)}
            tested = _filled("verifier.env", start.verifier_environ)
        except ConfigError as wrong:
            raise ConfigError(f"{start.folder}: {wrong}") from wrong
        desk = await self._stock.take(task.name, spec, partial(build, wanted, start.build_s))
        try:
            computer = TaskComputer(desk, wanted.workdir, environ)
            first = await _look(computer.shell, wanted)
        except BaseException:
            await self._stock.give_back(desk)
            raise
        verifier = Verifier(
            tests=Path(start.tests).parent, timeout_s=start.verifier_s, environ=tested
        )
        return Environment(
            task=task, computer=computer, tools=TOOLS, graders=(verifier,), first=first
        )

    async def release(self, environment: Environment, end: End) -> None:
        """Computers are used once, whatever the end."""
        assert isinstance(environment.computer, TaskComputer)
        await self._stock.give_back(environment.computer.desk)

    async def close(self) -> None:
        await self._stock.close()


def _plan(start: Start, instruction: str) -> Plan:
    if start.os != "linux" or start.gpus:
        what = f"{start.gpus} GPUs" if start.gpus else start.os
        raise ConfigError(f"{what}: the computer is Linux without a GPU; {NEEDS_ENGINE}")
    if start.build is None:
        raise ConfigError(f"only the image {start.image} is given; {NEEDS_ENGINE}")
    context = Path(start.build).parent
    if not context.resolve().is_relative_to(Path(start.folder).resolve()):
        raise ConfigError(f"{context} is a link that leads out of the task's folder")
    for compose in context.glob("docker-compose.y*ml"):
        raise ConfigError(f"{compose.name} may ask for several containers; {NEEDS_ENGINE}")
    try:
        dockerfile = Path(start.build).read_text()
    except (OSError, UnicodeDecodeError) as unreadable:
        raise ConfigError(f"{start.build} cannot be read: {unreadable}") from unreadable
    return plan(dockerfile, context, instruction, start.workdir)


def _spec(start: Start, wanted: Plan) -> Spec:
    rules = {"mode": MODES[start.network], "allow": [HostRule(host=host) for host in start.hosts]}
    return Spec(
        memory_mb=max(256, round(start.memory_mb)),
        disk_mb=max(64, round(start.storage_mb)),
        cpus=start.cpus,
        network=msgspec.convert(rules, NetworkRules),
        folders=wanted.folders,
    )


def _filled(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that may be written `${NAME:-default}`. A task is not given what this machine has
    under the name, because that may be a secret."""
    for value in environ.values():
        for asked, default in _ASKED.findall(value):
            if f"${{{asked}:-{default}}}" not in value:
                raise ConfigError(
                    f"{name} asks for {asked} of this machine, which no task is given; write the"
                    f" value itself, or ${{{asked}:-value}}"
                )
    return {key: _ASKED.sub(lambda found: found[2], value) for key, value in environ.items()}


async def _look(shell: Shell, wanted: Plan) -> Observation:
    """What an agent sees first: where it is, what lies there, and what to expect."""
    seen = await shell.run(LOOK)
    where, _, names = seen.text().partition("\n")
    return Observation(
        text=f"You work in {where}, which holds:\n{names.strip() or '(nothing)'}\n\n"
        "The system is Linux, without root. The task was written for the image"
        f" {wanted.image}; the programs here may be others."
    )
