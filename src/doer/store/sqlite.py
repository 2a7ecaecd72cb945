"""A log in one SQLite file (WAL, one writer thread), with a hash chain over salted digests.

Intents, outcomes and ends are on disk (`synchronous=FULL`) when `append` returns; everything else
rides with the next of them or follows within `BATCH_S`. An event's data can be forgotten later
(`forget`) without breaking the chain, because the chain covers only its salted digest.
"""

import asyncio
import hashlib
import secrets
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from doer.errors import StoreError, boundary
from doer.records.event import Ended, Event, Graded, Intended, Observed, TurnEnded
from doer.records.event import from_json as event_from_json
from doer.records.event import to_json as event_to_json
from doer.store.log import is_last

DURABLE = (Intended, Observed, TurnEnded, Graded, Ended)
BATCH_S = 0.05
POLL_S = 0.25  # how often a follower looks for another process's events

SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
  session TEXT NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL,
  event BLOB, salt BLOB, digest BLOB NOT NULL, chain BLOB NOT NULL,
  PRIMARY KEY (session, seq)
);
"""
T = TypeVar("T")


class Row(NamedTuple):
    session: str
    seq: int
    at: float
    event: bytes | None  # None once forgotten
    salt: bytes | None
    digest: bytes
    chain: bytes


def chained(previous: str, session: str, seq: int, digest: bytes) -> bytes:
    """The chain's next link: SHA-256 over the last link, the place and the salted digest."""
    place = f"{previous}\n{session}\n{seq}\n".encode()
    return hashlib.sha256(place + digest).digest()


class SqliteLog:
    """Implements `Log`. `path` is created with its folder; several processes may read it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log")
        self._database: sqlite3.Connection | None = None
        self._heads: dict[str, tuple[int, str]] = {}  # session -> last seq, last chain hash
        self._waiting: list[Row] = []
        self._flush: asyncio.TimerHandle | None = None
        self._late: Future[None] | None = None  # the last write nobody waited for
        self._appending = asyncio.Lock()
        self._grown = asyncio.Event()

    async def append(self, event: Event) -> Event:
        async with self._appending:
            seq, previous = await self._head(event.session)
            stored = msgspec.structs.replace(event, seq=seq + 1, prev=previous)
            line, salt = event_to_json(stored), secrets.token_bytes(16)
            digest = hashlib.sha256(salt + line).digest()
            chain = chained(previous, stored.session, stored.seq, digest)
            row = Row(stored.session, stored.seq, stored.at, line, salt, digest, chain)
            self._waiting.append(row)
            self._heads[event.session] = (stored.seq, chain.hex())
            if isinstance(stored.data, DURABLE):
                await self._write("FULL")
            elif self._flush is None:
                loop = asyncio.get_running_loop()
                self._flush = loop.call_later(BATCH_S, self._flush_soon)
        self._grown.set()
        return stored

    async def read(self, session: str, after: int = 0) -> tuple[Event, ...]:
        await self._write("NORMAL")
        query = "SELECT seq, event FROM events WHERE session = ? AND seq > ? ORDER BY seq"
        rows = await self._in_thread(lambda db: db.execute(query, (session, after)).fetchall())
        return tuple(event_from_json(line) for _, line in rows if line is not None)

    async def follow(self, session: str, after: int = 0) -> AsyncIterator[Event]:
        while True:
            self._grown.clear()
            for event in await self.read(session, after):
                after = event.seq
                yield event
                if is_last(event):
                    return
            try:
                await asyncio.wait_for(self._grown.wait(), POLL_S)
            except TimeoutError:
                continue  # another process may have written

    async def sessions(self) -> tuple[str, ...]:
        await self._write("NORMAL")
        query = "SELECT session FROM events WHERE seq = 1 ORDER BY rowid"
        rows = await self._in_thread(lambda db: db.execute(query).fetchall())
        return tuple(row[0] for row in rows)

    async def verify(self, session: str) -> int:
        """Check the session's chain; returns the number of events.

        Raises `StoreError` naming the first event that is missing or was changed.
        """
        await self._write("NORMAL")
        query = "SELECT * FROM events WHERE session = ? ORDER BY seq"
        rows = await self._in_thread(lambda db: db.execute(query, (session,)).fetchall())
        previous = ""
        for place, row in enumerate(map(Row._make, rows), start=1):
            intact = (
                row.salt is None
                or row.event is None
                or hashlib.sha256(row.salt + row.event).digest() == row.digest
            )
            linked = chained(previous, session, place, row.digest) == row.chain
            if row.seq != place or not intact or not linked:
                raise StoreError(f"session {session}: event {place} was changed or is missing")
            previous = row.chain.hex()
        return len(rows)

    async def forget(self, session: str, seq: int) -> None:
        """Delete what the event says; its place and digest stay, so the chain still holds."""
        await self._write("NORMAL")
        query = "UPDATE events SET event = NULL, salt = NULL WHERE session = ? AND seq = ?"
        await self._in_thread(lambda db: (db.execute(query, (session, seq)), db.commit()))
        await self._in_thread(lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())

    async def close(self) -> None:
        await self._write("FULL")
        if self._database is not None:
            await self._in_thread(lambda db: db.close())
            self._database = None
        self._thread.shutdown()

    async def _head(self, session: str) -> tuple[int, str]:
        if session not in self._heads:
            query = "SELECT seq, chain FROM events WHERE session = ? ORDER BY seq DESC LIMIT 1"
            row = await self._in_thread(lambda db: db.execute(query, (session,)).fetchone())
            self._heads[session] = (row[0], row[1].hex()) if row else (0, "")
        return self._heads[session]

    def _flush_soon(self) -> None:
        self._flush = None
        rows, self._waiting = self._waiting, []
        if rows:
            # The thread runs jobs in order, so rows of later appends cannot overtake these.
            self._late = self._thread.submit(self._insert, rows, "NORMAL")

    async def _write(self, synchronous: str) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        rows, self._waiting = self._waiting, []
        with boundary(StoreError, f"{self._path}: cannot write"):
            if self._late is not None:
                await asyncio.wrap_future(self._late)
            if rows:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._thread, self._insert, rows, synchronous)

    async def _in_thread(self, job: Callable[[sqlite3.Connection], T]) -> T:
        with boundary(StoreError, f"{self._path}: cannot use the log"):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, lambda: job(self._connected()))

    def _insert(self, rows: list[Row], synchronous: str) -> None:
        database = self._connected()
        database.execute(f"PRAGMA synchronous={synchronous}")
        with database:
            database.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def _connected(self) -> sqlite3.Connection:
        if self._database is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self._path, check_same_thread=False, timeout=10)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA secure_delete=ON")  # what is forgotten is overwritten
            self._database.executescript(SCHEMA)
        return self._database
