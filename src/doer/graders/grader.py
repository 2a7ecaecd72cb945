"""The Grader contract: judges the end state of a computer."""

from typing import Protocol

from doer.computers.computer import Computer
from doer.records.task import Grade


class Grader(Protocol):
    """State first, words last. A grader never sees how the work was done, only what it left."""

    @property
    def name(self) -> str: ...

    async def grade(self, computer: Computer) -> Grade:
        """Judge the computer as it stands. Raises `GraderError` when it cannot."""
        ...
