"""The quickstart on several seeds of randomness, beside a control that only imitates.

    python benchmarks/quickstart.py [--seeds 0 1 2] [--no-control] [--faults]

For each seed: the recipe as it is (best supervised start on validation, then reinforcement
learning, then fresh test seeds), and supervised fine-tuning alone for the same wall time, its best
weights on validation tested on the same seeds. With --faults, 5 % of resets fail and 1 % of pages
hang.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import msgspec
from rich.console import Console

from doer.config import read
from doer.evals.result import SuiteResult, compare
from doer.evals.suite import SPLITS, Suite, evaluate
from doer.evals.wording import percent, points, signed_span, span
from doer.records.trajectory import Trajectory
from doer.training import build
from doer.training.progress import Progress
from doer.training.recipe import Recipe
from doer.training.run import Run
from doer.training.sft import demonstrated, imitate
from doer.training.train import train
from doer.training.trainer import Trainer
from doer.worlds.build import taskset
from doer.worlds.faults import FaultyTaskset

RECIPE = Path(__file__).parents[1] / "recipes" / "quickstart.toml"
ROUND = 60  # steps of the control between two looks at the clock


async def control(trainer: Trainer, seconds: float) -> SuiteResult:
    """Supervised fine-tuning only, for `seconds`; the best weights on validation, tested."""
    recipe, run = trainer.recipe, trainer.run
    lines = (run.folder / "demonstrations.jsonl").read_bytes().splitlines()
    demonstrations = [msgspec.json.decode(line, type=Trajectory) for line in lines]
    policy = build.resumed_policy(recipe, run.folder / "sft")
    segments = demonstrated(policy, demonstrations)
    best, kept = -1.0, run.folder / "control"
    until = time.monotonic() + seconds

    async def check(step: int, loss: float) -> None:
        nonlocal best
        policy.refresh()
        found = await trainer.validate(policy, "control", step, 0.0)
        if found.success > best:
            best = found.success
            policy.learner.save(kept)

    number = 0
    while time.monotonic() < until:
        number += 1
        more = msgspec.structs.replace(recipe.sft, steps=ROUND, check_every=ROUND, warmup=1)
        await imitate(policy.learner, segments, more, recipe.seed + number, check)
    tested = build.resumed_policy(recipe, kept)
    first = SPLITS["test"][0]
    names = [kind.name for kind in recipe.kinds]
    suite = Suite.of(trainer.taskset, names, range(first, first + recipe.check.test))
    return await evaluate(
        suite, "supervised only", lambda tasks: trainer.rollouts.greedy(tested.model, tasks)
    )


class Results(msgspec.Struct):
    """What is needed of report.json."""

    before: SuiteResult
    after: SuiteResult


async def once(seed: int, controlled: bool, faults: bool, folder: Path) -> None:
    recipe = msgspec.structs.replace(read(RECIPE, Recipe), seed=seed)
    world = taskset(recipe.taskset)
    if faults:
        world = FaultyTaskset(world, resets=0.05, hangs=0.01)
    run = Run(folder / f"seed-{seed}", recipe)
    progress = Progress(Console(stderr=True), run.folder)
    rollouts = build.Rollouts.of(world, recipe.concurrency, progress.rollout)
    trainer = Trainer(recipe, run, world, rollouts, progress)
    started = time.monotonic()
    await train(trainer)
    took = time.monotonic() - started
    found = msgspec.json.decode((run.folder / "report.json").read_bytes(), type=Results)
    print(f"seed {seed}: {took / 60:.1f} minutes in all, {recipe.training_seeds} training tasks")
    told("supervised start", found.before)
    told("after RL", found.after)
    gained(found.before, found.after, "RL against the best start")
    if isinstance(world, FaultyTaskset):
        print(f"  faults put in: {dict(world.injected)}")
    elif controlled:
        only = await control(trainer, took)
        told("supervised only", only)
        gained(only, found.after, "RL against supervised only, same wall time")
    progress.close()
    await world.close()


def told(what: str, result: SuiteResult) -> None:
    kinds = "  ".join(f"{name} {percent(t.success)}" for name, t in result.by_task.items())
    total = result.total
    print(f"  {what:17} {percent(total.success)} ({span(total.interval)}, n {total.n})  {kinds}")


def gained(first: SuiteResult, second: SuiteResult, what: str) -> None:
    pair = compare(first, second).total
    print(
        f"  {what}: {points(pair.difference)} points ({signed_span(pair.interval)}), {pair.verdict}"
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--no-control", action="store_true")
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="doer-quickstart-"))
    for seed in given.seeds:
        await once(seed, not given.no_control, given.faults, folder)


if __name__ == "__main__":
    asyncio.run(main())
