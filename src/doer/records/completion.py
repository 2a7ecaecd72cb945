"""What a model is asked and what it answers: Message, Request, Completion, Segment."""

from typing import Any, Literal

import msgspec

from doer.records.action import Action, Element

Role = Literal["system", "user", "assistant", "tool"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the conversation. Assistant entries carry `actions` and, when the model has
    them, the tokens they were; tool entries carry the text of the observation, the `elements` it
    was rendered from, and the `call` they answer."""

    role: Role
    text: str = ""
    actions: tuple[Action, ...] = ()
    elements: tuple[Element, ...] = ()
    call: str = ""
    segment: "Segment | None" = None


class ToolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as a model sees it: name, one sentence, JSON schema of its arguments."""

    name: str
    description: str
    parameters: dict[str, Any]


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How to sample. Temperature 0 is greedy. With a `seed` a local model's answer depends on the
    request alone, never on what else is in its batch."""

    temperature: float = 1.0
    max_tokens: int = 1024
    seed: int | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """All a model gets. `messages` begin with the system text (if any) and the task; the last
    message with elements is the page as it is now."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    sampling: Sampling = Sampling()


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens read and written by one model call."""

    input_tokens: int = 0
    output_tokens: int = 0


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens exactly as the model saw and sampled them (T tokens).

    `mask` is 1 where the policy chose the token, 0 where it was given; `logprobs` are natural
    logarithms under the sampling distribution, 0.0 where mask is 0.
    """

    token_ids: tuple[int, ...]
    mask: tuple[int, ...]
    logprobs: tuple[float, ...]
    policy_version: int = 0


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """A model's answer: words, actions, and the tokens behind them when the model has them.
    No actions means the turn is over and `text` is the answer."""

    text: str = ""
    actions: tuple[Action, ...] = ()
    usage: Usage = Usage()
    segment: Segment | None = None
    model: str = ""
