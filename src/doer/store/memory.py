"""A log in memory, for training rollouts: gone with the process unless it is written out."""

import asyncio
from collections.abc import AsyncIterator

import msgspec

from doer.records.event import Event
from doer.store.log import is_last


class MemoryLog:
    """Implements `Log`. Cheap enough to keep one for each rollout."""

    def __init__(self) -> None:
        self._events: dict[str, list[Event]] = {}
        self._grown = asyncio.Event()

    async def append(self, event: Event) -> Event:
        events = self._events.setdefault(event.session, [])
        stored = msgspec.structs.replace(event, seq=len(events) + 1)
        events.append(stored)
        # A fresh event each time: its `set` wakes every reader waiting now, and nobody twice.
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()
        return stored

    async def read(self, session: str, after: int = 0) -> tuple[Event, ...]:
        return tuple(self._events.get(session, ())[after:])

    async def follow(self, session: str, after: int = 0) -> AsyncIterator[Event]:
        while True:
            grown = self._grown
            for event in await self.read(session, after):
                after = event.seq
                yield event
                if is_last(event):
                    return
            await grown.wait()

    async def sessions(self) -> tuple[str, ...]:
        return tuple(self._events)

    async def close(self) -> None:
        self._events.clear()
