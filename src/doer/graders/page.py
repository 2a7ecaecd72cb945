"""Grades a page by the value of an expression in it."""

import math
from dataclasses import dataclass

from doer.computers.computer import Computer
from doer.errors import GraderError
from doer.records.task import Grade


@dataclass(frozen=True)
class PageValue:
    """`expression` is JavaScript with a number as its value. The score is that number cut to
    0..1; it passes only when the number is exactly `passed_at`."""

    name: str
    expression: str
    passed_at: float = 1.0

    async def grade(self, computer: Computer) -> Grade:
        """Raises `GraderError` when the value is not a number, `ComputerError` when the page is
        dead."""
        value = await computer.browser.evaluate(self.expression)
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            raise GraderError(f"{self.name}: {self.expression} is {value!r}, not a number")
        score = min(1.0, max(0.0, float(value)))
        return Grade(score=score, passed=value == self.passed_at, why=f"{self.name} is {value:g}")
