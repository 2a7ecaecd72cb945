"""One finished rollout: its task, its typed end, its grade, its tokens, and its events."""

import msgspec

from doer.records.completion import Segment
from doer.records.event import Event, TurnEnded
from doer.records.task import MODEL_ENDS, End, Grade, Task


class Trajectory(msgspec.Struct, frozen=True, kw_only=True):
    """One session under one reward.

    `grade` is None when the end is not the model's (see `MODEL_ENDS`): such a rollout is
    unscored. `segments` are the tokens of every decision, in order (none for a model without
    tokens). `steps` counts model calls, `attempts` counts starts, faults included. `events` are
    those of the last attempt; files of trajectories leave them out.
    """

    task: Task
    end: End
    grade: Grade | None = None
    segments: tuple[Segment, ...] = ()
    steps: int = 0
    seconds: float = 0.0
    attempts: int = 1
    fault: str = ""  # what went wrong when the end is not the model's
    events: tuple[Event, ...] = ()

    @property
    def scored(self) -> bool:
        return self.end in MODEL_ENDS and self.grade is not None

    @property
    def passed(self) -> bool:
        return self.grade is not None and self.grade.passed

    @property
    def succeeded(self) -> bool:
        """Passed, or, where nobody grades, done by the agent's own account."""
        return self.passed if self.grade is not None else self.end == "done"

    @property
    def answer(self) -> str:
        """The agent's last words."""
        ends = (e.data.answer for e in reversed(self.events) if isinstance(e.data, TurnEnded))
        return next(ends, "")
