"""doer run "task" --model M  |  doer run --task files/move-line --seed 7 --model M"""

import asyncio
from typing import Annotated

import typer

from doer.cli.telling import Teller
from doer.config import load

COMMAND = "doer.worlds.command:run"


def run(
    instruction: Annotated[str, typer.Argument(help="what is to be done")] = "",
    model: Annotated[
        str, typer.Option(help="`starter`, a folder, `oracle`, or the name of an API model")
    ] = "",
    task: Annotated[str, typer.Option(help="a task with its grader, e.g. files/move-line")] = "",
    seed: Annotated[int, typer.Option(help="which variant of --task")] = 0,
    base_url: Annotated[str, typer.Option(help="any server that speaks Chat Completions")] = "",
    json: Annotated[bool, typer.Option("--json", help="one event a line on stdout")] = False,
) -> None:
    """Do one task, step by step. The answer goes to stdout, progress to stderr."""
    teller = Teller(as_json=json)
    done = asyncio.run(load(COMMAND)(instruction, model, task, seed, base_url, teller))
    if not json and done.answer:
        print(done.answer)
    raise typer.Exit(0 if done.succeeded else 1)
