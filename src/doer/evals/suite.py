"""A suite: tasks on seeds of one split, and how a model is measured on it.

Seeds for training, choosing and reporting come from ranges that do not overlap.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Literal

import msgspec

from doer.errors import ConfigError, DoerError
from doer.evals.result import Item, SuiteResult
from doer.records.task import Limits, Task
from doer.records.trajectory import Trajectory
from doer.worlds.world import Taskset

Split = Literal["train", "validation", "test"]
SPLITS: dict[Split, range] = {
    "train": range(100_000),
    "validation": range(100_000, 200_000),
    "test": range(500_000, 600_000),
}
"""Train: demonstrations and rollouts. Validation: every choice. Test: once, to be reported."""

Collect = Callable[[Sequence[Task]], Awaitable[list[Trajectory]]]
"""Runs one rollout a task and gives them back in any order."""


def split_of(seed: int) -> Split:
    """The split a seed belongs to. Raises `ConfigError` for one that belongs to none."""
    for split, seeds in SPLITS.items():
        if seed in seeds:
            return split
    ranges = ", ".join(f"{split} {seeds[0]}-{seeds[-1]}" for split, seeds in SPLITS.items())
    raise ConfigError(f"seed {seed} is in no split ({ranges})")


def one_split(seeds: Iterable[int]) -> Split:
    """The split all `seeds` belong to. Raises `ConfigError` when they are of several, or none."""
    splits: set[Split] = {split_of(seed) for seed in seeds}
    if len(splits) != 1:
        found = " and ".join(sorted(splits)) or "no seeds at all"
        raise ConfigError(f"the seeds must be of one split, these are of: {found}")
    return splits.pop()


def parse_seeds(text: str) -> tuple[int, ...]:
    """Read "500000-500019,500100": seeds and ranges with both ends, each seed once, in order.

    Raises `ConfigError` when it cannot be read or crosses from one split into another.
    """
    seeds: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ConfigError(f'"{part}" is no seed and no range such as 500000-500019')
        start, stop = int(first), int(last or first)
        if start > stop:
            raise ConfigError(f'the range "{part}" ends before it begins')
        one_split((start, stop))
        seeds.update(dict.fromkeys(range(start, stop + 1)))
    one_split(seeds)
    return tuple(seeds)


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """Every named task on every seed. `name` is taskset and split, e.g. "miniwob/test"."""

    name: str
    tasks: tuple[Task, ...]

    @classmethod
    def of(
        cls,
        taskset: Taskset,
        names: Sequence[str],
        seeds: Sequence[int],
        limits: Limits | None = None,
    ) -> "Suite":
        """Without `limits` each task keeps the ones its taskset gives it.

        Raises `ConfigError` when seeds cross a split, something is asked for twice or not at all,
        or the taskset has no such task.
        """
        split = one_split(seeds)
        if not names or len(set(names)) < len(names) or len(set(seeds)) < len(seeds):
            raise ConfigError("a suite needs tasks, and each task and seed only once")
        tasks = [taskset.task(name, seed) for name in names for seed in seeds]
        if limits is not None:
            tasks = [msgspec.structs.replace(task, limits=limits) for task in tasks]
        return cls(name=f"{taskset.name}/{split}", tasks=tuple(tasks))


async def evaluate(suite: Suite, model: str, collect: Collect) -> SuiteResult:
    """Measure the model named `model` with one rollout a task, run by `collect`.

    Raises `DoerError` when a rollout is missing: a result never shrinks its own denominator.
    """
    trajectories = {trajectory.task.id: trajectory for trajectory in await collect(suite.tasks)}
    missing = [task.id for task in suite.tasks if task.id not in trajectories]
    if missing:
        raise DoerError(f"{len(missing)} rollouts did not come back, the first: {missing[0]}")
    items = (Item.of(trajectories[task.id]) for task in suite.tasks)
    return SuiteResult.of(suite.name, model, items)
