"""The command `doer`. Each subcommand is a file; what it needs is loaded when it runs."""

import sys

import typer

from doer.cli.computer import computer
from doer.cli.doctor import doctor
from doer.cli.eval import evaluate
from doer.cli.export import export
from doer.cli.replay import replay
from doer.cli.run import run
from doer.cli.tasks import tasks
from doer.cli.train import train
from doer.errors import DoerError

app = typer.Typer(
    name="doer",
    help="An agent with its own computer that learns your job by doing it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("run")(run)
app.command("replay")(replay)
app.command("eval")(evaluate)
app.command("train")(train)
app.command("export")(export)
app.command("doctor")(doctor)
app.add_typer(computer, name="computer")
app.add_typer(tasks, name="tasks")


def main() -> None:
    """Errors meant for people are one line; anything else is a bug and keeps its trace."""
    try:
        app()
    except DoerError as error:
        print(f"doer: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("doer: stopped; start the same command again to go on", file=sys.stderr)
        sys.exit(130)
