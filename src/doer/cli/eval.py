"""doer eval SUITE --model A [--against B]"""

import asyncio
from json import dumps
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from doer.config import load

COMMAND = "doer.evals.command:command"
PERCENT = "doer.evals.wording:percent"
SPAN = "doer.evals.wording:span"
SIGNED = "doer.evals.wording:signed_span"
POINTS = "doer.evals.wording:points"


def evaluate(
    suite: Annotated[str, typer.Argument(help="a taskset, or tasks: files/move-line,set-value")],
    model: Annotated[
        str, typer.Option(help="`starter`, a folder, `oracle`, or the name of an API model")
    ],
    against: Annotated[str, typer.Option(help="a second model, compared task by task")] = "",
    seeds: Annotated[str, typer.Option(help="test seeds by default")] = "500000-500019",
    base_url: Annotated[str, typer.Option(help="any server that speaks Chat Completions")] = "",
    report: Annotated[
        Path | None, typer.Option(help="folder for a page that compares both, with replays")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="end with one line of JSON")] = False,
) -> None:
    """Measure a model on held-out tasks."""
    result, gain = asyncio.run(load(COMMAND)(suite, model, against, seeds, base_url, report))
    percent, span = load(PERCENT), load(SPAN)
    table = Table("task", "success", "95 % interval", "n", "steps", "seconds", "apart", box=None)
    if gain:
        table.add_column(f"against {against}")
    rows = [*result.by_task.items(), ("all", result.total)]
    for name, tally in rows:
        apart = ", ".join(f"{n} {end}" for end, n in tally.unscored.items())
        figures = [f"{tally.steps or 0:.1f}", f"{tally.seconds or 0:.2f}", apart]
        row = [name, percent(tally.success), span(tally.interval), str(tally.n), *figures]
        if gain:
            paired = gain.total if name == "all" else gain.by_task.get(name)
            row.append(paired.in_words if paired else "")
        table.add_row(*row)
    console = Console(stderr=json)
    console.print(table)
    if gain:
        found, points = gain.total, load(POINTS)
        console.print(
            f"{model} against {against}: {points(found.difference)} points"
            f" (95 %: {load(SIGNED)(found.interval)}) on {found.n} pairs: {found.in_words}",
            highlight=False,
        )
    if report:
        console.print(f"Report: {report / 'report.html'}", highlight=False, soft_wrap=True)
    if json:
        print(dumps(result.summary()))
