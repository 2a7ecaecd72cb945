"""The Log contract: an append-only, gap-free sequence of events for each session."""

from collections.abc import AsyncIterator
from typing import Protocol

from doer.records.event import Ended, Event


class Log(Protocol):
    """One writer, any number of readers. Nothing is ever changed or taken out of order."""

    async def append(self, event: Event) -> Event:
        """Store the event; returns it with its `seq` (and `prev` where the log keeps a chain).

        Intents and outcomes are on disk when this returns. Raises `StoreError`.
        """
        ...

    async def read(self, session: str, after: int = 0) -> tuple[Event, ...]:
        """Every event of the session with seq > `after`, in order."""
        ...

    def follow(self, session: str, after: int = 0) -> AsyncIterator[Event]:
        """Every event with seq > `after`, now and as they come, up to the session's end."""
        ...

    async def sessions(self) -> tuple[str, ...]:
        """The sessions there are, oldest first."""
        ...

    async def close(self) -> None: ...


def is_last(event: Event) -> bool:
    """Whether nothing can follow this event in its session."""
    return isinstance(event.data, Ended)
