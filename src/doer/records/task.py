"""What is to be done and how it ended: Task, Limits, Grade, End."""

from typing import Any, Literal

import msgspec

End = Literal[
    "done",  # the agent finished, or the world said it is over
    "gave_up",  # the agent stopped and said it could not
    "limit",  # out of steps, tokens or time
    "computer_fault",  # the computer died or hung
    "site_fault",  # the site under work is broken
    "model_fault",  # the model could not answer
    "grader_fault",  # the outcome could not be judged
    "cancelled",  # someone stopped it
]
MODEL_ENDS: frozenset[End] = frozenset({"done", "gave_up", "limit"})
"""The ends a model answers for. Only these are graded and rewarded."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """When to stop. `step_s` bounds one model call or one action, `total_s` the whole turn."""

    steps: int = 50
    step_s: float = 60.0
    total_s: float = 1800.0


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task as data. `start` is the starting state in the terms of its taskset."""

    taskset: str
    name: str
    seed: int
    instruction: str = ""  # a world that writes it while preparing fills it in
    start: dict[str, Any] = {}
    limits: Limits = Limits()

    @property
    def id(self) -> str:
        return f"{self.taskset}/{self.name}#{self.seed}"


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """A grader's judgement of the outcome: score in 0..1, whether it passed, and why."""

    score: float
    passed: bool
    why: str = ""
