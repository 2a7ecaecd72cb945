"""Computers kept warm: started, browser and all, before anybody asks, because adopting one takes a
tenth of a second and starting one takes seconds."""

import asyncio
import os
from typing import Self
from uuid import uuid4

from doer.computers.desktop import DesktopComputer
from doer.computers.fleet import Fleet
from doer.errors import ComputerError, DoerError
from doer.records.computer import Spec


class WarmPool:
    """Keeps `size` computers ready, made alike: blank, or of a snapshot. A context manager; who
    takes a computer owns it, the others are removed at the end.

    Starts at most one at a time for every core: more would only slow each other down.
    """

    def __init__(
        self, fleet: Fleet, size: int, *, spec: Spec | None = None, snapshot: str = ""
    ) -> None:
        self._fleet, self._size, self._spec, self._snapshot = fleet, size, spec, snapshot
        self._starts = asyncio.Semaphore(os.cpu_count() or 1)
        self._warm: asyncio.Queue[DesktopComputer | DoerError] = asyncio.Queue()
        self._filling: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        for _ in range(self._size):
            self._fill()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._filling:
            task.cancel()
        await asyncio.gather(*self._filling, return_exceptions=True)
        left = [self._warm.get_nowait() for _ in range(self._warm.qsize())]
        desks = [warm for warm in left if isinstance(warm, DesktopComputer)]
        removing = [self._remove(desk.name, desk) for desk in desks]
        for failed in await asyncio.gather(*removing, return_exceptions=True):
            if failed is not None:
                raise failed

    @property
    def ready(self) -> int:
        """How many could be taken at once."""
        return self._warm.qsize()

    async def take(self, timeout_s: float = 120.0) -> DesktopComputer:
        """One that is warm; another is made in its place. Close it, and remove it when it is not
        needed any more. Raises `ComputerError` when none could be started."""
        try:
            async with asyncio.timeout(timeout_s):
                warm = await self._warm.get()
        except TimeoutError:
            raise ComputerError(f"no computer was warm in {timeout_s:g} s") from None
        self._fill()
        if isinstance(warm, DoerError):
            raise warm
        return warm

    def _fill(self) -> None:
        task = asyncio.create_task(self._start())
        self._filling.add(task)
        task.add_done_callback(self._filling.discard)

    async def _start(self) -> None:
        async with self._starts:
            name = f"warm-{uuid4().hex[:12]}"
            desk = None
            try:
                await self._fleet.create(name, self._spec, self._snapshot)
                desk = self._fleet.open(name)
                await desk.ready("browser")
                await desk.browser.cookies()  # Chromium opens its store of them on first use
            except DoerError as error:
                await self._remove(name, desk)
                self._warm.put_nowait(error)
            except BaseException:
                await self._remove(name, desk)
                raise
            else:
                self._warm.put_nowait(desk)

    async def _remove(self, name: str, desk: DesktopComputer | None) -> None:
        """Also one that is not there yet: whoever makes it may not hear that it is cancelled."""
        if desk is not None:
            await desk.abandon()
        await self._fleet.remove(name)
