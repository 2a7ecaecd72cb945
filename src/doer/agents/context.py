"""What the model sees: the log, turned into one request.

The same function serves people, evals and training, and all it needs is in the log, so a recorded
session gives back exactly the requests its model was asked.
"""

from collections.abc import Sequence

from doer.records.action import Observation
from doer.records.completion import Message, Request, Sampling, ToolSpec
from doer.records.event import Decided, Event, Intended, Observed, Said, Started, TurnStarted

KEPT_VIEWS = 3  # pages shown in full; older ones are named only
KEPT_LOGS = 20  # so many of what commands printed, which no later view shows again
LEFT_OUT = "(an earlier view, left out)"


def request(events: Sequence[Event], sampling: Sampling | None = None) -> Request:
    """The request for the next decision after `events` (one session's, in order)."""
    calls: dict[int, str] = {}  # seq of an intent -> the model's id of the call
    tools: tuple[ToolSpec, ...] = ()
    messages: list[Message] = []
    shown = _shown(events)
    for event in events:
        match event.data:
            case Started(instructions=text, tools=tools):
                messages += [Message(role="system", text=text)] if text else []
            case TurnStarted(instruction=text, observation=first):
                messages.append(Message(role="user", text=text))
                if first is not None:
                    messages.append(_seen(first, "", event.seq in shown))
            case Said(text=text):
                messages.append(Message(role="user", text=text))
            case Decided(completion=said):
                messages.append(
                    Message(
                        role="assistant",
                        text=said.text,
                        actions=said.actions,
                        segment=said.segment,
                    )
                )
            case Intended(action=action):
                calls[event.seq] = action.id
            case Observed(observation=seen):
                call = calls.get(event.cause or 0, "")
                messages.append(_seen(seen, call, event.seq in shown))
            case _:
                pass
    return Request(messages=tuple(messages), tools=tools, sampling=sampling or Sampling())


def _shown(events: Sequence[Event]) -> frozenset[int]:
    """The events whose view or log is shown in full; an error is neither."""
    views: list[int] = []
    logs: list[int] = []
    for event in events:
        seen = event.data.observation if isinstance(event.data, TurnStarted | Observed) else None
        if seen is not None and not seen.error:
            is_log = bool(seen.elements) and all(one.role == "log" for one in seen.elements)
            (logs if is_log else views).append(event.seq)
    return frozenset((*views[-KEPT_VIEWS:], *logs[-KEPT_LOGS:]))


def _seen(observation: Observation, call: str, whole: bool) -> Message:
    if whole or observation.error:
        text, elements = observation.text, observation.elements
    else:
        text, elements = LEFT_OUT, ()
    return Message(role="tool", text=text, elements=elements, call=call)
