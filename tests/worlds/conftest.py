from collections.abc import AsyncIterator

import pytest_asyncio

from doer.worlds.miniwob.world import MiniWob


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def miniwob() -> AsyncIterator[MiniWob]:
    """One Chromium and four pages for all tests of a module."""
    world = MiniWob(pages=4)
    yield world
    await world.close()
