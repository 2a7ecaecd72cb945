"""What every log must do, run over each implementation."""

import asyncio

import pytest

from doer.records.event import Ended, Event, Noted
from doer.store.memory import MemoryLog
from doer.store.sqlite import SqliteLog


@pytest.fixture(params=["memory", "sqlite"])
async def log(request, tmp_path):
    made = MemoryLog() if request.param == "memory" else SqliteLog(tmp_path / "log.db")
    yield made
    await made.close()


def note(text: str, session: str = "a") -> Event:
    return Event(session=session, data=Noted(text=text))


async def test_sequence_is_gap_free_per_session(log):
    stored = [await log.append(note(str(n), "ab"[n % 2])) for n in range(10)]
    assert [event.seq for event in stored if event.session == "a"] == [1, 2, 3, 4, 5]
    assert [event.seq for event in stored if event.session == "b"] == [1, 2, 3, 4, 5]


async def test_read_gives_back_what_was_appended(log):
    stored = [await log.append(note(str(n))) for n in range(5)]
    assert await log.read("a") == tuple(stored)
    assert await log.read("a", after=3) == tuple(stored[3:])
    assert await log.read("nobody") == ()


async def test_concurrent_appends_lose_nothing(log):
    await asyncio.gather(*(log.append(note(str(n))) for n in range(50)))
    events = await log.read("a")
    assert [event.seq for event in events] == list(range(1, 51))
    assert {event.data.text for event in events} == {str(n) for n in range(50)}


async def test_follow_sees_old_and_new_events_up_to_the_end(log):
    await log.append(note("before"))

    async def read_all(after: int) -> list[str]:
        return [event.kind async for event in log.follow("a", after)]

    async with asyncio.TaskGroup() as group:
        first = group.create_task(read_all(0))
        second = group.create_task(read_all(1))
        await log.append(note("after"))
        await log.append(Event(session="b", data=Ended(end="done")))
        await log.append(Event(session="a", data=Ended(end="done")))
    assert first.result() == ["note", "note", "session.ended"]
    assert second.result() == ["note", "session.ended"]


async def test_sessions_are_listed_oldest_first(log):
    for name in ("z", "a", "m"):
        await log.append(note("x", name))
    assert await log.sessions() == ("z", "a", "m")
