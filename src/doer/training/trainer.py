"""What every stage of a training run needs, and what several do alike."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from doer.evals.suite import SPLITS
from doer.models.local.policy import Policy
from doer.records.task import Task
from doer.training import build
from doer.training.progress import Progress
from doer.training.recipe import Recipe
from doer.training.run import Run, Validation
from doer.worlds.world import Taskset

State = TypeVar("State", bound=msgspec.Struct)


@dataclass(frozen=True)
class Trainer:
    """What every stage needs."""

    recipe: Recipe
    run: Run
    taskset: Taskset
    rollouts: build.Rollouts
    progress: Progress

    def tasks(self, split: str, count: int) -> list[Task]:
        """`count` seeds of every kind, from the start of a split."""
        first = SPLITS[split][0]  # pyright: ignore[reportArgumentType]
        names = [kind.name for kind in self.recipe.kinds]
        return [self.taskset.task(name, first + n) for name in names for n in range(count)]

    @property
    def start(self) -> str:
        """The stage that reinforcement learning starts from."""
        return "dpo" if self.recipe.dpo else self.taught

    @property
    def taught(self) -> str:
        """The last stage with right answers given."""
        return "corrections" if self.recipe.corrections else "sft"

    @property
    def last(self) -> str:
        """The last stage."""
        return "rl" if self.recipe.rl else self.start

    @property
    def before(self) -> str:
        """What the last stage is compared with."""
        return "untrained" if self.last == "sft" else "sft"

    @property
    def shown(self) -> list[Task]:
        """The tasks to demonstrate."""
        kinds = self.recipe.kinds
        return [self.taskset.task(k.name, seed) for k in kinds for seed in k.demonstrations]

    @property
    def pool(self) -> list[Task]:
        return [
            self.taskset.task(kind.name, seed)
            for kind in self.recipe.kinds
            for seed in sorted(set(range(kind.seeds)) | set(kind.demonstrations))
        ]

    async def validate(self, policy: Policy, phase: str, at: int, seconds: float) -> Validation:
        tasks = self.tasks("validation", self.recipe.check.validation)
        done = await self.rollouts.greedy(policy.model, tasks)
        scored = [rollout for rollout in done if rollout.scored]
        passed = sum(rollout.passed for rollout in scored)
        found = Validation(phase=phase, at=at, seconds=seconds, passed=passed, n=len(scored))
        self.run.note(found)
        return found

    @asynccontextmanager
    async def best_kept(
        self, policy: Policy, stage: str
    ) -> AsyncGenerator[Callable[[int, float], Awaitable[None]]]:
        """A check to be made now and then in a stage; the weights that do best on validation become
        the stage's result."""
        best = -1.0
        unfinished = self.run.folder / f"{stage}.unfinished"

        async def check(step: int, loss: float) -> None:
            nonlocal best
            policy.refresh()
            found = await self.validate(policy, stage, step, 0.0)
            self.progress.fitted(stage, step, loss, found)
            if found.success > best:
                best = found.success
                policy.learner.save(unfinished)

        yield check
        if best < 0:
            await check(0, 0.0)
        unfinished.rename(self.run.folder / stage)

    def begun(self, stage: str, kind: type[State], start: str) -> tuple[Policy, State | None]:
        """The policy and the state of this stage's last checkpoint; without one, the result of the
        stage `start` and no state."""
        found = self.run.checkpoints(stage).latest(kind)
        checkpoint, state = found or (self.run.folder / start, None)
        return build.resumed_policy(self.recipe, checkpoint), state

    def save(self, stage: str, number: int, policy: Policy, state: msgspec.Struct) -> None:
        """A checkpoint to go on from."""
        checkpoints = self.run.checkpoints(stage)
        checkpoint = checkpoints.new(number)
        policy.learner.save(checkpoint)
        checkpoints.commit(checkpoint, state)
