"""Several tasksets as one, so that one model can be trained and measured on all of them."""

from collections.abc import Sequence

from doer.errors import ConfigError
from doer.records.task import End, Task
from doer.worlds.world import Environment, Oracle, Taskset


class Mixed:
    """A Taskset whose names are `taskset/name`; where only one has it, the name alone will do.
    Tasks keep the taskset they belong to."""

    def __init__(self, tasksets: Sequence[Taskset]) -> None:
        self._all = {taskset.name: taskset for taskset in tasksets}

    @property
    def name(self) -> str:
        return "+".join(self._all)

    def names(self) -> tuple[str, ...]:
        names = [f"{name}/{task}" for name, one in self._all.items() for task in one.names()]
        return tuple(sorted(names))

    def task(self, name: str, seed: int) -> Task:
        one, task = self._of(name)
        return one.task(task, seed)

    def oracle(self, name: str) -> Oracle | None:
        one, task = self._of(name)
        return one.oracle(task)

    async def prepare(self, task: Task) -> Environment:
        return await self._all[task.taskset].prepare(task)

    async def release(self, environment: Environment, end: End) -> None:
        await self._all[environment.task.taskset].release(environment, end)

    async def close(self) -> None:
        for one in self._all.values():
            await one.close()

    def _of(self, name: str) -> tuple[Taskset, str]:
        taskset, slash, task = name.partition("/")
        if not slash:
            taskset, task = next((n for n, t in self._all.items() if name in t.names()), ""), name
        if taskset not in self._all:
            raise ConfigError(f"no task {name!r} in {self.name}; say TASKSET/TASK")
        return self._all[taskset], task
