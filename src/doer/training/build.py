"""The composition of a training run: a policy by name, and the ways to run tasks with it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from doer.config import load
from doer.errors import ConfigError
from doer.models.local.policy import Policy
from doer.models.model import Model
from doer.models.scripted import ScriptedModel
from doer.records.completion import Completion
from doer.records.task import Task
from doer.records.trajectory import Trajectory
from doer.worlds.build import oracle
from doer.worlds.rollout import Runner
from doer.worlds.world import Taskset

POLICIES = {"pointer": "doer.models.local.pointer.policy:PointerPolicy"}


def fresh_policy(name: str, texts: Iterable[str], seed: int) -> Policy:
    """New weights. Raises `ConfigError` for a model that cannot be trained from nothing."""
    return _policy(name).fresh(texts, seed)


def resumed_policy(name: str, folder: Path) -> Policy:
    return _policy(name).resumed(folder)


def _policy(name: str):  # noqa: ANN202 - the class is only known by its name
    if name not in POLICIES:
        raise ConfigError(f"no model {name!r} to train; there are: {', '.join(sorted(POLICIES))}")
    return load(POLICIES[name])


@dataclass(frozen=True)
class Rollouts:
    """Ways to run tasks of one taskset; all of them end in the same `Runner`."""

    runner: Runner

    @classmethod
    def of(
        cls, taskset: Taskset, concurrency: int, on_done: Callable[[Trajectory], None]
    ) -> "Rollouts":
        idle = ScriptedModel("nobody", lambda _: Completion())
        return cls(Runner(taskset=taskset, model=idle, concurrency=concurrency, on_done=on_done))

    async def sampled(self, model: Model, tasks: Sequence[Task], seed: int) -> list[Trajectory]:
        """With the model's own randomness, for learning."""
        return await replace(self.runner, model=model, seed=seed).run(tasks)

    async def greedy(self, model: Model, tasks: Sequence[Task]) -> list[Trajectory]:
        """The likeliest action each time, for measuring."""
        return await replace(self.runner, model=model, temperature=0.0).run(tasks)

    async def shown(self, tasks: Sequence[Task]) -> list[Trajectory]:
        """Nothing is done: only what the tasks look like at their start."""
        return await self.runner.run(tasks)

    async def solved(self, tasks: Sequence[Task]) -> list[Trajectory]:
        """By the oracles. Raises `ConfigError` when one has none or does not solve its task."""
        done: list[Trajectory] = []
        for task in tasks:
            solver = oracle(self.runner.taskset, task.name)
            done += await replace(self.runner, model=solver).run([task])
            if not done[-1].passed:
                raise ConfigError(f"the oracle did not solve {task.id}: {done[-1].fault}")
        return done
