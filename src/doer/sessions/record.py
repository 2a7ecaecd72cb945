"""Recording: puts a session's name, turn and step on each event and appends it to the log."""

import time

from doer.records.event import Actor, Event, Known
from doer.store.log import Log


class Recorder:
    """The one place where a session's events are made. Keeps them for the agent's view."""

    def __init__(self, log: Log, session: str) -> None:
        self.session = session
        self.turn = 0
        self.step = 0
        self.events: list[Event] = []
        self._log = log

    async def __call__(
        self,
        data: Known,
        *,
        actor: Actor = "system",
        cause: int | None = None,
        key: str = "",
        sources: tuple[str, ...] = (),
        blobs: tuple[str, ...] = (),
    ) -> Event:
        event = Event(
            session=self.session,
            turn=self.turn,
            step=self.step,
            at=time.time(),
            actor=actor,
            cause=cause,
            key=key,
            sources=sources,
            blobs=blobs,
            data=data,
        )
        stored = await self._log.append(event)
        self.events.append(stored)
        return stored
