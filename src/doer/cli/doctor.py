"""doer doctor"""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from doer.config import load
from doer.records.computer import Probe

PROBES = "doer.computers.command:probes"


def doctor(
    json: Annotated[bool, typer.Option("--json", help="one backend a line on stdout")] = False,
) -> None:
    """Try everything a computer is made of on this machine, and say what to do where it fails.

    Exits with 1 when no kind of computer works."""
    found: tuple[Probe, ...] = asyncio.run(load(PROBES)())
    for probe in found:
        if json:
            print(load("msgspec.json:encode")(probe).decode())
        else:
            _tell(probe)
    raise typer.Exit(0 if any(probe.works for probe in found) else 1)


def _tell(probe: Probe) -> None:
    console = Console(highlight=False)
    works = "works" if probe.works else "does not work here"
    console.print(f"{probe.backend}: {works} (isolation: {probe.isolation})", style="bold")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for one in probe.ingredients:
        mark, style = ("ok", "green") if one.works else ("fails", "red" if one.needed else "yellow")
        if not one.works and not one.needed:
            mark = "absent"
        table.add_row(f"  [{style}]{mark}[/]", one.name, escape(one.said))
        if one.fix and not one.works:
            table.add_row("", "", f"[bold]{escape(one.fix)}[/]")
    console.print(table)
