"""Finished work read back from disk: a run's folder, a log, or a file of trajectories or events."""

import asyncio
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec
from msgspec import structs

from doer.errors import ConfigError
from doer.records.event import Decided, Ended, Event, Graded, Started, TurnEnded, TurnStarted
from doer.records.event import from_json as event_from_json
from doer.records.task import MODEL_ENDS, End, Grade
from doer.records.trajectory import Trajectory
from doer.store.sqlite import SqliteLog

SQLITE = b"SQLite format 3\0"


def recorded(source: Path, *, tokens: bool) -> list[Trajectory]:
    """The rollouts in `source`, in order. Of a run's folder, which keeps none with both, those with
    tokens or those with events. Raises `ConfigError` for what cannot be read."""
    if source.is_dir():
        pattern = "rollouts/*.jsonl" if tokens else "demonstrations.jsonl"
        files = sorted(source.glob(pattern))
        if not files:
            raise ConfigError(f"{source} is no folder of a run: it has no {pattern}")
        return [rollout for file in files for rollout in _lines(file)]
    if not source.is_file():
        raise ConfigError(f"there is no run or file {source}")
    with source.open("rb") as file:
        first = file.read(len(SQLITE))
    return asyncio.run(_sessions(source)) if first == SQLITE else _lines(source)


def rollout(events: Sequence[Event]) -> Trajectory | None:
    """The rollout that one session's events, in order, were; None when it was about no task, or
    something of it was deleted. Its grade is put together as a rollout's is: the mean of all,
    passed when all passed."""
    started = next((e.data for e in events if isinstance(e.data, Started)), None)
    if started is None or started.task is None or events[-1].seq != len(events):
        return None
    asked = next((e.data.instruction for e in events if isinstance(e.data, TurnStarted)), "")
    ends: list[End] = [e.data.end for e in events if isinstance(e.data, Ended | TurnEnded)]
    end = ends[-1] if ends else "cancelled"
    grades = [e.data.grade for e in events if isinstance(e.data, Graded)]
    decided = [e.data.completion for e in events if isinstance(e.data, Decided)]
    grade = Grade(
        score=fmean(grade.score for grade in grades) if grades else 0.0,
        passed=all(grade.passed for grade in grades),
        why="; ".join(grade.why for grade in grades if grade.why),
    )
    return Trajectory(
        task=structs.replace(started.task, instruction=asked),
        end=end,
        grade=grade if grades and end in MODEL_ENDS else None,
        segments=tuple(said.segment for said in decided if said.segment is not None),
        steps=len(decided),
        seconds=events[-1].at - events[0].at,
        events=tuple(events),
    )


async def _sessions(path: Path) -> list[Trajectory]:
    log = SqliteLog(path)
    try:
        found = [rollout(await log.read(session)) for session in await log.sessions()]
    finally:
        await log.close()
    return [one for one in found if one is not None]


class _Kind(msgspec.Struct):
    """What tells a line that is an event from one that is a trajectory."""

    session: str | None = None
    data: dict[str, Any] = {}


def _lines(path: Path) -> list[Trajectory]:
    found: list[Trajectory | None] = []
    events: list[Event] = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            if msgspec.json.decode(line, type=_Kind).session is not None:
                events.append(event_from_json(line))
            else:
                found.append(msgspec.json.decode(line, type=Trajectory))
        except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
            raise ConfigError(
                f"{path}, line {number}: neither a trajectory nor an event ({wrong})"
            ) from wrong
    events.sort(key=lambda event: event.session)  # stable: each session's stay in order
    sessions = groupby(events, key=lambda event: event.session)
    found += [rollout(tuple(session)) for _, session in sessions]
    return [one for one in found if one is not None]
