"""Grades a folder by all that is in it: what should be there, and nothing else changed."""

from collections.abc import Mapping
from dataclasses import dataclass

from doer.computers.computer import Computer
from doer.errors import GraderError, ToolError
from doer.records.task import Grade


@dataclass(frozen=True)
class FolderState:
    """Passes when the folder holds exactly the `expected` texts by path; else the score is 0.
    There is no partial credit: a half-done change is a damaged file."""

    expected: Mapping[str, str]
    name: str = "folder"

    async def grade(self, computer: Computer) -> Grade:
        """Says of every file that differs how. Raises `GraderError` when the folder cannot be
        listed."""
        try:
            there = await computer.files.list()
        except OSError as error:
            raise GraderError(f"{self.name}: {error}") from error
        wrong = [f"{path} is missing" for path in sorted(self.expected.keys() - set(there))]
        wrong += [f"{path} should not be there" for path in there if path not in self.expected]
        for path in there:
            if path in self.expected and not await self._as_expected(computer, path):
                wrong.append(f"{path} differs")
        passed = not wrong
        return Grade(score=float(passed), passed=passed, why="; ".join(wrong) or "as expected")

    async def _as_expected(self, computer: Computer, path: str) -> bool:
        try:
            return await computer.files.read(path) == self.expected[path]
        except ToolError:  # no longer text, or too long: not what was expected
            return False
