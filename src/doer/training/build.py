"""The composition of a training run: a policy by name, and the ways to run tasks with it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from doer.config import load
from doer.errors import ConfigError
from doer.models.local.policy import Policy
from doer.models.model import Model
from doer.models.scripted import ScriptedModel
from doer.records.completion import Completion
from doer.records.task import Task
from doer.records.trajectory import Trajectory
from doer.training.recipe import Recipe
from doer.worlds.build import SHIPPED, oracle
from doer.worlds.rollout import Runner
from doer.worlds.world import Taskset

POINTER = "doer.models.local.pointer.policy:PointerPolicy"
HF = "doer.models.local.hf.policy:HFPolicy"


def fresh_policy(recipe: Recipe, texts: Iterable[str]) -> Policy:
    """What the recipe begins with: new weights of the small policy, which learns its vocabulary
    from `texts`, or those in a folder. Raises `ConfigError`."""
    if recipe.model == "pointer":
        sizes = msgspec.structs.asdict(recipe.pointer)
        if start := sizes.pop("start"):
            folder = SHIPPED if start == "starter" else Path(start).expanduser()
            moved = recipe.pointer
            return load(POINTER).begun(folder, recipe.seed, moved.optimizer, moved.threads)
        return load(POINTER).fresh(texts, recipe.seed, **sizes)
    return load(HF).fresh(_folder(recipe), recipe.lora, recipe.longest, recipe.seed)


def resumed_policy(recipe: Recipe, folder: Path) -> Policy:
    """From a checkpoint that a run of this recipe has written. Raises `ConfigError`."""
    if recipe.model == "pointer":
        return load(POINTER).resumed(folder, recipe.pointer.optimizer, recipe.pointer.threads)
    return load(HF).resumed(folder, recipe.longest)


def _folder(recipe: Recipe) -> Path:
    folder = Path(recipe.model).expanduser().absolute()
    if not folder.is_dir():
        raise ConfigError(
            f"no model {recipe.model!r} to train: say 'pointer', or the folder of a model"
        )
    return folder


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
        for name in dict.fromkeys(task.name for task in tasks):
            solver = oracle(self.runner.taskset, name)
            some = [task for task in tasks if task.name == name]
            done += await replace(self.runner, model=solver).run(some)
        for one in done:
            if not one.passed:
                raise ConfigError(f"the oracle did not solve {one.task.id}: {one.fault}")
        return done
