"""The stage of reinforcement learning: resumed, watched, the best weights kept."""

from collections.abc import Sequence

from doer.models.local.policy import Policy
from doer.records.completion import Segment
from doer.records.task import Task
from doer.records.trajectory import Trajectory
from doer.training.progress import minutes
from doer.training.recipe import RL
from doer.training.rl import Group, Iteration, State, reinforce
from doer.training.sft import demonstrated
from doer.training.trainer import Trainer

WORST_FALL = 0.6  # of the best validation success; below it training goes back to the best weights


async def reinforcement(trainer: Trainer, config: RL) -> None:
    """From the start, or the last checkpoint, to the best weights on validation."""
    recipe, run, progress = trainer.recipe, trainer.run, trainer.progress
    policy, state = trainer.begun("rl", State, trainer.start)
    if state:
        run.since("rl", state.iteration)
        progress.stage(f"Reinforcement learning goes on after iteration {state.iteration}")
    else:
        state = State.fresh(trainer.pool, recipe.seed)
        progress.stage(
            f"Reinforcement learning on {recipe.training_seeds} tasks,"
            f" at most {minutes(config.minutes * 60)}"
        )

    shown: list[Segment] = []
    if config.rehearsed:
        shown = demonstrated(policy, await trainer.rollouts.solved(trainer.shown))
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
        trainer.save("rl", state.iteration, policy, state)

    await reinforce(
        policy.learner, collect, trainer.pool, config, state, run.folder / "undo", after, shown
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


def left(config: RL, state: State) -> float:
    """Seconds until the minutes or the iterations are used up, whichever comes first."""
    by_count = state.seconds / state.iteration * (config.iterations - state.iteration)
    return max(0.0, min(config.minutes * 60 - state.seconds, by_count))
