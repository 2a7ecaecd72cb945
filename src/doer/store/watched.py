"""A log that tells someone of every event as it is stored."""

from collections.abc import AsyncIterator, Callable

from doer.records.event import Event
from doer.store.log import Log


class WatchedLog:
    """Any other log, watched. Closing it closes that one."""

    def __init__(self, log: Log, tell: Callable[[Event], None]) -> None:
        self._log = log
        self._tell = tell

    async def append(self, event: Event) -> Event:
        stored = await self._log.append(event)
        self._tell(stored)
        return stored

    async def read(self, session: str, after: int = 0) -> tuple[Event, ...]:
        return await self._log.read(session, after)

    def follow(self, session: str, after: int = 0) -> AsyncIterator[Event]:
        return self._log.follow(session, after)

    async def sessions(self) -> tuple[str, ...]:
        return await self._log.sessions()

    async def close(self) -> None:
        await self._log.close()
