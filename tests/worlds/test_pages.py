"""The pool of pages: never more than its size, never a permit lost, the right page first."""

import asyncio
from random import Random
from typing import cast

import pytest

from doer.computers.browser.browser import Browser
from doer.errors import ComputerError
from doer.worlds.pages import DEAR, KEPT, Page, PagePool

SIZE = 3


class Blank:
    """Stands in for a browser page: all the pool asks of one."""

    def __init__(self) -> None:
        self.alive = True

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.alive = False


class Maker:
    """Makes blank pages, or fails with a probability."""

    def __init__(self) -> None:
        self.made: list[Blank] = []
        self.failing = 0.0
        self._random = Random(0)

    async def __call__(self) -> Browser:
        await asyncio.sleep(0)
        if self._random.random() < self.failing:
            raise ComputerError("no page")
        self.made.append(Blank())
        return cast(Browser, self.made[-1])

    @property
    def alive(self) -> int:
        return sum(page.alive for page in self.made)


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
def pool(maker: Maker) -> PagePool:
    return PagePool(maker, SIZE)


async def used(pool: PagePool, task: str) -> Page:
    page = await pool.take(task)
    page.task = task
    return page


async def test_prefers_the_page_that_holds_the_task(pool: PagePool) -> None:
    a, b = await used(pool, "a"), await used(pool, "b")
    pool.give(a)
    pool.give(b)
    assert await pool.take("b") is b
    assert await pool.take("a") is a


async def test_takes_the_least_recently_used_only_when_full(pool: PagePool) -> None:
    pages = [await used(pool, task) for task in "abc"]
    for page in pages:
        pool.give(page)
    assert await pool.take("d") is pages[0]
    assert await pool.take("e") is pages[1]


async def test_a_task_that_keeps_missing_earns_a_page_of_its_own(
    pool: PagePool, maker: Maker
) -> None:
    for page in [await used(pool, "a") for _ in range(SIZE)]:
        pool.give(page)
    for turn in range(3 * DEAR):
        pages = [await used(pool, "ab"[turn % 2]) for _ in range(SIZE)]
        for page in pages:
            pool.give(page)
    assert SIZE < len(maker.made) <= 2 * SIZE
    made = len(maker.made)
    for task in map(str, range(5 * DEAR)):  # a walk through many tasks earns none
        pool.give(await used(pool, task))
    assert len(maker.made) == made


async def test_there_are_never_more_pages_than_kept(pool: PagePool, maker: Maker) -> None:
    for turn in range(200):
        pool.give(await used(pool, str(turn % (2 * KEPT * SIZE))))
    assert maker.alive <= KEPT * SIZE


async def test_leaves_dead_pages_behind(pool: PagePool, maker: Maker) -> None:
    page = await used(pool, "a")
    pool.give(page)
    maker.made[0].alive = False
    assert await pool.take("a") is not page


async def test_waits_for_a_page_while_all_are_taken(pool: PagePool) -> None:
    pages = [await used(pool, task) for task in "abc"]
    waiting = asyncio.create_task(pool.take("d"))
    await asyncio.sleep(0)
    assert not waiting.done()
    await pool.discard(pages[0])
    assert (await waiting).task == ""


async def test_a_failure_or_a_cancellation_costs_no_permit(pool: PagePool, maker: Maker) -> None:
    maker.failing = 1.0
    for _ in range(SIZE + 1):
        with pytest.raises(ComputerError):
            await pool.take("a")
    maker.failing = 0.0
    for _ in range(SIZE + 1):
        making = asyncio.create_task(pool.take("a"))
        await asyncio.sleep(0)
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making
    held = [await pool.take("a") for _ in range(SIZE)]
    assert len(held) == SIZE


@pytest.mark.parametrize("seed", range(20))
async def test_many_at_once_with_faults_and_cancellations(
    pool: PagePool, maker: Maker, seed: int
) -> None:
    random = Random(seed)
    maker.failing = 0.2

    async def visit() -> None:
        page = await pool.take(task := random.choice("abcde"))
        try:
            await asyncio.sleep(0)
            page.task = task
            broken = random.random() < 0.3
        except asyncio.CancelledError:
            await pool.discard(page)
            raise
        if broken:
            await pool.discard(page)
        else:
            pool.give(page)

    visits = [asyncio.create_task(visit()) for _ in range(60)]
    for one in random.sample(visits, 15):
        await asyncio.sleep(0)
        one.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(*visits, return_exceptions=True)
        maker.failing = 0.0
        held = [await pool.take("a") for _ in range(SIZE)]
    assert len({id(page) for page in held}) == SIZE
    assert SIZE <= maker.alive <= KEPT * SIZE
