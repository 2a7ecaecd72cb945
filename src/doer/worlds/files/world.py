"""Chores in a folder: a world without web pages. Each environment has a folder of its own, which
is deleted with it."""

import shutil
import tempfile
from functools import partial
from pathlib import Path
from random import Random

from msgspec import structs

from doer.computers.computer import Computer
from doer.computers.files import Folder, files_view
from doer.errors import ConfigError
from doer.graders.folder import FolderState
from doer.records.task import End, Limits, Task
from doer.worlds.files.chores import CHORES, Chore
from doer.worlds.files.oracles import EDITS, solve
from doer.worlds.world import Environment, Oracle

TOOLS = ("list", "read_file", "write_file")
STEPS = 6
STEPS_BY_TASK = {"route-ticket": 1, "route-tickets": 3}


class FileChores:
    """The taskset `files`."""

    name = "files"

    def __init__(self) -> None:
        self._folders: dict[Computer, Path] = {}

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(CHORES))

    def task(self, name: str, seed: int) -> Task:
        chore = _chore(name, seed)
        return Task(
            taskset=self.name,
            name=name,
            seed=seed,
            instruction=chore.instruction,
            start={"files": chore.before},
            limits=Limits(steps=STEPS_BY_TASK.get(name, STEPS)),
        )

    def oracle(self, name: str) -> Oracle | None:
        return partial(solve, EDITS[name]) if name in EDITS else None

    async def prepare(self, task: Task) -> Environment:
        chore = _chore(task.name, task.seed)
        folder = Path(tempfile.mkdtemp(prefix="doer-files-"))
        files = Folder(folder)
        computer = Computer(files=files)
        self._folders[computer] = folder
        for path, text in chore.before.items():
            await files.write(path, text)
        return Environment(
            task=structs.replace(task, instruction=chore.instruction),
            computer=computer,
            tools=TOOLS,
            graders=(FolderState(chore.after),),
            first=await files_view(files),
        )

    async def release(self, environment: Environment, end: End) -> None:
        self._discard(environment.computer)

    async def close(self) -> None:
        for computer in tuple(self._folders):
            self._discard(computer)

    def _discard(self, computer: Computer) -> None:
        computer.files.close()
        shutil.rmtree(self._folders.pop(computer), ignore_errors=True)


def _chore(name: str, seed: int) -> Chore:
    if name not in CHORES:
        raise ConfigError(f"files has no task {name!r}; it has {', '.join(sorted(CHORES))}")
    return CHORES[name](Random(f"{name}/{seed}"))
