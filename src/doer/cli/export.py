"""doer export RUN_OR_FILE --format sft|steps|dpo|tokens --out FILE"""

from pathlib import Path
from typing import Annotated

import typer

from doer.config import load

COMMAND = "doer.training.export:command"


def export(
    source: Annotated[
        Path, typer.Argument(help="a run's folder, a log, or JSONL of trajectories or events")
    ],
    out: Annotated[Path, typer.Option(help="the JSONL file to write")],
    format: Annotated[
        str, typer.Option(help="sft (a conversation a line), steps (a decision), dpo, or tokens")
    ] = "sft",
) -> None:
    """Write recorded work as JSONL that other trainers read (TRL's formats)."""
    lines, rollouts = load(COMMAND)(source, format, out)
    print(f"{lines} lines from {rollouts} rollouts: {out}")
