import asyncio
import sqlite3
import subprocess
import sys
import textwrap

import pytest

from doer.errors import StoreError
from doer.records.action import Action
from doer.records.event import Event, Intended, Noted
from doer.store.sqlite import SqliteLog


def note(text: str) -> Event:
    return Event(session="a", data=Noted(text=text))


async def test_a_reopened_log_goes_on_where_it_was(tmp_path):
    first = SqliteLog(tmp_path / "log.db")
    await first.append(note("one"))
    await first.close()
    second = SqliteLog(tmp_path / "log.db")
    assert (await second.append(note("two"))).seq == 2
    assert await second.verify("a") == 2
    await second.close()


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE events SET event = CAST(replace(event, 'two', 'TWO') AS BLOB) WHERE seq = 2",
        "DELETE FROM events WHERE seq = 2",
        "UPDATE events SET chain = zeroblob(32) WHERE seq = 3",
    ],
)
async def test_verify_finds_tampering(tmp_path, tamper):
    log = SqliteLog(tmp_path / "log.db")
    for text in ("one", "two", "three"):
        await log.append(note(text))
    assert await log.verify("a") == 3
    with sqlite3.connect(tmp_path / "log.db") as database:
        database.execute(tamper)
    database.close()
    with pytest.raises(StoreError, match="event [23] was changed or is missing"):
        await log.verify("a")
    await log.close()


async def test_a_forgotten_event_is_gone_and_the_chain_holds(tmp_path):
    log = SqliteLog(tmp_path / "log.db")
    for text in ("one", "secret", "three"):
        await log.append(note(text))
    await log.forget("a", 2)
    assert [event.data.text for event in await log.read("a")] == ["one", "three"]
    assert await log.verify("a") == 3
    await log.close()
    assert b"secret" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


async def test_a_second_reader_sees_what_another_connection_writes(tmp_path):
    writer, reader = SqliteLog(tmp_path / "log.db"), SqliteLog(tmp_path / "log.db")
    await reader.read("a")
    follow = reader.follow("a")
    waiting = asyncio.ensure_future(anext(follow))
    await writer.append(note("hello"))
    await writer.read("a")  # flushes
    assert (await asyncio.wait_for(waiting, 10)).data.text == "hello"
    await follow.aclose()
    await writer.close()
    await reader.close()


def test_intents_survive_a_kill(tmp_path):
    script = f"""
        import asyncio, os, signal, pathlib
        from doer.records.action import Action
        from doer.records.event import Event, Intended
        from doer.store.sqlite import SqliteLog
        async def main():
            log = SqliteLog(pathlib.Path({str(tmp_path / "log.db")!r}))
            await log.append(Event(session="a", data=Intended(action=Action(tool="click"))))
            os.kill(os.getpid(), signal.SIGKILL)
        asyncio.run(main())
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert killed.returncode == -9

    async def read() -> tuple[Event, ...]:
        log = SqliteLog(tmp_path / "log.db")
        events = await log.read("a")
        await log.close()
        return events

    (event,) = asyncio.run(read())
    assert event.data == Intended(action=Action(tool="click"))


async def test_a_failed_write_is_told_and_not_swallowed(tmp_path):
    (tmp_path / "log.db").mkdir()
    log = SqliteLog(tmp_path / "log.db")
    with pytest.raises(StoreError, match="cannot"):
        await log.append(note("one"))
