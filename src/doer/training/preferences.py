"""Preferences from a file, one JSON object a line in the form of OpenAI's preference fine-tuning:

{"input": {"messages": [...], "tools": [...]},
 "preferred_output": [{"role": "assistant", ...}], "non_preferred_output": [...]}
"""

from pathlib import Path
from typing import Any, Literal

import msgspec

from doer.errors import ConfigError
from doer.models.chat import arguments
from doer.models.local.policy import Policy
from doer.records.action import Action
from doer.records.completion import Completion, Message, Request, ToolSpec
from doer.training.dpo import Pair


class _Function(msgspec.Struct):
    name: str
    arguments: str | dict[str, Any] = ""
    description: str = ""
    parameters: dict[str, Any] = {}


class _Named(msgspec.Struct):
    """A tool that is offered, or a call of one."""

    function: _Function
    id: str = ""


class _Said(msgspec.Struct):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | None = None
    tool_calls: list[_Named] = []
    tool_call_id: str = ""


class _Input(msgspec.Struct):
    messages: list[_Said]
    tools: list[_Named] = []


class _Line(msgspec.Struct):
    input: _Input
    preferred_output: list[_Said]
    non_preferred_output: list[_Said]


def read_pairs(name: str, policy: Policy) -> list[Pair]:
    """All pairs of a file, in the policy's tokens. Raises `ConfigError` naming the line."""
    path = Path(name).expanduser()
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(f"the pairs in {path} cannot be read: {error.strerror}") from error
    pairs: list[Pair] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            pairs.append(_pair(msgspec.json.decode(line, type=_Line), policy))
        except (msgspec.DecodeError, ValueError) as wrong:
            raise ConfigError(f"{path}, line {number}: {wrong}") from wrong
    if not pairs:
        raise ConfigError(f"{path} holds no pairs")
    return pairs


def _pair(line: _Line, policy: Policy) -> Pair:
    request = Request(
        messages=tuple(map(_message, line.input.messages)),
        tools=tuple(
            ToolSpec(
                name=tool.function.name,
                description=tool.function.description,
                parameters=tool.function.parameters,
            )
            for tool in line.input.tools
        ),
    )
    chosen, rejected = (
        policy.demonstration(request, _answer(said))
        for said in (line.preferred_output, line.non_preferred_output)
    )
    return Pair((chosen,), (rejected,))


def _answer(said: list[_Said]) -> Completion:
    if len(said) != 1 or said[0].role != "assistant":
        raise ValueError("an output is one message of the assistant")
    message = _message(said[0])
    return Completion(text=message.text, actions=message.actions)


def _message(said: _Said) -> Message:
    return Message(
        role="system" if said.role == "developer" else said.role,
        text=said.content or "",
        actions=tuple(
            Action(
                tool=call.function.name, arguments=arguments(call.function.arguments), id=call.id
            )
            for call in said.tool_calls
        ),
        call=said.tool_call_id,
    )
