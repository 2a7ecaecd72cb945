"""doer tasks list | show | check"""

import asyncio
from typing import Annotated

import typer

from doer.config import load

LIST = "doer.worlds.command:listed"
SHOW = "doer.worlds.command:shown"
CHECK = "doer.worlds.command:checked"
SEEDS = "doer.evals.suite:parse_seeds"

tasks = typer.Typer(help="The tasks there are, and whether they are sound.", no_args_is_help=True)


@tasks.command("list")
def list_(
    taskset: Annotated[str, typer.Argument(help="for example miniwob; all without it")] = "",
) -> None:
    """List the tasks of a taskset; * marks those with an oracle."""
    for name, found in load(LIST)(taskset).items():
        for task, solved in found:
            print(f"{name}/{task}{' *' if solved else ''}")


@tasks.command()
def show(
    task: Annotated[str, typer.Argument(help="for example files/move-line")],
    seed: Annotated[int, typer.Option(help="which of the task's variants")] = 0,
) -> None:
    """Show a task as the agent sees it at its start."""
    shown, view = asyncio.run(load(SHOW)(task, seed))
    print(f"{shown.id}, at most {shown.limits.steps} steps\n\n{shown.instruction}\n\n{view}")


@tasks.command()
def check(
    names: Annotated[list[str], typer.Argument(help="tasksets or tasks: files files/move-line")],
    seeds: Annotated[str, typer.Option(help="seeds to try")] = "0-3",
) -> None:
    """Check tasks: the oracle must pass, doing nothing must fail."""
    found = asyncio.run(load(CHECK)(names, load(SEEDS)(seeds)))
    wrong = [one for one in found if one.problem]
    for one in wrong:
        print(f"{one.task.id}: {one.problem}")
    unproven = {one.task.name for one in found if one.oracle is None}
    print(f"{len(found) - len(wrong)} of {len(found)} sound", end="")
    print(f"; {len(unproven)} kinds have no oracle" if unproven else "")
    raise typer.Exit(1 if wrong else 0)
