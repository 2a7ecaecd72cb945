"""A user's computers, where making or restoring one fails half way."""

import pytest

from doer.computers.fleet import Fleet
from doer.computers.local.backend import LocalBackend
from doer.errors import ComputerError
from doer.records.computer import Spec


@pytest.fixture
def fleet(tmp_path):
    return Fleet(LocalBackend(tmp_path / "computers"), tmp_path / "computers")


async def test_a_restoring_that_fails_half_way_loses_nothing(fleet, monkeypatch):
    await fleet.create("one", Spec(memory_mb=512))
    async with fleet.opened("one") as desk:
        kept = await fleet.snapshot(desk)

    def fail(*_: object) -> None:
        raise ComputerError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(LocalBackend, "_fork", fail)
        with pytest.raises(ComputerError, match=r"the disk is full\. What the snapshot .* one-"):
            await fleet.restore("one", kept.id)
    (aside,) = fleet.names()
    assert fleet.backend.spec(aside).memory_mb == 512


async def test_a_restoring_that_cannot_begin_changes_nothing(fleet):
    await fleet.create("one")
    async with fleet.opened("one") as desk:
        kept = await fleet.snapshot(desk)
    await fleet.backend.forget(kept.files)
    with pytest.raises(ComputerError, match="no snapshot"):
        await fleet.restore("one", kept.id)
    assert fleet.names() == ("one",)
