"""Whole computers, made for a module's tests and thrown away with all that ran for them."""

import contextlib
import os
import shutil
import signal

import pytest
import pytest_asyncio

from doer.computers.fleet import Fleet
from doer.computers.local.backend import LocalBackend
from doer.computers.network.client import FOLDER, ProxyClient
from doer.errors import ComputerError
from doer.records.computer import NetworkRules, Spec

OPEN = Spec(memory_mb=2048, disk_mb=512, network=NetworkRules(mode="open"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(tmp_path_factory):
    for program in ("bwrap", "Xvnc", "openbox"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: `make setup` does")
    root = tmp_path_factory.mktemp("fleet") / "computers"
    fleet = Fleet(LocalBackend(root), root)
    yield fleet
    for name in fleet.names():
        await fleet.remove(name)
    with contextlib.suppress(ComputerError):
        os.kill(await ProxyClient(root / FOLDER).pid(), signal.SIGTERM)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(fleet):
    """One computer for all tests of a module, with an open network."""
    await fleet.create("shared", OPEN)
    async with fleet.opened("shared") as desk:
        await desk.ready("shell")
        yield desk
