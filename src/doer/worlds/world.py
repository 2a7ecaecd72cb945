"""Worlds: where tasks live. Environment = Task + Computer + Tools + Graders, used once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from doer.computers.computer import Computer
from doer.graders.grader import Grader
from doer.records.action import Action, Element, Observation
from doer.records.task import End, Task

Oracle = Callable[[str, tuple[Element, ...]], Action | None]
"""A reference solution: (instruction, what is seen now) -> the next action, None when finished.
It keeps no memory, so it can go on from any state, also from one a policy got into."""


def never(_: Observation) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One prepared task. There is no reset: a taskset prepares the next one.

    `task.instruction` is filled in; `first` is what the agent sees before it acts; `over` tells
    from an observation that the world has ended the task (a submitted form, a game lost).
    """

    task: Task
    computer: Computer
    tools: tuple[str, ...]
    graders: tuple[Grader, ...]
    first: Observation
    over: Callable[[Observation], bool] = never


class Taskset(Protocol):
    """A named, loadable collection of tasks and the world they need."""

    @property
    def name(self) -> str: ...

    def names(self) -> tuple[str, ...]:
        """The tasks there are, sorted."""
        ...

    def task(self, name: str, seed: int) -> Task:
        """The task as data. Raises `ConfigError` for a name it does not have."""
        ...

    def oracle(self, name: str) -> Oracle | None:
        """The reference solution of a task, where there is one."""
        ...

    async def prepare(self, task: Task) -> Environment:
        """Bring a computer into the task's starting state. Many may be prepared at once; waits
        while all computers are taken. Raises `SiteError` or `ComputerError`."""
        ...

    async def release(self, environment: Environment, end: End) -> None:
        """Give the environment back. After a fault its computer is thrown away."""
        ...

    async def close(self) -> None: ...
