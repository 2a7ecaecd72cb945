"""The Tool contract: a verb on the computer, with typed arguments and one observation back."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import msgspec

from doer.computers.computer import Computer
from doer.records.action import Observation
from doer.records.completion import ToolSpec
from doer.records.computer import Part


@dataclass(frozen=True)
class ToolContext:
    """All a tool may touch. It comes from dispatch; a tool reaches nothing above itself.
    `step_s`: the time an action has; what takes longer is the computer's fault."""

    computer: Computer
    step_s: float = 60.0
    note: Callable[[str], None] = lambda _: None


class Tool(Protocol):
    """`Arguments` is a frozen msgspec Struct whose docstring is the tool's description and whose
    fields are described with `msgspec.Meta`. `part` is what it needs of the computer."""

    name: str
    part: Part
    Arguments: type[msgspec.Struct]

    async def facts(self, context: ToolContext, arguments: Any) -> dict[str, Any]:
        """What the action is about to touch, from the live computer: role, name, origin, values.
        The guard rules on these. Empty when the arguments already say it all."""
        ...

    async def run(self, context: ToolContext, arguments: Any) -> Observation:
        """Carry it out. Raises `ToolError` when it cannot be done as asked (the model is told),
        `ComputerError` when the computer failed (the model is not to blame)."""
        ...


@cache
def spec(tool: Tool) -> ToolSpec:
    """The tool as a model sees it. Cached: rollouts ask for the same few thousands of times."""
    schema = msgspec.json.schema(tool.Arguments)
    name = schema["$ref"].rsplit("/", 1)[-1]
    own = schema["$defs"].pop(name)
    parameters = {
        "type": "object",
        "properties": own["properties"],
        "required": own.get("required", []),
        "additionalProperties": False,
    }
    return ToolSpec(name=tool.name, description=own.get("description", ""), parameters=parameters)
