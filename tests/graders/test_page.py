"""`PageValue` reads a number from a live page: cut to 0..1, passed only on the exact value."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from doer.computers.browser.host import BrowserHost
from doer.computers.computer import Computer
from doer.errors import DoerError, GraderError
from doer.graders.page import PageValue

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def computer() -> AsyncIterator[Computer]:
    async with await BrowserHost.start() as host:
        yield Computer(browser=await host.new_browser())


@pytest.mark.parametrize(
    ("expression", "score", "passed"),
    [("1", 1.0, True), ("0.5", 0.5, False), ("-1", 0.0, False), ("3", 1.0, False)]
    + [("0.999999", 0.999999, False), ("2 - 1.0", 1.0, True)],
)
async def test_score_and_pass(
    computer: Computer, expression: str, score: float, passed: bool
) -> None:
    grade = await PageValue("reward", expression).grade(computer)
    assert (grade.score, grade.passed) == (score, passed)


async def test_passes_at_another_value(computer: Computer) -> None:
    assert (await PageValue("items", "3", passed_at=3).grade(computer)).passed


@pytest.mark.parametrize("expression", ["'1'", "true", "undefined", "NaN", "({})", "null"])
async def test_what_is_no_number_is_not_judged(computer: Computer, expression: str) -> None:
    with pytest.raises(GraderError):
        await PageValue("reward", expression).grade(computer)


async def test_a_script_that_throws_gives_no_grade(computer: Computer) -> None:
    with pytest.raises(DoerError):
        await PageValue("reward", "nowhere.to.be.found").grade(computer)
