"""A pool of pages that keep the html of one task each, so that most resets need no navigation."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from doer.computers.browser.browser import Browser


@dataclass(eq=False)
class Page:
    """A browser page and the task whose html it holds."""

    browser: Browser
    task: str = ""


KEPT = 8  # times `size` pages in all
DEAR = 2  # navigations after which a page of its own pays (each is 50 ms, a page 250 ms, once)


@dataclass
class PagePool:
    """At most `size` pages are held at once (a permit of the semaphore is the right to hold one),
    and at most `KEPT` times as many are there in all.

    A page is made by `new_browser` while there are fewer than `size`; beyond that a task earns
    a further page by every `DEAR` times that it found none with its html, so that mixed tasks end
    up without navigations and a walk through many tasks does not fill the memory.
    """

    new_browser: Callable[[], Awaitable[Browser]]
    size: int
    _idle: list[Page] = field(default_factory=list[Page])  # least recently used first
    _held: int = 0
    _missed: Counter[str] = field(default_factory=Counter[str])

    def __post_init__(self) -> None:
        self._permits = asyncio.Semaphore(self.size)

    async def take(self, task: str) -> Page:
        """A page for this task's use, best one that holds its html already. Waits for a permit."""
        await self._permits.acquire()
        self._held += 1
        if page := self._choose(task):
            return page
        try:
            return Page(await self.new_browser())
        except BaseException:
            self._let_go()
            raise

    def give(self, page: Page) -> None:
        """Take back a page that works."""
        self._idle.append(page)
        self._let_go()

    async def discard(self, page: Page) -> None:
        """Take back a page that must not be used again. It is closed to the end even when the
        caller is cancelled meanwhile."""
        try:
            await asyncio.shield(page.browser.close())
        finally:
            self._let_go()

    def _choose(self, task: str) -> Page | None:
        self._idle = [page for page in self._idle if page.browser.alive]
        for page in self._idle:
            if page.task == task:
                self._idle.remove(page)
                return page
        pages = self._held - 1 + len(self._idle)
        if pages < self.size:
            return None
        self._missed[task] += 1
        if self._missed[task] % DEAR == 0 and pages < KEPT * self.size:
            return None
        return self._idle.pop(0)

    def _let_go(self) -> None:
        self._held -= 1
        self._permits.release()
