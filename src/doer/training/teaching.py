"""The stages in which right answers are given: demonstrations, corrections, preferences."""

from collections.abc import Sequence

from doer.errors import ConfigError
from doer.models.model import Model
from doer.records.event import TurnStarted
from doer.records.task import Task
from doer.records.trajectory import Trajectory
from doer.training import build, corrections
from doer.training.dpo import compared, prefer
from doer.training.preferences import read_pairs
from doer.training.progress import minutes
from doer.training.recipe import DPO, Corrections
from doer.training.sft import demonstrated, imitate
from doer.training.trainer import Trainer

SAVED_EVERY = 5  # rounds of corrections


async def imitation(trainer: Trainer) -> None:
    """Demonstrations of the oracles, then the supervised start."""
    recipe, run, progress = trainer.recipe, trainer.run, trainer.progress
    (run.folder / "progress.jsonl").unlink(missing_ok=True)
    wanted = trainer.shown
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
    async with trainer.best_kept(policy, "sft") as check:
        await imitate(policy.learner, segments, recipe.sft, recipe.seed, check)


async def correction(trainer: Trainer, config: Corrections) -> None:
    """From the supervised start, or the last checkpoint, by the oracles' corrections to the best
    weights on validation."""
    recipe, run, progress = trainer.recipe, trainer.run, trainer.progress
    policy, state = trainer.begun("corrections", corrections.State, "sft")
    if state:
        run.since("corrections", state.round)
        progress.stage(f"Corrections go on after round {state.round}")
    else:
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
            trainer.save("corrections", state.round, policy, state)

    weights = {kind.name: kind.weight for kind in recipe.kinds}
    await corrections.correct(
        policy, attempt, trainer.taskset, config, recipe.seed, state, after, weights
    )
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
    async with trainer.best_kept(policy, "dpo") as check:
        await prefer(policy.learner, pairs, config, recipe.seed, check)


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
