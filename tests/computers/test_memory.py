"""What is kept of computers beside their files."""

import stat
from pathlib import Path

import pytest

from doer.computers.browser.state import BrowserState, TabState
from doer.computers.memory import Memory, Snapshot, Snapshots
from doer.errors import ComputerError
from doer.records.computer import Spec

STATE = BrowserState(tabs=(TabState(url="http://shop.test/"),))


def kept(id: str, at: float) -> Snapshot:
    return Snapshot(id=id, computer="one", at=at, spec=Spec(), files="f")


def test_only_its_owner_comes_near_to_what_is_remembered(tmp_path: Path) -> None:
    Memory(tmp_path / ".fleet/browsers/one.json").save(STATE)
    for folder in (tmp_path / ".fleet", tmp_path / ".fleet/browsers"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert Memory(tmp_path / ".fleet/browsers/one.json").load() == STATE


def test_a_damaged_memory_is_told_once_and_then_out_of_the_way(tmp_path: Path) -> None:
    file = tmp_path / "browsers/one.json"
    memory = Memory(file)
    memory.save(STATE)
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(ComputerError, match="cannot be read"):
        memory.load()
    assert memory.load() is None
    memory.save(STATE)
    assert memory.load() == STATE


def test_what_cannot_be_written_is_a_fault_of_the_computer(tmp_path: Path) -> None:
    (tmp_path / "browsers").write_text("in the way")
    with pytest.raises(ComputerError, match="cannot be written"):
        Memory(tmp_path / "browsers/one.json").save(STATE)


def test_snapshots_are_listed_oldest_first(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path)
    assert snapshots.all() == ()
    for one in (kept("b", 2), kept("a", 1)):
        snapshots.put(one)
    assert snapshots.all() == (kept("a", 1), kept("b", 2))
    snapshots.forget("a")
    assert snapshots.all() == (kept("b", 2),)
    with pytest.raises(ComputerError, match="no snapshot"):
        snapshots.get("../b")
