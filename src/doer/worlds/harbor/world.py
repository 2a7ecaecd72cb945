"""Harbor tasks: folders as Terminal-Bench and others publish them, read as tasks.

They can be listed and read. None can be run yet: that takes a computer with a shell.
"""

from pathlib import Path

from doer.errors import ConfigError, PartMissing
from doer.records.task import End, Task
from doer.worlds.harbor.folder import is_task, read_task
from doer.worlds.world import Environment, Oracle


class HarborTasks:
    """The taskset `harbor:FOLDER`: the task folders in FOLDER, or FOLDER alone if it is one.

    Construction raises `ConfigError` when there are none. Folders without a task.toml and an
    instruction.md are passed over; those with only one of them are mistakes.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise ConfigError(f"there is no folder {folder}")
        folder = folder.absolute()
        one = is_task(folder)
        self._folder = folder.parent if one else folder
        found = [folder] if one else [path for path in folder.iterdir() if is_task(path)]
        self._names = tuple(sorted(path.name for path in found))
        if not found:
            raise ConfigError(f"{folder} holds no task folders (task.toml and instruction.md)")

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
        """None: solution/solve.sh is a script for a shell, not a next action."""
        return None

    async def prepare(self, task: Task) -> Environment:
        """Raises `PartMissing`, which ends a rollout as the computer's fault."""
        raise PartMissing(
            f"{task.id} needs a computer with a shell, which Doer does not have yet;"
            " Harbor tasks can be listed and read, not run"
        )

    async def release(self, environment: Environment, end: End) -> None:
        """Nothing was prepared."""

    async def close(self) -> None:
        """Nothing was started."""
