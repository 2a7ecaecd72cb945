"""Recorded work as JSONL for other trainers, in the formats TRL reads
(huggingface.co/docs/trl/dataset_formats).

Only graded rollouts count, and only what the model was shown and what it answered is told: every
message is taken from the very request that the session asked.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from doer.agents.context import request
from doer.disk import write_whole
from doer.errors import ConfigError
from doer.models.chat import in_order, tool_param
from doer.records.action import MALFORMED
from doer.records.completion import Message, Request, Segment
from doer.records.event import Decided
from doer.records.trajectory import Trajectory
from doer.training.recorded import recorded

Line = dict[str, Any]


def command(source: Path, form: str, out: Path) -> tuple[int, int]:
    """What `doer export` does: lines written, rollouts read.

    Raises `ConfigError` when there is nothing to read, or nothing in it that the format can tell.
    """
    if form not in FORMATS:
        raise ConfigError(f"no format {form!r}; there are: {', '.join(sorted(FORMATS))}")
    rollouts = recorded(source, tokens=form == "tokens")
    lines = [msgspec.json.encode(line) + b"\n" for line in FORMATS[form](rollouts)]
    if not lines:
        raise ConfigError(f"none of the {len(rollouts)} rollouts in {source} {NEEDS[form]}")
    write_whole(out, b"".join(lines))
    return len(lines), len(rollouts)


def sft(rollouts: Iterable[Trajectory]) -> Iterator[Line]:
    """`messages` and `tools` of each rollout that passed, for `assistant_only_loss`.

    Every view stands there in full. The model itself saw older ones left out, so for rollouts of
    more than three views `steps` is what it was really asked.
    """
    for rollout in rollouts:
        if rollout.passed and _readable(rollout):
            asked = _requests(rollout)
            messages = [*_whole(asked), _answer(rollout, -1)]
            yield {"messages": _told(messages), "tools": _tools(asked[-1])}


def steps(rollouts: Iterable[Trajectory]) -> Iterator[Line]:
    """`prompt`, `completion` and `tools` of each decision in a rollout that passed: exactly what
    was asked, and the one message that answered it."""
    for rollout in rollouts:
        if rollout.passed and _readable(rollout):
            for number, asked in enumerate(_requests(rollout)):
                *prompt, completion = _told([*asked.messages, _answer(rollout, number)])
                yield {"prompt": prompt, "completion": [completion], "tools": _tools(asked)}


def dpo(rollouts: Iterable[Trajectory]) -> Iterator[Line]:
    """`prompt`, `chosen`, `rejected` and `tools` of pairs of one task, one passed and one failed.

    The prompt is what both were asked where they part, so each side is one message and holds no
    word that is not the model's own. Every rollout is used once at most.
    """
    readable = sorted(filter(_readable, rollouts), key=lambda rollout: rollout.task.id)
    for _, group in groupby(readable, key=lambda rollout: rollout.task.id):
        scored = [rollout for rollout in group if rollout.scored]
        failed = [rollout for rollout in scored if not rollout.passed]
        for good in (rollout for rollout in scored if rollout.passed):
            pairs = ((bad, line) for bad in failed if (line := _parting(good, bad)))
            found = next(pairs, None)
            if found is not None:
                failed.remove(found[0])
                yield found[1]


def tokens(rollouts: Iterable[Trajectory]) -> Iterator[Line]:
    """`prompt_ids`, `completion_ids`, `logprobs`, `env_mask` (1 where the policy chose) as TRL's
    `rollout_func` returns them, with the `reward` (the score, 0..1) and the `task`.

    A segment that goes on where the one before stopped is joined to it; each that starts afresh is
    a line of its own under the same reward.
    """
    for rollout in rollouts:
        if not rollout.scored or rollout.grade is None:
            continue
        for segment in joined(rollout.segments):
            if 1 not in segment.mask:
                continue
            start = segment.mask.index(1)
            yield {
                "prompt_ids": segment.token_ids[:start],
                "completion_ids": segment.token_ids[start:],
                "logprobs": segment.logprobs[start:],
                "env_mask": segment.mask[start:],
                "reward": rollout.grade.score,
                "task": rollout.task.id,
            }


def joined(segments: Iterable[Segment]) -> list[Segment]:
    """Segments with those that extend the one before in its place. What was chosen stays chosen,
    with the log-probability it was chosen with."""
    found: list[Segment] = []
    for segment in segments:
        before = found[-1] if found else None
        length = len(before.token_ids) if before else 0
        if before and segment.token_ids[:length] == before.token_ids:
            found[-1] = msgspec.structs.replace(
                segment,
                mask=before.mask + segment.mask[length:],
                logprobs=before.logprobs + segment.logprobs[length:],
            )
        else:
            found.append(segment)
    return found


FORMATS: dict[str, Callable[[Sequence[Trajectory]], Iterator[Line]]] = {
    "sft": sft,
    "steps": steps,
    "dpo": dpo,
    "tokens": tokens,
}
NEEDS = {
    "sft": "passed and has its events",
    "steps": "passed and has its events",
    "dpo": "has its events and, of the same task, another that came out differently",
    "tokens": "was graded and has tokens",
}


def _decisions(rollout: Trajectory) -> list[tuple[int, Decided]]:
    """Places among the events, and what was decided there; silence is no decision to learn from."""
    return [
        (place, event.data)
        for place, event in enumerate(rollout.events)
        if isinstance(event.data, Decided)
        and (event.data.completion.text or event.data.completion.actions)
    ]


def _readable(rollout: Trajectory) -> bool:
    """Whether there are decisions, and each could be read: a call that was no JSON has no place
    among arguments that are."""
    decided = _decisions(rollout)
    calls = (action for _, said in decided for action in said.completion.actions)
    return bool(decided) and not any(MALFORMED in call.arguments for call in calls)


def _requests(rollout: Trajectory) -> list[Request]:
    """What the model was asked before each decision."""
    return [request(rollout.events[:place]) for place, _ in _decisions(rollout)]


def _answer(rollout: Trajectory, number: int) -> Message:
    said = _decisions(rollout)[number][1].completion
    return Message(role="assistant", text=said.text, actions=said.actions)


def _whole(asked: Sequence[Request]) -> list[Message]:
    """The last request's conversation, each message as it was when it was new."""
    messages: list[Message] = []
    for each in asked:
        messages += each.messages[len(messages) :]
    return messages


def _parting(good: Trajectory, bad: Trajectory) -> Line | None:
    """The pair where two rollouts first decide differently, if they were asked the same there."""
    for number, asked in enumerate(zip(_requests(good), _requests(bad), strict=False)):
        if [_seen(m) for m in asked[0].messages] != [_seen(m) for m in asked[1].messages]:
            return None
        answers = _answer(good, number), _answer(bad, number)
        if _seen(answers[0]) != _seen(answers[1]):
            *prompt, chosen = _told([*asked[0].messages, answers[0]])
            rejected = _told([*asked[0].messages, answers[1]])[-1]
            return {
                "prompt": prompt,
                "chosen": [chosen],
                "rejected": [rejected],
                "tools": _tools(asked[0]),
            }
    return None


def _seen(message: Message) -> object:
    """What a message says, without what changes by itself from run to run: ids of calls, ports in
    addresses, and places on the screen."""
    things = [(e.ref, e.role, e.name, e.value, e.states) for e in message.elements]
    actions = [(action.tool, action.arguments) for action in message.actions]
    return message.role, things or message.text, actions


def _told(messages: Iterable[Message]) -> list[Line]:
    """The conversation as chat templates want it. Arguments are an object, as TRL asks for, and
    ids are counted out anew, so that the same work gives the same lines."""
    lines: list[Line] = []
    tools: dict[str, str] = {}  # id of a call -> its tool
    for message in in_order(map(_without_ids, messages)):
        line: Line = {"role": message.role, "content": message.text}
        if message.actions:
            tools |= {action.id: action.tool for action in message.actions}
            line["tool_calls"] = [
                {
                    "type": "function",
                    "id": action.id,
                    "function": {"name": action.tool, "arguments": action.arguments},
                }
                for action in message.actions
            ]
        if message.role == "tool":
            line |= {"tool_call_id": message.call, "name": tools.get(message.call, "")}
        lines.append(line)
    return lines


def _without_ids(message: Message) -> Message:
    actions = tuple(msgspec.structs.replace(action, id="") for action in message.actions)
    return msgspec.structs.replace(message, actions=actions, call="")


def _tools(asked: Request) -> list[Any]:
    return [tool_param(tool) for tool in asked.tools]
