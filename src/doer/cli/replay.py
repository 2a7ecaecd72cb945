"""doer replay [SESSION] [--again]"""

import asyncio
from typing import Annotated

import typer

from doer.cli.telling import Teller
from doer.config import load

LIST = "doer.worlds.command:sessions"
TELL = "doer.worlds.command:retold"
AGAIN = "doer.worlds.command:redone"


def replay(
    session: Annotated[str, typer.Argument(help="a session's name; all are listed without")] = "",
    again: Annotated[
        bool, typer.Option("--again", help="do its actions again and compare")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="one event a line on stdout")] = False,
) -> None:
    """Tell a recorded session from the log, or do the same again on a fresh computer."""
    if not session:
        for name in asyncio.run(load(LIST)()):
            print(name)
        return
    teller = Teller(as_json=json)
    if not again:
        asyncio.run(load(TELL)(session, teller))
        return
    found = asyncio.run(load(AGAIN)(session, teller))
    for one in found:
        print(f"outcome {one.place} was {one.was!r}, now {one.now!r}")
    print("the same came out" if not found else f"{len(found)} outcomes differ")
    raise typer.Exit(1 if found else 0)
