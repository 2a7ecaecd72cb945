"""doer computer list | create | start | run | shell | snapshot | fork | ..."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from doer.config import load

COMMANDS = "doer.computers.command:"
ATTACHED = "doer.computers.console:attached"

Name = Annotated[str, typer.Argument(help="letters, digits, - and _")]
computer = typer.Typer(
    help="The agent's computers: each a small Linux desktop that outlives whoever uses it.",
    no_args_is_help=True,
)


image = typer.Typer(
    help="Root file systems for computers; without one they have the host's /usr, read-only.",
    no_args_is_help=True,
)
computer.add_typer(image, name="image")


def _do(command: str, *arguments: object) -> Any:
    return asyncio.run(load(COMMANDS + command)(*arguments))


@computer.command("list")
def list_() -> None:
    """List the computers there are, and what they use."""
    rows = _do("listed")
    if not rows:
        print("there is no computer yet: doer computer start NAME", file=sys.stderr)
        return
    table = Table(box=None, padding=(0, 3, 0, 0))
    for heading in ("name", "state", "memory", "processes", "disk", "network"):
        table.add_column(heading, justify="left" if heading in ("name", "state") else "right")
    for row in rows:
        used = row.stats
        figures = (f"{used.memory_mb:.0f} MB", str(used.processes), f"{used.disk_mb:.0f} MB")
        network = row.spec.network.mode if row.spec else "?"
        table.add_row(row.name, used.state, *figures, network)
    Console(highlight=False).print(table)


@computer.command()
def create(
    name: Name,
    spec: Annotated[str, typer.Option(help="a TOML file: memory_mb, disk_mb, [network] ...")] = "",
    snapshot: Annotated[str, typer.Option(help="begin with what this snapshot holds")] = "",
) -> None:
    """Make a computer, blank or from a snapshot."""
    _do("created", name, spec, snapshot)


@computer.command()
def start(name: Name) -> None:
    """Start a computer; make a blank one first when there is none of this name."""
    _do("started", name)


@computer.command()
def stop(name: Name) -> None:
    """End all that runs in a computer. Its files stay."""
    _do("stopped", name)


@computer.command(context_settings={"ignore_unknown_options": True})
def run(
    name: Name,
    command: Annotated[list[str], typer.Argument(help="a program and its arguments")],
    timeout_s: Annotated[float, typer.Option(help="seconds until it is ended")] = 600,
) -> None:
    """Run a command in a computer. Its exit code is this command's own."""
    done = _do("ran", name, command, timeout_s)
    sys.stdout.buffer.write(done.stdout.kept)
    sys.stderr.buffer.write(done.stderr.kept)
    for output in (done.stdout, done.stderr):
        if output.cut:
            print(f"doer: {output.cut} bytes cut; see {output.file} inside", file=sys.stderr)
    if done.timed_out:
        print(f"doer: ended after {timeout_s:g} s", file=sys.stderr)
        raise typer.Exit(124)
    raise typer.Exit(done.exit_code if done.exit_code >= 0 else 128 - done.exit_code)


@computer.command()
def shell(
    name: Name,
    terminal: Annotated[str, typer.Option(help="its name; it stays open when you leave")] = "main",
) -> None:
    """Open a terminal in a computer. Ctrl-] leaves it; what runs in it goes on."""
    raise typer.Exit(asyncio.run(load(ATTACHED)(name, terminal)))


@computer.command()
def screenshot(name: Name, file: Annotated[Path, typer.Argument(help=".png or .jpg")]) -> None:
    """Take a picture of a computer's screen."""
    file.write_bytes(_do("pictured", name, file.suffix in (".jpg", ".jpeg")))


@computer.command()
def snapshot(name: Name) -> None:
    """Freeze a computer as it is, its files, tabs and cookies, and print the snapshot's id."""
    print(_do("kept", name).id)


@computer.command()
def snapshots() -> None:
    """List the snapshots there are."""
    for kept in _do("snapshots"):
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(kept.at))
        print(f"{kept.id}  {at}  {kept.computer}")


@computer.command()
def restore(name: Name, snapshot: str) -> None:
    """Take a computer back to a snapshot. What it held since is lost."""
    _do("restored", name, snapshot)


@computer.command()
def fork(name: Name, child: Name) -> None:
    """Make a second computer like this one, independent from then on."""
    _do("forked", name, child)


@computer.command()
def export(name: Name, file: Path) -> None:
    """Write a computer, its files and what it is made of, to a file."""
    _do("exported", name, file)


@computer.command("import")
def import_(file: Path, name: Name) -> None:
    """Make a computer of an exported file."""
    _do("imported", file, name)


@computer.command()
def network(
    name: Name,
    rules: Annotated[
        str, typer.Argument(help="off, open, or a TOML file: mode, allow, routes ...")
    ] = "",
) -> None:
    """Show what a computer may reach, or change it at once."""
    print(_do("networked", name, rules), end="")


@computer.command()
def remove(
    names: Annotated[list[str], typer.Argument(help="computers")] = [],  # noqa: B006 (typer's way)
    snapshots: Annotated[list[str], typer.Option("--snapshot", help="or snapshots")] = [],  # noqa: B006
) -> None:
    """Delete computers with their files, or snapshots."""
    _do("removed", names, snapshots)


@image.command()
def build(
    folder: Annotated[Path, typer.Argument(help="one that does not exist yet")],
) -> None:
    """Build a Debian of its own for computers (a gigabyte, some minutes; needs root and
    mmdebstrap): `image = FOLDER` in a spec."""
    _do("image_built", folder.absolute())
    print(f"built; make computers of it by `image = {str(folder.absolute())!r}`", file=sys.stderr)
