"""What `doer train` does: find or make the run's folder, train, say what came out."""

from pathlib import Path

import msgspec
from rich.console import Console

from doer.config import home, read
from doer.training.build import Rollouts
from doer.training.progress import Progress
from doer.training.recipe import Recipe
from doer.training.run import Run
from doer.training.train import train
from doer.training.trainer import Trainer
from doer.worlds.build import taskset


async def command(path: Path, folder: Path | None, seed: int | None) -> None:
    """Raises `ConfigError` for a recipe that does not make sense."""
    recipe = read(path, Recipe)
    if seed is not None:
        recipe = msgspec.structs.replace(recipe, seed=seed)
    run = Run(folder or unfinished(recipe), recipe)
    console = Console(stderr=True)
    console.print(f"Run folder: {run.folder}", highlight=False, soft_wrap=True)
    world = taskset(recipe.taskset)
    progress = Progress(console, run.folder)
    rollouts = Rollouts.of(world, recipe.concurrency, progress.rollout)
    try:
        report = await train(Trainer(recipe, run, world, rollouts, progress))
    finally:
        progress.close()
        await world.close()
    tell(console, recipe, run, report)
    print(report)


def tell(console: Console, recipe: Recipe, run: Run, report: Path) -> None:
    """What came out, and what to try next."""
    found = msgspec.json.decode((run.folder / "report.json").read_bytes(), type=Outcome)
    task = f"{recipe.taskset}/{recipe.kinds[0].name}"
    model = run.folder / "model"
    lines = (
        found.verdict,
        f"Report: {report}",
        "Next:",
        f"  .venv/bin/doer run --task {task} --seed 7 --model {model}",
        f"  .venv/bin/doer eval {task} --model {model} --against {run.folder / 'sft'}",
        f"  .venv/bin/tensorboard --logdir {run.folder / 'tensorboard'}",
    )
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


class Outcome(msgspec.Struct):
    """What is said of report.json."""

    verdict: str


def unfinished(recipe: Recipe) -> Path:
    """The folder of the newest run of this recipe if it is not finished, else a new one."""
    runs = home() / "runs"
    number = 1
    while True:
        folder = runs / f"{recipe.name}-{number}"
        if not (folder / "report.html").exists() and _same(folder, recipe):
            return folder
        number += 1


def _same(folder: Path, recipe: Recipe) -> bool:
    kept = folder / "recipe.json"
    return not kept.exists() or kept.read_bytes() == msgspec.json.encode(recipe)
