"""The end of a run told as a report: both policies on the test seeds, the curve, and replays."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec

from doer.evals.filming import firsts, replays
from doer.evals.report_data import Replay, Report, TrainingPoint, ValidationPoint
from doer.evals.statistics import wilson
from doer.evals.suite import Suite, evaluate
from doer.models.model import Model
from doer.records.task import Task
from doer.records.trajectory import Trajectory
from doer.store.blobs import MemoryBlobs
from doer.training.build import Rollouts
from doer.training.progress import minutes
from doer.training.recipe import Recipe
from doer.training.rl import Iteration
from doer.training.run import Run, Validation

VIEWPORT = (500, 400)


class Named(NamedTuple):
    """A model and what the report calls it."""

    name: str
    model: Model


async def told(
    rollouts: Rollouts, recipe: Recipe, run: Run, suite: Suite, before: Named, after: Named
) -> Report:
    """Measure both models and put everything a report shows together."""

    async def first(tasks: Sequence[Task]) -> list[Trajectory]:
        return await rollouts.greedy(before.model, tasks)

    async def second(tasks: Sequence[Task]) -> list[Trajectory]:
        return await rollouts.greedy(after.model, tasks)

    training, validation = curve(run)
    return Report(
        title=recipe.name,
        facts=facts(recipe, training, run),
        training=training,
        validation=validation,
        before=await evaluate(suite, before.name, first),
        after=await evaluate(suite, after.name, second),
        replays=await filmed(rollouts, suite, before.model, after.model),
    )


async def filmed(
    rollouts: Rollouts, suite: Suite, before: Model, after: Model
) -> tuple[Replay, ...]:
    """The first test seed of every kind, filmed with both models."""
    blobs = MemoryBlobs()
    camera = Rollouts(replace(rollouts.runner, blobs=blobs, concurrency=2))
    old = await camera.greedy(before, firsts(suite.tasks))
    new = await camera.greedy(after, firsts(suite.tasks))
    return replays(old, new, blobs, VIEWPORT)


class _Entry(msgspec.Struct):
    """What tells the entries of progress.jsonl apart: iterations of reinforcement learning have no
    phase, validations have a moment."""

    phase: str = ""
    at: int | None = None


def curve(run: Run) -> tuple[tuple[TrainingPoint, ...], tuple[ValidationPoint, ...]]:
    """What `progress.jsonl` says of reinforcement learning; where there was none, of
    corrections."""
    training: list[TrainingPoint] = []
    validation: dict[str, list[ValidationPoint]] = {"rl": [], "corrections": []}
    rollouts = 0
    for line in (run.folder / "progress.jsonl").read_bytes().splitlines():
        entry = msgspec.json.decode(line, type=_Entry)
        if not entry.phase:
            it = msgspec.json.decode(line, type=Iteration)
            rollouts += it.rollouts
            training.append(_point(it, rollouts))
        elif entry.at is not None and entry.phase in validation:
            found = msgspec.json.decode(line, type=Validation)
            validation[found.phase].append(
                ValidationPoint(
                    seconds=found.seconds,
                    rollouts=rollouts,
                    success=found.success,
                    interval=wilson(found.passed, found.n),
                )
            )
    return tuple(training), tuple(validation["rl"] or validation["corrections"])


def _point(it: Iteration, rollouts: int) -> TrainingPoint:
    return TrainingPoint(
        seconds=it.seconds,
        rollouts=rollouts,
        success=it.success,
        all_fail=it.all_fail,
        mixed=it.mixed,
        all_pass=it.all_pass,
    )


def facts(
    recipe: Recipe, training: Sequence[TrainingPoint], run: Run
) -> tuple[tuple[str, str], ...]:
    """What a reader needs to judge the numbers."""
    demonstrations = sum(len(kind.demonstrations) for kind in recipe.kinds)
    last = training[-1] if training else None
    return (
        ("Recipe", recipe.name),
        ("Model", model(recipe)),
        ("Training tasks", f"{recipe.training_seeds}, {demonstrations} of them demonstrated"),
        ("Rollouts", f"{last.rollouts:,}" if last else "0"),
        ("Reinforcement learning", minutes(last.seconds) if last else "none"),
        ("Test", f"{recipe.check.test} seeds of each kind, not used before; likeliest action"),
        ("Success", "every grader passes within the step limit; no time limit"),
        ("Run", run.folder.name),
    )


def model(recipe: Recipe) -> str:
    """What was trained, and how."""
    if recipe.model == "pointer":
        return "pointer, trained from nothing on these pages"
    way = f"LoRA of rank {recipe.lora.rank}" if recipe.lora else "all weights trained"
    return f"{recipe.model}, {way}"
