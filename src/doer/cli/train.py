"""doer train RECIPE.toml"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from doer.config import load

COMMAND = "doer.training.command:command"


def train(
    recipe: Annotated[Path, typer.Argument(help="a recipe, for example recipes/quickstart.toml")],
    run: Annotated[
        Path | None, typer.Option(help="folder of the run; an unfinished run there goes on")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="use this random seed, not the recipe's")] = None,
) -> None:
    """Train a model by a recipe: demonstrations, reinforcement, a test, a report."""
    asyncio.run(load(COMMAND)(recipe, run, seed))
