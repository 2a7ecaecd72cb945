"""A very small event loop. asyncio would cost each computer 8 MB of memory and 45 ms of its start.

One thread runs everything, so that neither a full process table nor a busy neighbour stops the
daemon. A coroutine waits by `wait` for several things at once; whatever can end it (its caller
going away, a deadline) is among them, so nothing is ever cancelled from outside.
"""

from __future__ import annotations

import collections
import heapq
import itertools
import select
import time
import traceback
from collections.abc import Coroutine, Generator
from typing import NamedTuple, Union

NEVER = float("inf")


class On(NamedTuple):
    """A descriptor and what is to happen to it (bits of `select.epoll`)."""

    fd: int
    mask: int


def readable(fd: int) -> On:
    return On(fd, select.EPOLLIN)


def writable(fd: int) -> On:
    return On(fd, select.EPOLLOUT)


class Flag:
    """Something that happens. Once raised it stays up until it is lowered."""

    def __init__(self) -> None:
        self.up = False
        self.waiting: list[_Wait] = []

    def raise_(self) -> None:
        self.up = True
        for one in list(self.waiting):
            one.wake(self)

    def lower(self) -> None:
        self.up = False


Thing = Union[On, Flag]


class _Wait:
    """One coroutine that waits: for what, until when, and what has happened."""

    def __init__(self, things: tuple[Thing, ...], until: float) -> None:
        self.things, self.until = things, until
        self.ready: set[Thing] = set()
        self.over = False
        self.task: _Task | None = None

    def __await__(self) -> Generator[_Wait, None, set[Thing]]:
        yield self
        return self.ready

    def wake(self, thing: Thing | None) -> None:
        if thing is not None:
            self.ready.add(thing)
        if not self.over and self.task is not None:
            self.over = True
            LOOP.wakened.append(self)


_Task = Coroutine[_Wait, None, None]


class _Loop:
    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.wakened: collections.deque[_Wait] = collections.deque()
        self.on: dict[int, list[tuple[int, _Wait]]] = {}
        self.timers: list[tuple[float, int, _Wait]] = []
        self.count = itertools.count()
        self.waits = 0

    def arm(self, one: _Wait) -> None:
        self.waits += 1
        for thing in one.things:
            if isinstance(thing, Flag):
                thing.waiting.append(one)
                if thing.up:
                    one.wake(thing)
            else:
                self.on.setdefault(thing.fd, []).append((thing.mask, one))
                self.tell(thing.fd)
        if one.until <= time.monotonic():
            one.wake(None)
        elif one.until != NEVER:
            heapq.heappush(self.timers, (one.until, next(self.count), one))
            if len(self.timers) > 2 * self.waits + 64:  # most of them are over
                self.timers = [timer for timer in self.timers if not timer[2].over]
                heapq.heapify(self.timers)

    def disarm(self, one: _Wait) -> None:
        self.waits -= 1
        for thing in one.things:
            if isinstance(thing, Flag):
                thing.waiting.remove(one)
        for fd in {thing.fd for thing in one.things if isinstance(thing, On)}:
            self.on[fd] = [(mask, other) for mask, other in self.on[fd] if other is not one]
            self.tell(fd)

    def tell(self, fd: int) -> None:
        """Tell the kernel what is waited for at one descriptor."""
        wanted = 0
        for mask, _ in self.on[fd]:
            wanted |= mask
        try:
            if not wanted:
                del self.on[fd]
                self.epoll.unregister(fd)
            else:
                self.epoll.modify(fd, wanted)
        except FileNotFoundError:
            if wanted:
                self.epoll.register(fd, wanted)
        except OSError:
            pass  # closed since: nothing more will happen to it

    def step(self, one: _Wait) -> None:
        task, one.task = one.task, None
        self.disarm(one)
        if task is not None:
            self.go(task)

    def go(self, task: _Task) -> None:
        try:
            following = task.send(None)
        except StopIteration:
            return
        except Exception:  # noqa: BLE001 (a fault in one must not end the others)
            traceback.print_exc()
            return
        following.task = task
        self.arm(following)

    def turn(self) -> None:
        """Let everything go on that can, then wait for the next thing to happen."""
        for _ in range(len(self.wakened)):
            self.step(self.wakened.popleft())
        now = time.monotonic()
        while self.timers and (self.timers[0][2].over or self.timers[0][0] <= now):
            heapq.heappop(self.timers)[2].wake(None)
        pause = 0.0 if self.wakened else self.timers[0][0] - now if self.timers else None
        for fd, mask in self.epoll.poll(pause):
            for wanted, one in self.on.get(fd, ()):
                # An error or a hang-up wakes everybody: their next call says what it is.
                if mask & (wanted | select.EPOLLERR | select.EPOLLHUP):
                    one.wake(On(fd, wanted))


LOOP = _Loop()


def wait(*things: Thing, until: float = NEVER) -> _Wait:
    """Await it: the things that have happened, none of them at `until` (of `time.monotonic`)."""
    return _Wait(things, until)


def sleep(seconds: float) -> _Wait:
    return _Wait((), time.monotonic() + seconds)


def start(task: _Task) -> None:
    """Run a coroutine beside the others."""
    LOOP.go(task)


def run() -> None:
    while True:
        LOOP.turn()
