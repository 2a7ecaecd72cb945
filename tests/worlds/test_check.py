"""`check` finds the two ways in which a task can be unsound."""

from pathlib import Path

import pytest

from doer.computers.computer import Computer
from doer.computers.files import Folder, files_view
from doer.graders.folder import FolderState
from doer.records.action import Action, Element
from doer.records.task import End, Limits, Task
from doer.worlds.check import check
from doer.worlds.world import Environment, Oracle


def write_a(_: str, elements: tuple[Element, ...]) -> Action | None:
    if any(e.value == "a" for e in elements):
        return None
    return Action(tool="write_file", arguments={"path": "a", "text": "a"})


def give_up(_: str, elements: tuple[Element, ...]) -> Action | None:
    return None


class FolderTasks:
    """A taskset with one task per soundness: the goal is a file "a" that says "a"."""

    name = "folder"

    def __init__(self, root: Path) -> None:
        self._root = root
        self._made = 0

    def names(self) -> tuple[str, ...]:
        return ("done-already", "no-oracle", "sound", "unsolved")

    def task(self, name: str, seed: int) -> Task:
        limits = Limits(steps=3)
        return Task(taskset=self.name, name=name, seed=seed, instruction="write a", limits=limits)

    def oracle(self, name: str) -> Oracle | None:
        return {"no-oracle": None, "unsolved": give_up}.get(name, write_a)

    async def prepare(self, task: Task) -> Environment:
        self._made += 1
        folder = self._root / str(self._made)
        folder.mkdir()
        files = Folder(folder)
        if task.name == "done-already":
            await files.write("a", "a")
        return Environment(
            task=task,
            computer=Computer(files=files),
            tools=("write_file",),
            graders=(FolderState({"a": "a"}),),
            first=await files_view(files),
        )

    async def release(self, environment: Environment, end: End) -> None:
        environment.computer.files.close()

    async def close(self) -> None: ...


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("sound", ""),
        ("no-oracle", ""),
        ("done-already", "doing nothing passes"),
        ("unsolved", "the oracle does not pass: done after 1 steps; a is missing"),
    ],
)
async def test_names_what_is_wrong(tmp_path: Path, name: str, problem: str) -> None:
    checks = await check(FolderTasks(tmp_path), [name], [1, 2])
    assert [c.task.seed for c in checks] == [1, 2]
    assert {c.problem for c in checks} == {problem}
    assert all((c.oracle is None) == (name == "no-oracle") for c in checks)
