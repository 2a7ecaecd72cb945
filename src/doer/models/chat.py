"""The wire format of Chat Completions: our conversation to messages, a reply to a Completion.

Servers differ in what they insist on and in what they leave out; both are evened out here, so that
a sloppy reply becomes an action the agent is told about, not a fault.
"""

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from openai.types.chat import (
    ChatCompletionFunctionToolParam,
    ChatCompletionMessageFunctionToolCallParam,
    ChatCompletionMessageParam,
)

from doer.errors import ModelError
from doer.records.action import MALFORMED, Action
from doer.records.completion import Completion, Message, ToolSpec, Usage


def in_order(messages: Iterable[Message]) -> list[Message]:
    """The same conversation in the order that servers and chat templates insist on.

    Every call has an id and is answered at once; a tool message that answers no call (the first
    page) becomes the user's; neighbouring user messages become one.
    """
    ordered: list[Message] = []
    waiting: list[tuple[str, str]] = []  # unanswered calls: (id in the log, id on the wire)
    for message in messages:
        pair = next((pair for pair in waiting if pair[0] == message.call), None)
        if message.role == "tool" and pair:
            waiting.remove(pair)
            ordered.append(Message(role="tool", text=message.text, call=pair[1]))
            continue
        ordered += [Message(role="tool", text="not carried out", call=wire) for _, wire in waiting]
        waiting = []
        if message.role == "assistant":
            named = with_ids(message.actions, at=len(ordered))
            waiting = [(a.id, n.id) for a, n in zip(message.actions, named, strict=True)]
            ordered.append(msgspec.structs.replace(message, actions=named))
        elif message.role == "system":
            ordered.append(message)
        elif ordered and ordered[-1].role == "user":
            ordered[-1] = Message(role="user", text=f"{ordered[-1].text}\n\n{message.text}")
        else:
            ordered.append(Message(role="user", text=message.text))
    return ordered


def with_ids(actions: tuple[Action, ...], at: int) -> tuple[Action, ...]:
    """The actions, those without an id named by their place in the conversation."""
    # Nine letters and digits: the only form that Mistral's chat templates take.
    return tuple(
        msgspec.structs.replace(action, id=action.id or f"call{at:03}{n:02}")
        for n, action in enumerate(actions)
    )


def message_param(message: Message) -> ChatCompletionMessageParam:
    match message.role:
        case "system":
            return {"role": "system", "content": message.text}
        case "user":
            return {"role": "user", "content": message.text}
        case "tool":
            return {"role": "tool", "content": message.text, "tool_call_id": message.call}
        case "assistant" if message.actions:
            calls = [call_param(action) for action in message.actions]
            return {"role": "assistant", "content": message.text, "tool_calls": calls}
        case "assistant":
            return {"role": "assistant", "content": message.text}


def call_param(action: Action) -> ChatCompletionMessageFunctionToolCallParam:
    arguments = msgspec.json.encode(action.arguments).decode()
    return {
        "type": "function",
        "id": action.id,
        "function": {"name": action.tool, "arguments": arguments},
    }


def tool_param(tool: ToolSpec) -> ChatCompletionFunctionToolParam:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        },
    }


class _Function(msgspec.Struct):
    name: str
    arguments: str | dict[str, Any] | None = None


class _Call(msgspec.Struct):
    function: _Function
    id: str | None = None


class _Said(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    message: _Said
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Reply(msgspec.Struct):
    """What is read of a reply, and no more: the client's own types do not check what servers send,
    and what they leave out fails only where it is used."""

    choices: Annotated[list[_Choice], msgspec.Meta(min_length=1)]
    usage: _Usage | None = None
    model: str | None = None


def read_reply(reply: bytes) -> Completion:
    """The first choice of a Chat Completions reply.

    Arguments that are not a JSON object come back as `{MALFORMED: text}`, so that the action is
    answered with what is wrong and the conversation stays sendable. Raises `ModelError` when the
    reply cannot be read, or when the model was cut off before it said anything.
    """
    try:
        read = msgspec.json.decode(reply, type=_Reply)
    except msgspec.DecodeError as error:
        shown = reply[:200].decode(errors="replace")
        raise ModelError(
            f"no Chat Completions reply, is the base URL right? ({error}) {shown}"
        ) from error
    choice, usage = read.choices[0], read.usage or _Usage()
    text = choice.message.content or choice.message.refusal or ""
    actions = tuple(
        Action(tool=c.function.name, arguments=arguments(c.function.arguments), id=c.id or "")
        for c in choice.message.tool_calls or ()
    )
    if not (text or actions) and choice.finish_reason in ("length", "content_filter"):
        raise ModelError(f"cut off before it said anything ({choice.finish_reason})")
    spent = Usage(input_tokens=usage.prompt_tokens, output_tokens=usage.completion_tokens)
    return Completion(text=text, actions=actions, usage=spent, model=read.model or "")


def arguments(raw: str | dict[str, Any] | None) -> dict[str, Any]:
    if isinstance(raw, dict):
        return raw
    try:
        return msgspec.json.decode(raw or "{}", type=dict[str, Any])
    except msgspec.DecodeError:
        return {MALFORMED: raw}
