"""A pool of warm computers that is left while it still makes some."""

import asyncio
import threading

import pytest

from doer.computers.fleet import Fleet
from doer.computers.local.backend import LocalBackend
from doer.computers.pool import WarmPool

PATIENCE_S = 30


async def test_a_pool_that_is_left_early_leaves_no_computer(
    tmp_path, monkeypatch: pytest.MonkeyPatch
):
    making, go_on, made = threading.Event(), threading.Event(), threading.Event()
    settle = LocalBackend._settle

    def slowly(*arguments: object) -> None:
        making.set()
        go_on.wait(PATIENCE_S)
        settle(*arguments)
        made.set()

    monkeypatch.setattr(LocalBackend, "_settle", slowly)
    fleet = Fleet(LocalBackend(tmp_path), tmp_path)
    pool = await WarmPool(fleet, 1).__aenter__()
    assert await asyncio.to_thread(making.wait, PATIENCE_S)
    leaving = asyncio.create_task(pool.__aexit__())
    for _ in range(3):  # it has cancelled what it can
        await asyncio.sleep(0)
    go_on.set()
    await leaving
    assert await asyncio.to_thread(made.wait, PATIENCE_S)
    assert fleet.names() == ()
