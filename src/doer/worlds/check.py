"""Checks tasks before anyone is measured on them: the oracle must pass, doing nothing must not."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from doer.models.scripted import ScriptedModel
from doer.records.completion import Completion, Request
from doer.records.task import Task
from doer.records.trajectory import Trajectory
from doer.worlds.rollout import Runner
from doer.worlds.world import Oracle, Taskset


@dataclass(frozen=True)
class Check:
    """What came of one task: the rollout of its oracle (None without one) and of doing nothing."""

    task: Task
    oracle: Trajectory | None
    nothing: Trajectory

    @property
    def problem(self) -> str:
        """What is wrong with the task; empty when it is sound."""
        if self.oracle is not None and not self.oracle.passed:
            return f"the oracle does not pass: {_outcome(self.oracle)}"
        if not self.nothing.scored:
            return f"doing nothing is not scored: {_outcome(self.nothing)}"
        return "doing nothing passes" if self.nothing.passed else ""


async def check(taskset: Taskset, names: Iterable[str], seeds: Sequence[int]) -> list[Check]:
    """One check a task, by name, then seed."""
    done: list[Check] = []
    for name in names:
        tasks = [taskset.task(name, seed) for seed in seeds]
        nothing = await Runner(taskset=taskset, model=ScriptedModel("nothing", _stop)).run(tasks)
        oracle = taskset.oracle(name)
        solved: Sequence[Trajectory | None] = [None] * len(tasks)
        if oracle is not None:
            model = ScriptedModel("oracle", follow(oracle))
            solved = await Runner(taskset=taskset, model=model).run(tasks)
        done += [Check(*each) for each in zip(tasks, solved, nothing, strict=True)]
    return done


def follow(oracle: Oracle) -> Callable[[Request], Completion]:
    """Answers each request as the oracle would; says that it is done when it has nothing to do."""

    def answer(request: Request) -> Completion:
        instruction = next(said.text for said in request.messages if said.role == "user")
        views = (said.elements for said in reversed(request.messages) if said.elements)
        action = oracle(instruction, next(views, ()))
        return _stop(request) if action is None else Completion(actions=(action,))

    return answer


def _stop(_: Request) -> Completion:
    return Completion(text="done")


def _outcome(rollout: Trajectory) -> str:
    why = rollout.fault or (rollout.grade.why if rollout.grade else "")
    return f"{rollout.end} after {rollout.steps} steps; {why}"
