"""Computers that are used once: each begins as a base was left, which is built once and frozen."""

import asyncio
import contextlib
import os
from collections import defaultdict
from collections.abc import Awaitable, Callable
from uuid import uuid4

from doer.computers.desktop import DesktopComputer
from doer.computers.fleet import Fleet
from doer.errors import ComputerError
from doer.records.computer import Spec

Build = Callable[[DesktopComputer], Awaitable[None]]


class Stock:
    """Every method raises `ComputerError`. At most `at_once` computers are out. What a process that
    has died left in this fleet is removed by the next one, so nothing else may be in it."""

    def __init__(self, fleet: Fleet, at_once: int) -> None:
        self._fleet = fleet
        self._places = asyncio.Semaphore(at_once)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._bases: dict[str, str] = {}
        self._tidy = False
        self._out: set[DesktopComputer] = set()

    async def take(self, base: str, spec: Spec, build: Build) -> DesktopComputer:
        """A computer whose shell is ready, as `build` left the first one of this base. Waits while
        all are out."""
        await self._places.acquire()
        try:
            async with self._locks[base]:
                await self._clear_up()
                if base not in self._bases:
                    self._bases[base] = await self._frozen(spec, build)
            return await self._start(spec, self._bases[base])
        except BaseException:
            self._places.release()
            raise

    async def give_back(self, desk: DesktopComputer) -> None:
        """Remove it, with all that is in it."""
        if desk in self._out:
            try:
                await self._remove(desk)
            finally:
                self._places.release()

    async def close(self) -> None:
        """Remove all computers and bases."""
        for desk in tuple(self._out):
            await self.give_back(desk)
        while self._bases:
            await self._fleet.forget(self._bases.popitem()[1])

    async def _frozen(self, spec: Spec, build: Build) -> str:
        desk = await self._start(spec, "")
        try:
            await build(desk)
            await self._fleet.backend.stop(desk.name)  # files at rest freeze at once
            return (await self._fleet.snapshot(desk)).id
        finally:
            await self._remove(desk)

    async def _start(self, spec: Spec, snapshot: str) -> DesktopComputer:
        name = f"{os.getpid()}-{uuid4().hex[:12]}"
        try:
            await self._fleet.create(name, spec, snapshot)
            desk = self._fleet.open(name)
            await desk.ready("shell")
        except BaseException:
            await self._fleet.remove(name)
            raise
        self._out.add(desk)
        return desk

    async def _remove(self, desk: DesktopComputer) -> None:
        self._out.remove(desk)
        await desk.abandon()
        await self._fleet.remove(desk.name)

    async def _clear_up(self) -> None:
        """Remove what processes left that are gone."""
        if self._tidy:
            return
        self._tidy = True
        for name in self._fleet.names():
            if _is_gone(name):
                with contextlib.suppress(ComputerError):  # somebody else does it too
                    await self._fleet.remove(name)
        for kept in self._fleet.snapshots.all():
            if _is_gone(kept.computer):
                with contextlib.suppress(ComputerError):
                    await self._fleet.forget(kept.id)


def _is_gone(name: str) -> bool:
    """Whether the process is gone that a computer's name tells of."""
    try:
        os.kill(int(name.partition("-")[0]), 0)
    except ProcessLookupError:
        return True
    except (ValueError, PermissionError):
        pass
    return False
