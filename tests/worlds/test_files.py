"""The files world: every chore can be done as its oracle does it, and nothing less passes."""

from collections.abc import AsyncIterator
from random import Random

import pytest

from doer.errors import ConfigError
from doer.worlds.check import check
from doer.worlds.files.chores import CHORES
from doer.worlds.files.oracles import EDITS
from doer.worlds.files.world import FileChores

SEEDS = range(40)


@pytest.fixture
async def world() -> AsyncIterator[FileChores]:
    world = FileChores()
    yield world
    await world.close()


@pytest.mark.parametrize("name", sorted(CHORES))
async def test_the_oracle_passes_and_doing_nothing_fails(world: FileChores, name: str) -> None:
    checks = await check(world, [name], SEEDS)
    assert [c.problem for c in checks] == [""] * len(SEEDS)


@pytest.mark.parametrize("name", sorted(CHORES))
def test_a_seed_says_all(name: str) -> None:
    drawn = [CHORES[name](Random(seed)) for seed in SEEDS]
    assert drawn == [CHORES[name](Random(seed)) for seed in SEEDS]
    assert len({str(chore) for chore in drawn}) > len(SEEDS) // 2


@pytest.mark.parametrize("name", sorted(CHORES))
def test_the_oracle_goes_on_from_half_way(name: str) -> None:
    for seed in SEEDS:
        chore = CHORES[name](Random(seed))
        texts = dict(chore.before)
        for path, text in EDITS[name](chore.instruction, texts).items():
            texts[path] = text
            assert {**texts, **EDITS[name](chore.instruction, texts)} == chore.after
        assert texts == chore.after


async def test_an_environment_is_a_folder_of_its_own(world: FileChores) -> None:
    task = world.task("move-line", 1)
    one, two = await world.prepare(task), await world.prepare(task)
    assert one.task.instruction == two.task.instruction != ""
    assert one.first == two.first
    await one.computer.files.write("todo.txt", "changed")
    assert await two.computer.files.read("todo.txt") != "changed"
    await world.release(one, "done")
    await world.release(two, "computer_fault")


async def test_nothing_is_left_on_disk(
    world: FileChores, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("temp")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    one = await world.prepare(world.task("set-value", 1))
    await world.prepare(world.task("set-value", 2))
    assert len(list(folder.iterdir())) == 2
    await world.release(one, "done")
    await world.close()
    assert list(folder.iterdir()) == []


def test_an_unknown_task_is_named(world: FileChores) -> None:
    with pytest.raises(ConfigError, match="fly"):
        world.task("fly", 1)
