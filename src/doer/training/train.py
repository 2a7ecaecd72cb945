"""One recipe from end to end: demonstrate, imitate, reinforce, test, report.

It can be stopped anywhere: finished stages are found in the run's folder and not done again, and
reinforcement learning goes on from its last checkpoint.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from doer.errors import ConfigError
from doer.evals.report import write
from doer.evals.suite import SPLITS, Suite
from doer.models.local.policy import Policy
from doer.models.model import Model
from doer.records.event import TurnStarted
from doer.records.task import Task
from doer.records.trajectory import Trajectory
from doer.training import build, corrections
from doer.training.dpo import compared, prefer
from doer.training.preferences import read_pairs
from doer.training.progress import Progress, minutes
from doer.training.recipe import DPO, RL, Corrections, Recipe
from doer.training.rl import Group, Iteration, State, reinforce
from doer.training.run import Run, Validation
from doer.training.sft import demonstrated, imitate
from doer.training.telling import Named, told
from doer.worlds.world import Taskset

STAGES = {
    "untrained": "before training",
    "sft": "supervised start",
    "corrections": "after corrections",
    "dpo": "after preference fine-tuning",
    "rl": "after reinforcement learning",
}
SAVED_EVERY = 5  # rounds of corrections
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
    if not (run.folder / "sft").exists():
        await imitation(trainer)
    if trainer.recipe.corrections and not (run.folder / "corrections").exists():
        await correction(trainer, trainer.recipe.corrections)
    if trainer.recipe.dpo and not (run.folder / "dpo").exists():
        await preference(trainer, trainer.recipe.dpo)
    if not (run.folder / "model").exists():
        if trainer.recipe.rl:
            await reinforcement(trainer, trainer.recipe.rl)
        best = build.resumed_policy(trainer.recipe, run.folder / trainer.last)
        best.save(run.folder / "model.unfinished")
        (run.folder / "model.unfinished").rename(run.folder / "model")
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
    policy = build.fresh_policy(recipe, texts([*shown, *demonstrations]))
    if trainer.last == "sft":
        policy.learner.save(run.folder / "untrained")
    segments = demonstrated(policy, demonstrations)
    progress.stage(f"Supervised start: {len(segments)} steps of {len(wanted)} demonstrations")
    async with best_kept(trainer, policy, "sft") as check:
        await imitate(policy.learner, segments, recipe.sft, recipe.seed, check)


async def correction(trainer: Trainer, config: Corrections) -> None:
    """From the supervised start, or the last checkpoint, by the oracles' corrections to the best
    weights on validation."""
    recipe, run, progress = trainer.recipe, trainer.run, trainer.progress
    found = run.latest(corrections.State)
    if found:
        checkpoint, state = found
        run.since("corrections", state.round)
        policy = build.resumed_policy(recipe, checkpoint)
        progress.stage(f"Corrections go on after round {state.round}")
    else:
        policy = build.resumed_policy(recipe, run.folder / "sft")
        names = [kind.name for kind in recipe.kinds]
        state = corrections.State.fresh(names, config.first_seed)
        progress.stage(f"Corrections by oracles, {minutes(config.minutes * 60)}")
    best = run.folder / "corrections.unfinished"

    async def attempt(model: Model, task: Task, seed: int) -> Trajectory:
        (done,) = await trainer.rollouts.sampled(model, [task], seed)
        return done

    async def after(state: corrections.State, report: corrections.Round) -> None:
        run.note(report)
        progress.corrected(report, max(0.0, config.minutes * 60 - state.seconds))
        over = state.seconds >= config.minutes * 60
        if over or state.round % config.validate_every == 0:
            found = await trainer.validate(policy, "corrections", state.round, state.seconds)
            progress.validated(found)
            if found.success >= state.best_validation:
                state.best_validation = found.success
                policy.learner.save(best)
        if over or state.round % SAVED_EVERY == 0:
            checkpoint = run.new_checkpoint(state.round)
            policy.learner.save(checkpoint)
            run.commit(checkpoint, state)

    await corrections.correct(policy, attempt, trainer.taskset, config, recipe.seed, state, after)
    run.forget_checkpoints()
    best.rename(run.folder / "corrections")


async def preference(trainer: Trainer, config: DPO) -> None:
    """From the supervised start, by pairs out of a file or of rollouts, to the best weights on
    validation."""
    recipe, run, progress = trainer.recipe, trainer.run, trainer.progress
    policy = build.resumed_policy(recipe, run.folder / trainer.taught)
    if config.pairs:
        pairs = read_pairs(config.pairs, policy)
    else:
        tasks = [task for task in trainer.pool for _ in range(config.group)]
        progress.stage(f"Preferences: {config.group} rollouts of each of {len(trainer.pool)} tasks")
        pairs = compared(await trainer.rollouts.sampled(policy.model, tasks, recipe.seed))
        if not pairs:
            raise ConfigError("no two rollouts of one task had different grades: nothing to prefer")
    progress.stage(f"Preference fine-tuning on {len(pairs)} pairs")
    async with best_kept(trainer, policy, "dpo") as check:
        await prefer(policy.learner, pairs, config, recipe.seed, check)


@asynccontextmanager
async def best_kept(
    trainer: Trainer, policy: Policy, stage: str
) -> AsyncGenerator[Callable[[int, float], Awaitable[None]]]:
    """A check to be made now and then in a stage; the weights that do best on validation become the
    stage's result."""
    best = -1.0
    unfinished = trainer.run.folder / f"{stage}.unfinished"

    async def check(step: int, loss: float) -> None:
        nonlocal best
        policy.refresh()
        found = await trainer.validate(policy, stage, step, 0.0)
        trainer.progress.fitted(stage, step, loss, found)
        if found.success > best:
            best = found.success
            policy.learner.save(unfinished)

    yield check
    if best < 0:
        await check(0, 0.0)
    unfinished.rename(trainer.run.folder / stage)


async def reinforcement(trainer: Trainer, config: RL) -> None:
    """From the start, or the last checkpoint, to the best weights on validation."""
    recipe, run, progress = trainer.recipe, trainer.run, trainer.progress
    found = run.latest(State)
    if found:
        checkpoint, state = found
        run.since("rl", state.iteration)
        policy = build.resumed_policy(recipe, checkpoint)
        progress.stage(f"Reinforcement learning goes on after iteration {state.iteration}")
    else:
        policy = build.resumed_policy(recipe, run.folder / trainer.start)
        state = State.fresh(trainer.pool, recipe.seed)
        progress.stage(
            f"Reinforcement learning on {recipe.training_seeds} tasks,"
            f" at most {minutes(config.minutes * 60)}"
        )

    practising = policy.practice(run.instructions(), config.renaming)

    async def collect(tasks: Sequence[Task], seed: int) -> list[Trajectory]:
        return await trainer.rollouts.sampled(practising, tasks, seed)

    async def after(state: State, report: Iteration, groups: Sequence[Group]) -> None:
        policy.refresh()
        run.note(report)
        run.save_rollouts(state.iteration, [r for group in groups for r in group.rollouts])
        progress.iterated(report, left(config, state))
        if state.iteration % config.validate_every == 0:
            await look(trainer, policy, state, config.enough)
        checkpoint = run.new_checkpoint(state.iteration)
        policy.learner.save(checkpoint)
        run.commit(checkpoint, state)

    await reinforce(
        policy.learner, collect, trainer.pool, config, state, run.folder / "undo", after
    )
    if not state.enough_in_a_row:
        await look(trainer, policy, state, config.enough)


async def look(trainer: Trainer, policy: Policy, state: State, enough: float) -> None:
    """Validate; keep the weights when they are the best so far, go back to those when success has
    fallen apart."""
    found = await trainer.validate(policy, "rl", state.iteration, state.seconds)
    trainer.progress.validated(found)
    best = trainer.run.folder / "rl"
    state.enough_in_a_row = state.enough_in_a_row + 1 if found.success >= enough else 0
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
    before, after = (
        Named(STAGES[stage], build.resumed_policy(recipe, run.folder / stage).model)
        for stage in (trainer.before, trainer.last)
    )
    report = await told(trainer.rollouts, recipe, run, suite, before, after)
    return write(report, run.folder)


def left(config: RL, state: State) -> float:
    """Seconds until the minutes or the iterations are used up, whichever comes first."""
    by_count = state.seconds / state.iteration * (config.iterations - state.iteration)
    return max(0.0, min(config.minutes * 60 - state.seconds, by_count))


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
