"""Reinforcement learning of a Hugging Face model on a text world of one step, against the clock.

    python benchmarks/hugging_face.py [--seeds 0 1 2] [--minutes 4]

The model is a 2-layer Qwen3 of width 96 with random weights, made here. It is shown 8 tickets, two
of each desk, and learns to route others by trying (`files/route-ticket`). Success is on the tickets
of fresh seeds. The limit it is held against is what guessing one of the four desks gives.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import msgspec
from rich.console import Console

from doer.evals.result import SuiteResult
from doer.evals.wording import percent, span
from doer.training import build
from doer.training.progress import Progress
from doer.training.recipe import RL, SFT, Check, Kind, Recipe
from doer.training.run import Run
from doer.training.train import train
from doer.training.trainer import Trainer
from doer.worlds.files.chores import CHORES
from doer.worlds.files.world import FileChores

sys.path.append(str(Path(__file__).parents[1] / "tests" / "fakes"))
import small_hf

KIND = "route-ticket"
GUESSING = 0.25
SEEDS = 400  # training tasks
SHOWN = 8  # of them


def shown() -> tuple[int, ...]:
    """Training seeds to demonstrate: as many of each desk."""
    desks: Counter[str] = Counter()
    found: list[int] = []
    for seed in range(SEEDS):
        desk = CHORES[KIND](random.Random(f"{KIND}/{seed}")).after["desk.txt"]
        if desks[desk] < SHOWN / 4:
            desks[desk] += 1
            found.append(seed)
    return tuple(found)


def recipe(model: Path, minutes: float, seed: int) -> Recipe:
    return Recipe(
        name="route-ticket",
        model=str(model),
        longest=64,
        taskset="files",
        kinds=(Kind(name=KIND, seeds=SEEDS, demonstrations=shown()),),
        sft=SFT(steps=120, check_every=40, learning_rate=2e-3, batch=8),
        rl=RL(
            iterations=1000, minutes=minutes, tasks=16, group=8, updates=4, learning_rate=6e-4,
            entropy=0.01, tokens=512, efficiency=0.0, validate_every=5, enough=0.95,
        ),
        check=Check(validation=100, test=300),
        seed=seed,
        concurrency=64,
    )  # fmt: skip


class Results(msgspec.Struct):
    """What is needed of report.json."""

    before: SuiteResult
    after: SuiteResult


async def once(seed: int, minutes: float, folder: Path) -> None:
    world = FileChores()
    texts = [world.task(KIND, seed).instruction for seed in range(200)]
    texts += ['<tool_call>\n{"name": "write_file", "arguments": {"path": "desk.txt"}}'] * 20
    model = small_hf.write(folder / "model", "qwen", texts, seed, width=96)
    plan = recipe(model, minutes, seed)
    run = Run(folder / "run", plan)
    progress = Progress(Console(stderr=True), run.folder)
    rollouts = build.Rollouts.of(world, plan.concurrency, progress.rollout)
    cpu, wall = time.process_time(), time.monotonic()
    await train(Trainer(plan, run, world, rollouts, progress))
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    found = msgspec.json.decode((run.folder / "report.json").read_bytes(), type=Results)
    took = f"{cpu / 60:.1f} CPU minutes, {wall / 60:.1f} minutes"
    print(f"seed {seed}: {took}; guessing gives {percent(GUESSING)}")
    for what, result in (("supervised start", found.before), ("after RL", found.after)):
        total = result.total
        print(
            f"  {what:17} {percent(total.success)} ({span(total.interval)}, n {total.n}),"
            f" {total.success / GUESSING:.1f} x guessing"
        )
    progress.close()


async def main() -> None:
    parser = argparse.ArgumentParser(description="a Hugging Face model learns a text world by RL")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--minutes", type=float, default=4.0)
    given = parser.parse_args()
    for seed in given.seeds:
        with tempfile.TemporaryDirectory() as folder:
            await once(seed, given.minutes, Path(folder))


if __name__ == "__main__":
    asyncio.run(main())
