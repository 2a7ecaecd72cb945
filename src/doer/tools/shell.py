"""The shell's verb: run a command and read what it printed."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from doer.records.action import Element, Observation
from doer.records.computer import Part
from doer.tools.tool import ToolContext

ENDING_S = 15.0  # of an action's time: for the end of a command whose own time is over
MAX_NAME = 200


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Run a bash command and wait for its end. Each runs on its own: variables and the current
    folder do not last, files do. It has no terminal and nobody answers its questions."""

    command: str
    timeout_s: Annotated[
        float, Meta(gt=0, le=86_400, description="seconds after which it is ended")
    ] = 60.0


class RunTool:
    """What a command printed is one element of the observation, of role `log`, whose name is the
    command (its first `MAX_NAME` characters)."""

    name = "run"
    part: Part = "shell"
    Arguments: type[msgspec.Struct] = Run

    async def facts(self, context: ToolContext, arguments: Run) -> dict[str, Any]:
        return {"command": arguments.command}

    async def run(self, context: ToolContext, arguments: Run) -> Observation:
        """A command that may take longer than the action is ended in time to be told of."""
        most = max(context.step_s - ENDING_S, context.step_s / 2)
        timeout_s = min(arguments.timeout_s, most)
        result = await context.computer.shell.run(arguments.command, timeout_s=timeout_s)
        text = result.text()
        return Observation(
            text=text, elements=(Element(1, "log", arguments.command[:MAX_NAME], text),)
        )


RUN = RunTool()
