"""Replay: a recorded session done again, its model's answers taken from the log."""

from collections.abc import Sequence

import msgspec

from doer.errors import ConfigError
from doer.models.scripted import ScriptedModel
from doer.records.event import Decided, Event, Observed, Started
from doer.records.task import Task


class Difference(msgspec.Struct, frozen=True):
    """One outcome that is not what it was, by its place among the outcomes (from 1)."""

    place: int
    was: str
    now: str


def task_of(events: Sequence[Event]) -> Task:
    """The task a session was about. Raises `ConfigError` when it was about none."""
    started = next((e.data for e in events if isinstance(e.data, Started)), None)
    if started is None or started.task is None:
        raise ConfigError("this session has no task that could be done again")
    return started.task


def recorded(events: Sequence[Event]) -> ScriptedModel:
    """A model that answers as the recorded one did, call by call."""
    said = [event.data.completion for event in events if isinstance(event.data, Decided)]
    return ScriptedModel("recorded", said)


def differences(before: Sequence[Event], after: Sequence[Event]) -> list[Difference]:
    """Where the outcomes of two runs of the same actions differ. What changes from run to run by
    itself is left out: times, ports in addresses, and places on the screen."""
    was, now = _outcomes(before), _outcomes(after)
    longest = max(len(was), len(now))
    padded = [(seen + [""] * longest)[:longest] for seen in (was, now)]
    pairs = enumerate(zip(*padded, strict=True), start=1)
    return [Difference(place, old, new) for place, (old, new) in pairs if old != new]


def _outcomes(events: Sequence[Event]) -> list[str]:
    found: list[str] = []
    for event in events:
        if isinstance(event.data, Observed):
            seen = event.data.observation
            things = [(e.ref, e.role, e.name, e.value, e.states) for e in seen.elements]
            found.append(msgspec.json.encode(things).decode() if things else seen.text)
    return found
