"""One recipe from end to end: demonstrate, imitate, reinforce, test, report.

It can be stopped anywhere: finished stages are found in the run's folder and not done again, and
reinforcement learning goes on from its last checkpoint.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from doer.evals.report import write
from doer.evals.suite import SPLITS, Suite
from doer.models.local.policy import Policy
from doer.records.event import TurnStarted
from doer.records.task import Task
from doer.records.trajectory import Trajectory
from doer.training import build
from doer.training.progress import Progress, minutes
from doer.training.recipe import Recipe
from doer.training.rl import Group, Iteration, State, reinforce
from doer.training.run import Run, Validation
from doer.training.sft import demonstrated, imitate
from doer.training.telling import told
from doer.worlds.world import Taskset

WORST_FALL = 0.6  # of the best validation success; below it training goes back to the best weights


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


async def train(trainer: Trainer) -> Path:
    """Run the recipe to its end; the path of the report."""
    run = trainer.run
    if not (run.folder / "sft" / "config.json").exists():
        await imitation(trainer)
    if not (run.folder / "model" / "config.json").exists():
        await reinforcement(trainer)
    return await testing(trainer)


async def imitation(trainer: Trainer) -> None:
    """Demonstrations of the oracles, then the supervised start."""
    recipe, run, progress = trainer.recipe, trainer.run, trainer.progress
    (run.folder / "progress.jsonl").unlink(missing_ok=True)
    wanted = [trainer.taskset.task(k.name, seed) for k in recipe.kinds for seed in k.demonstrations]
    progress.stage(f"Demonstrations: the oracle solves {len(wanted)} tasks")
    demonstrations = await trainer.rollouts.solved(wanted)
    run.save_demonstrations(demonstrations)
    shown = await trainer.rollouts.shown(trainer.pool)
    run.save_instructions([trajectory.task.instruction for trajectory in shown])
    policy = build.fresh_policy(recipe.model, texts([*shown, *demonstrations]), recipe.seed)
    segments = demonstrated(policy, demonstrations)
    progress.stage(f"Supervised start: {len(segments)} steps of {len(wanted)} demonstrations")
    best = -1.0

    async def check(step: int, loss: float) -> None:
        nonlocal best
        policy.refresh()
        found = await trainer.validate(policy, "sft", step, 0.0)
        progress.fitted(step, loss, found)
        if found.success > best:
            best = found.success
            policy.learner.save(run.folder / "sft.unfinished")

    await imitate(policy.learner, segments, recipe.sft, recipe.seed, check)
    (run.folder / "sft.unfinished").rename(run.folder / "sft")


async def reinforcement(trainer: Trainer) -> None:
    """From the supervised start, or the last checkpoint, to the best weights on validation."""
    recipe, run, progress = trainer.recipe, trainer.run, trainer.progress
    found = run.latest(State)
    if found:
        checkpoint, state = found
        run.since(state.iteration)
        policy = build.resumed_policy(recipe.model, checkpoint)
        progress.stage(f"Reinforcement learning goes on after iteration {state.iteration}")
    else:
        policy = build.resumed_policy(recipe.model, run.folder / "sft")
        state = State.fresh(trainer.pool, recipe.seed)
        progress.stage(
            f"Reinforcement learning on {recipe.training_seeds} tasks,"
            f" at most {minutes(recipe.rl.minutes * 60)}"
        )

    practising = policy.practice(run.instructions(), recipe.rl.renaming)

    async def collect(tasks: Sequence[Task], seed: int) -> list[Trajectory]:
        return await trainer.rollouts.sampled(practising, tasks, seed)

    async def after(state: State, report: Iteration, groups: Sequence[Group]) -> None:
        policy.refresh()
        run.note(report)
        run.save_rollouts(state.iteration, [r for group in groups for r in group.rollouts])
        progress.iterated(report, left(recipe, state))
        if state.iteration % recipe.rl.validate_every == 0:
            await look(trainer, policy, state)
        checkpoint = run.new_checkpoint(state.iteration)
        policy.learner.save(checkpoint)
        run.commit(checkpoint, state)

    await reinforce(
        policy.learner, collect, trainer.pool, recipe.rl, state, run.folder / "undo", after
    )
    if not state.enough_in_a_row:
        await look(trainer, policy, state)
    best = build.resumed_policy(recipe.model, run.folder / "rl")
    best.save(run.folder / "model")


async def look(trainer: Trainer, policy: Policy, state: State) -> None:
    """Validate; keep the weights when they are the best so far, go back to those when success has
    fallen apart."""
    found = await trainer.validate(policy, "rl", state.iteration, state.seconds)
    trainer.progress.validated(found)
    best = trainer.run.folder / "rl"
    enough = found.success >= trainer.recipe.rl.enough
    state.enough_in_a_row = state.enough_in_a_row + 1 if enough else 0
    if found.success >= state.best_validation:
        state.best_validation = found.success
        policy.learner.save(best)
    elif found.success < WORST_FALL * state.best_validation:
        policy.learner.load(best)
        policy.refresh()
        state.step_size /= 2
        trainer.progress.line("success fell apart: back to the best weights, half the step size")


async def testing(trainer: Trainer) -> Path:
    """The test seeds, once: before and after, with pictures of one task of each kind."""
    recipe, run, progress = trainer.recipe, trainer.run, trainer.progress
    suite = Suite.of(
        trainer.taskset,
        [kind.name for kind in recipe.kinds],
        range(SPLITS["test"][0], SPLITS["test"][0] + recipe.check.test),
    )
    progress.stage(f"Test: {len(suite.tasks)} tasks on seeds never seen, before and after")
    before = build.resumed_policy(recipe.model, run.folder / "sft")
    after = build.resumed_policy(recipe.model, run.folder / "rl")
    report = await told(trainer.rollouts, recipe, run, suite, before.model, after.model)
    return write(report, run.folder)


def left(recipe: Recipe, state: State) -> float:
    """Seconds until the minutes or the iterations are used up, whichever comes first."""
    by_count = state.seconds / state.iteration * (recipe.rl.iterations - state.iteration)
    return max(0.0, min(recipe.rl.minutes * 60 - state.seconds, by_count))


def texts(trajectories: Sequence[Trajectory]) -> list[str]:
    """All words of instructions and pages, for learning a vocabulary."""
    found: list[str] = []
    for trajectory in trajectories:
        for event in trajectory.events:
            if isinstance(event.data, TurnStarted):
                found.append(event.data.instruction)
            observation = getattr(event.data, "observation", None)
            for element in observation.elements if observation else ():
                found += [element.name, element.value or ""]
    return found
