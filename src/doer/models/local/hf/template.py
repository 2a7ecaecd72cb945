"""A model's chat template: requests to token ids, token ids to answers.

Tokens in, tokens out: what the model itself has written is never written anew from words, so that a
conversation goes on from exactly the tokens that were sampled, whatever their spacing.
"""

# transformers leaves much out of its annotations.
# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec
from transformers import PreTrainedTokenizerBase

from doer.errors import ConfigError, ModelError
from doer.models.chat import in_order, tool_param
from doer.models.local.hf.calls import Answer, reader
from doer.records.action import Action
from doer.records.completion import Message, Request, Segment, ToolSpec

Tokens = tuple[int, ...]
_REMEMBERED = 4096  # conversations whose tokens are known without rendering them again
_QUESTION = {"role": "user", "content": "?"}
_TOOL = ToolSpec(name="probe", description="", parameters={})
_PROBE = Message(role="assistant", actions=(Action(tool="probe", arguments={"key": 1}, id="c1"),))


class ChatTemplate:
    """Renders with the tokenizer's own template. `ends` are the tokens that end an answer."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, ends: frozenset[int]) -> None:
        """Raises `ConfigError` when the template does not write calls of tools, or in a manner that
        is not known."""
        self._tokenizer = tokenizer
        self.ends = ends
        self._known: dict[Tokens, bytes] = {}  # tokens of an answered prompt -> its messages
        probe = self._render([_QUESTION, _written(_PROBE)], (), asked=False)
        if "probe" not in probe:
            raise ConfigError("the model's chat template does not write calls of tools")
        self._read = reader(probe)
        asked = self._render([_QUESTION], (), asked=True)
        if probe.startswith(asked):
            found = self.read(self._tokens(probe[len(asked) :]), (_TOOL,))
            if [action.tool for action in found[1]] != ["probe"]:
                shown = probe[len(asked) :].strip()
                raise ConfigError(f"the model writes calls in a manner that is not known: {shown}")

    def prompt(self, request: Request) -> Tokens:
        """The request as tokens, up to where the model goes on."""
        return self._prompt(in_order(request.messages), request.tools)

    def answer(self, request: Request, text: str, actions: tuple[Action, ...]) -> Tokens:
        """The tokens the model should have written, its end included. Raises ValueError when the
        template does not write an answer where it lets the model go on."""
        messages = in_order(request.messages)
        said = in_order([*messages, Message(role="assistant", text=text, actions=actions)])[-1]
        wire = [_written(message) for message in messages]
        asked = self._render(wire, request.tools, asked=True)
        whole = self._render([*wire, _written(said)], request.tools, asked=False)
        if not whole.startswith(asked):
            raise ValueError("the chat template puts no answer where it lets the model go on")
        tokens = self._tokens(whole[len(asked) :])
        end = next((at for at, token in enumerate(tokens) if token in self.ends), None)
        if end is None:
            raise ValueError("the chat template writes no end of an answer")
        return tokens[: end + 1]

    def read(self, tokens: Sequence[int], tools: Sequence[ToolSpec]) -> Answer:
        """Words and actions of what the model wrote, up to the first end."""
        written = list(tokens)
        end = next((at for at, token in enumerate(written) if token in self.ends), len(written))
        return self._read(self._text(written[:end]), tools)

    def remember(self, request: Request, segment: Segment) -> None:
        """That this request was asked with the segment's prompt."""
        wire = [_written(message) for message in in_order(request.messages)]
        while len(self._known) >= _REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[segment.token_ids] = _digest(wire)

    def _prompt(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Tokens:
        wire = [_written(message) for message in messages]
        for at in reversed(range(len(messages))):
            segment = messages[at].segment
            if segment is None:
                continue
            if self._asked(messages[:at], wire[:at], tools, segment):
                more = self._going_on(wire[at:], segment.token_ids[-1])
                if more is not None:
                    return segment.token_ids + more
            break  # an earlier answer cannot fit when the latest does not
        return self._tokens(self._render(wire, tools, asked=True))

    def _asked(
        self,
        messages: Sequence[Message],
        wire: Sequence[dict[str, Any]],
        tools: Sequence[ToolSpec],
        segment: Segment,
    ) -> bool:
        """Whether these messages are what the segment's prompt says."""
        known = self._known.get(segment.token_ids)
        if known is not None:
            return known == _digest(wire)
        given = segment.mask.index(1)
        return self._prompt(messages, tools) == segment.token_ids[:given]

    def _going_on(self, wire: Sequence[dict[str, Any]], last: int) -> Tokens | None:
        """What the template puts after an answer: its end is found by counting the end tokens in a
        conversation of one question and that answer. None when it cannot be told."""
        if last not in self.ends:
            return None  # cut off: nothing says what would follow
        end = self._text([last])
        count = self._render([_QUESTION, wire[0]], (), asked=False).count(end)
        parts = self._render([_QUESTION, *wire], (), asked=True).split(end)
        if not 0 < count < len(parts):
            return None
        return self._tokens(end.join(parts[count:]))

    def _render(
        self, wire: Sequence[dict[str, Any]], tools: Sequence[ToolSpec], asked: bool
    ) -> str:
        offered: Any = [tool_param(tool) for tool in tools] or None
        try:
            text = self._tokenizer.apply_chat_template(
                list(wire), tools=offered, add_generation_prompt=asked, tokenize=False
            )
        except Exception as wrong:  # noqa: BLE001 - a template is a program of the model's makers
            raise ModelError(f"the model's chat template failed: {wrong}") from wrong
        assert isinstance(text, str)
        return text

    def _tokens(self, text: str) -> Tokens:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False))

    def _text(self, tokens: Sequence[int]) -> str:
        text = self._tokenizer.decode(
            list(tokens), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        assert isinstance(text, str)
        return text


def _written(message: Message) -> dict[str, Any]:
    """A message as templates expect it: arguments as an object, not as text."""
    written: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.role == "tool":
        written["tool_call_id"] = message.call
    if message.actions:
        written["tool_calls"] = [
            {
                "type": "function",
                "id": action.id,
                "function": {"name": action.tool, "arguments": action.arguments},
            }
            for action in message.actions
        ]
    return written


def _digest(wire: Sequence[dict[str, Any]]) -> bytes:
    return blake2b(msgspec.json.encode(wire), digest_size=16).digest()
