"""Reinforcement learning of a Hugging Face model on a text world of one step.

    python benchmarks/hugging_face.py [--seeds 0 1 2] [--iterations 100]

The model is a 2-layer Qwen3 of width 96 with random weights, made here. 40 tickets are demonstrated
that say 5 of 30 things, one a desk; to which desk the other 25 go it finds out by trying. Success
is greedy, on 300 tickets of fresh seeds, beside what guessing one of the desks gives. Each part's
CPU seconds are those of this process, validation included.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import msgspec
from rich.console import Console
from tickets import GUESSING, KIND, SEEDS, SHOWN, demonstrations, said, words

from doer.evals.result import SuiteResult
from doer.evals.wording import percent, span
from doer.training import build
from doer.training.progress import Progress
from doer.training.recipe import RL, SFT, Check, Kind, Recipe
from doer.training.run import Run
from doer.training.train import train
from doer.training.trainer import Trainer
from doer.worlds.files.world import FileChores

sys.path.append(str(Path(__file__).parents[1] / "tests" / "fakes"))
import small_hf

PARTS = ("set-up", "demonstrations", "supervised start", "reinforcement learning", "tests")


def recipe(model: Path, shown: tuple[int, ...], iterations: int, seed: int) -> Recipe:
    return Recipe(
        name="route-ticket",
        model=str(model),
        longest=40,
        taskset="files",
        kinds=(Kind(name=KIND, seeds=SEEDS, demonstrations=shown),),
        sft=SFT(steps=160, check_every=160, learning_rate=4e-3, batch=8),
        rl=RL(
            iterations=iterations, minutes=60, tasks=16, group=8, mixed=0, rounds=1, updates=8,
            rows=16, tokens=512, learning_rate=6e-4, entropy=0.01, efficiency=0.0,
            rehearsed=16,
            validate_every=10, enough=0.9,
        ),
        check=Check(validation=100, test=300),
        seed=seed,
        concurrency=64,
    )  # fmt: skip


class Results(msgspec.Struct):
    """What is needed of report.json."""

    before: SuiteResult
    after: SuiteResult


class Timed(Progress):
    """Knows when, in CPU seconds, each part began."""

    def __init__(self, console: Console, folder: Path) -> None:
        super().__init__(console, folder)
        self.began = [time.process_time()]

    def stage(self, what: str) -> None:
        self.began.append(time.process_time())
        super().stage(what)


async def once(seed: int, iterations: int, folder: Path) -> None:
    world = FileChores()
    rollouts = build.Rollouts.of(world, 64, lambda _: None)
    texts = await words(world, rollouts)
    model = small_hf.write(folder / "model", "qwen", texts, seed, width=96)
    plan = recipe(model, demonstrations(world), iterations, seed)
    run = Run(folder / "run", plan)
    progress = Timed(Console(stderr=True), run.folder)
    rollouts = build.Rollouts.of(world, plan.concurrency, progress.rollout)
    await train(Trainer(plan, run, world, rollouts, progress))
    times = [*progress.began, time.process_time()]
    spans = [end - start for start, end in pairwise(times)]
    took = ", ".join(f"{name} {cpu:.0f}" for name, cpu in zip(PARTS, spans, strict=True))
    print(f"seed {seed}: CPU seconds: {took}; guessing gives {percent(GUESSING)}")
    found = msgspec.json.decode((run.folder / "report.json").read_bytes(), type=Results)
    for what, result in (("supervised start", found.before), ("after RL", found.after)):
        total = result.total
        new = [i.passed for i in result.items if said(world.task(KIND, i.seed)) not in SHOWN]
        print(
            f"  {what:17} {percent(total.success)} ({span(total.interval)}, n {total.n});"
            f" never shown {percent(sum(new) / len(new))} (n {len(new)})"
        )
    progress.close()


async def main() -> None:
    parser = argparse.ArgumentParser(description="a Hugging Face model learns a text world by RL")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--iterations", type=int, default=100)
    given = parser.parse_args()
    for seed in given.seeds:
        with tempfile.TemporaryDirectory() as folder:
            await once(seed, given.iterations, Path(folder))


if __name__ == "__main__":
    asyncio.run(main())
