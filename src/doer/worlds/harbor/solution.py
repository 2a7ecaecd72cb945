"""A Harbor task's reference solution as actions: the folder goes in through the shell, in pieces
that fit into a command, and is run. It is in the computer only when the oracle puts it there."""

import gzip
from base64 import b64encode
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from doer.records.action import Action, Element
from doer.tools.shell import MAX_NAME
from doer.worlds.harbor.sending import pack

PIECE = 90_000
"""Characters; Linux takes 131072 bytes as one argument."""
LONGEST_S = 86_400.0
PACKED = "/tmp/solution.tar.gz"
SOLVE = f"""
tar -xzf {PACKED} -C / && rm {PACKED} && chmod u+x /solution/solve.sh && exec /solution/solve.sh
""".strip()


class Solution:
    """An `Oracle`. What it does next shows in what it did last, so it keeps no memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, instruction: str, elements: tuple[Element, ...]) -> Action | None:
        last = elements[0].name if elements else ""
        places = [n for n, one in enumerate(self._commands, 1) if one[:MAX_NAME] == last]
        done = places[0] if places else 0
        if done == len(self._commands):
            return None
        arguments = {"command": self._commands[done], "timeout_s": LONGEST_S}
        return Action(tool="run", arguments=arguments)

    @cached_property
    def _commands(self) -> tuple[str, ...]:
        packed = gzip.compress(pack([(self._folder, "/solution")]), mtime=0)
        return (*_pieces(b64encode(packed).decode()), SOLVE)


def _pieces(text: str) -> Iterator[str]:
    total = -(-len(text) // PIECE)
    for number in range(total):
        into = ">>" if number else ">"
        piece = text[number * PIECE : (number + 1) * PIECE]
        yield f"# solution, part {number + 1} of {total}\nbase64 -d {into} {PACKED} <<< {piece}"
