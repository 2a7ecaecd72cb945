"""What `doer computer` does, where it can go wrong."""

import pytest

from doer.computers import command


async def test_a_damaged_computer_hides_none_of_the_others_and_can_be_removed(
    tmp_path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DOER_HOME", str(tmp_path))
    for name in ("one", "two"):
        await command.created(name, "", "")
    (tmp_path / "computers/one/spec.json").write_text("{")
    rows = [(row.name, row.stats.state, row.spec is None) for row in await command.listed()]
    assert rows == [("one", "broken", True), ("two", "stopped", False)]
    await command.removed(["one"], [])
    assert [row.name for row in await command.listed()] == ["two"]
