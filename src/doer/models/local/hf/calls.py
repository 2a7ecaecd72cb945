"""Reading what a chat model wrote: words and calls of tools, in the four forms that open weights
are trained to write. What is not well formed becomes an action that the model is told about."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from doer.records.action import MALFORMED, Action
from doer.records.completion import ToolSpec

Answer = tuple[str, tuple[Action, ...]]
"""Words to the user, and the actions asked for."""

Reader = Callable[[str, Sequence[ToolSpec]], Answer]

_THOUGHT = re.compile(r"<think>.*?</think>|^.*?</think>", re.DOTALL)
_TAGGED = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_FUNCTION = re.compile(r"\s*<function=([^>\n]+)>(.*?)(?:</function>|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([^>\n]+)>\n?(.*?)\n?(?:</parameter>|\Z)", re.DOTALL)
_CHANNEL = re.compile(
    r"(?:<\|start\|>)?(?P<to>[^<]*)<\|channel\|>(?P<channel>[^<]*)(?:<\|constrain\|>[^<]*)?"
    r"<\|message\|>(?P<text>.*?)(?:<\|end\|>|<\|call\|>|<\|return\|>|\Z)",
    re.DOTALL,
)
_RECIPIENT = re.compile(r"to=(?:functions\.)?([\w.-]+)")
_NAME = re.compile(r'"name"\s*:\s*"([^"]*)"')


def reader(rendered: str) -> Reader:
    """The reader for a model, from the way its chat template writes a call."""
    if "<|channel|>" in rendered:
        return channels
    if "<function=" in rendered:
        return tagged_parameters
    if "<tool_call>" in rendered:
        return tagged_json
    return bare_json


def tagged_json(text: str, tools: Sequence[ToolSpec]) -> Answer:
    """`<tool_call>{"name": ..., "arguments": {...}}</tool_call>`, any number of times (Hermes,
    Qwen 2.5 and 3)."""
    del tools
    text = _THOUGHT.sub("", text)
    return _words(_TAGGED, text), tuple(_call(found[1]) for found in _TAGGED.finditer(text))


def tagged_parameters(text: str, tools: Sequence[ToolSpec]) -> Answer:
    """`<tool_call><function=NAME><parameter=KEY>value</parameter></function></tool_call>` (Qwen 3
    Coder and later). Values are JSON unless the tool's schema says string."""
    text = _THOUGHT.sub("", text)
    schemas = {tool.name: tool.parameters.get("properties", {}) for tool in tools}
    actions: list[Action] = []
    for found in _FUNCTION.finditer(text):
        name = found[1].strip()
        values = {key.strip(): value for key, value in _PARAMETER.findall(found[2])}
        types = schemas.get(name, {})
        actions.append(Action(tool=name, arguments=_typed(values, types)))
    return _words(_TAGGED, _words(_FUNCTION, text)), tuple(actions)


def bare_json(text: str, tools: Sequence[ToolSpec]) -> Answer:
    """The whole answer is one object `{"name": ..., "parameters": {...}}` (Llama 3), or several
    divided by ";"."""
    bare = text.replace("<|python_tag|>", "").strip()
    names = {tool.name for tool in tools}
    if not bare.startswith("{") or _named(bare) not in names:
        return text.strip(), ()
    parts = re.split(r";\s*(?=\{)", bare)
    return "", tuple(_call(part) for part in parts)


def channels(text: str, tools: Sequence[ToolSpec]) -> Answer:
    """Harmony (gpt-oss): messages on channels; one with a recipient is a call, those on `final`
    are for the user, `analysis` is thought."""
    del tools
    words: list[str] = []
    actions: list[Action] = []
    for found in _CHANNEL.finditer(text):
        recipient = _RECIPIENT.search(found["to"]) or _RECIPIENT.search(found["channel"])
        if recipient:
            actions.append(Action(tool=recipient[1], arguments=_object(found["text"])))
        elif found["channel"].strip() != "analysis":
            words.append(found["text"].strip())
    return "\n".join(words), tuple(actions)


class _Call(msgspec.Struct):
    name: str
    arguments: Any = None
    parameters: Any = None


def _call(raw: str) -> Action:
    try:
        call = msgspec.json.decode(raw.strip(), type=_Call)
    except msgspec.DecodeError:
        return Action(tool=_named(raw), arguments={MALFORMED: raw.strip()})
    given = call.parameters if call.arguments is None else call.arguments
    if isinstance(given, str):  # some models write the arguments as a JSON string
        return Action(tool=call.name, arguments=_object(given))
    if given is None:
        return Action(tool=call.name)
    try:
        return Action(tool=call.name, arguments=msgspec.convert(given, dict[str, Any]))
    except msgspec.ValidationError:
        return Action(tool=call.name, arguments={MALFORMED: raw.strip()})


def _object(raw: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(raw.strip() or "{}", type=dict[str, Any])
    except msgspec.DecodeError:
        return {MALFORMED: raw}


def _named(raw: str) -> str:
    found = _NAME.search(raw)
    return found[1] if found else ""


def _typed(values: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for key, value in values.items():
        typed[key] = value
        if schema.get(key, {}).get("type") != "string":
            try:
                typed[key] = msgspec.json.decode(value)
            except msgspec.DecodeError:
                continue  # checked against the tool's own record in dispatch
    return typed


def _words(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub("", text).strip()
