"""The practice world on a real Chromium: resets by seed, oracles, and what a wrong field costs."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from doer.errors import SiteError
from doer.records.action import Element
from doer.records.event import Observed, TurnStarted
from doer.tools.browser import observation
from doer.worlds.check import check
from doer.worlds.practice.world import Practice
from doer.worlds.seen import all_of, find, quoted
from doer.worlds.world import Environment

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
PAGES = 3
SEEDS = range(4)
STEPS = range(2, 15)  # how many a task should take
ELEMENTS = 64


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def practice() -> AsyncIterator[Practice]:
    """One Chromium and three pages for all tests of this module."""
    world = Practice(pages=PAGES)
    yield world
    await world.close()


async def first_view(
    world: Practice, name: str, seed: int, act: int = 0
) -> tuple[str, tuple[Element, ...]]:
    """What a task begins with. Afterwards `act` steps of its oracle are done."""
    environment = await world.prepare(world.task(name, seed))
    assert not environment.over(environment.first)
    oracle = world.oracle(name)
    elements = environment.first.elements
    for _ in range(act):
        action = oracle(environment.task.instruction, elements) if oracle else None
        if action is None:
            break
        tool = getattr(environment.computer.browser, action.tool)
        elements = (await tool(*action.arguments.values())).elements
    await world.release(environment, "done")
    return environment.task.instruction, environment.first.elements


@pytest.mark.timeout(120)
async def test_every_page_resets_by_seed(practice: Practice) -> None:
    pages = asyncio.Semaphore(PAGES)  # so that each task keeps its page for all three

    async def views(name: str) -> list[tuple[str, tuple[Element, ...]]]:
        async with pages:
            return [await first_view(practice, name, seed, act=2) for seed in (1, 2, 1)]

    names = practice.names()
    seen = dict(zip(names, await asyncio.gather(*map(views, names)), strict=True))
    assert [name for name, (one, _, again) in seen.items() if one != again] == []
    assert [name for name, (one, other, _) in seen.items() if one[0] == other[0]] == []


@pytest.mark.timeout(180)
async def test_every_oracle_passes_in_few_steps_and_small_views(practice: Practice) -> None:
    checks = await check(practice, practice.names(), SEEDS)
    assert {c.task.id: c.problem for c in checks if c.problem} == {}
    for rollout in [c.oracle for c in checks if c.oracle]:
        views = [
            e.data.observation for e in rollout.events if isinstance(e.data, Observed | TurnStarted)
        ]
        assert rollout.steps in STEPS, rollout.task.id
        assert all(v and len(v.elements) <= ELEMENTS for v in views), rollout.task.id
        assert not any(v and ("left out" in v.text or v.error) for v in views), rollout.task.id


async def solved_but_for_the_last_click(
    world: Practice, environment: Environment
) -> tuple[Element, ...]:
    """Follow the oracle until it would press the last button."""
    oracle = world.oracle(environment.task.name)
    assert oracle is not None
    elements = environment.first.elements
    for _ in STEPS:
        action = oracle(environment.task.instruction, elements)
        assert action is not None
        if action.arguments["ref"] == all_of(elements, "button")[-1].ref:
            return elements
        act = getattr(environment.computer.browser, action.tool)
        elements = (await act(*action.arguments.values())).elements
    raise AssertionError("the last button is never pressed")


@pytest.mark.parametrize(
    ("name", "role", "label"),
    [
        ("train-form", "textbox", "Note"),
        ("train-form", "checkbox", "Travel"),
        ("train-switches", "switch", "Auto save"),
        ("train-cart", "button", "Add Olive ladder"),
        ("test-tickets", "button", "More children"),
    ],
)
async def test_one_wrong_field_is_a_failure(
    practice: Practice, name: str, role: str, label: str
) -> None:
    environment = await practice.prepare(practice.task(name, 3))
    browser = environment.computer.browser
    elements = await solved_but_for_the_last_click(practice, environment)
    target = find(elements, role, label)
    assert target is not None
    spoil = browser.type(target.ref, "zz") if role == "textbox" else browser.click(target.ref)
    view = await spoil
    end = observation(await browser.click(all_of(view.elements, "button")[-1].ref))
    (grader,) = environment.graders
    grade = await grader.grade(environment.computer)
    await practice.release(environment, "done")
    assert environment.over(end)
    assert (grade.score, grade.passed) == (0, False)


async def test_the_wrong_mail_is_a_failure(practice: Practice) -> None:
    environment = await practice.prepare(practice.task("train-inbox", 1))
    browser = environment.computer.browser
    subjects = all_of(environment.first.elements, "button")
    wrong = next(e for e in subjects if e.name not in quoted(environment.task.instruction))
    letter = (await browser.click(wrong.ref)).elements
    delete = find(letter, "button", "Delete")
    assert delete is not None
    end = observation(await browser.click(delete.ref))
    await practice.release(environment, "done")
    assert environment.over(end)
    assert end.signal["raw"] == 0


async def test_a_page_that_throws_is_the_sites_fault(practice: Practice) -> None:
    environment = await practice.prepare(practice.task("train-form", 1))
    await environment.computer.browser.evaluate("page(() => { throw Error('broken') })")
    await practice.release(environment, "done")
    with pytest.raises(SiteError, match="broken"):
        await practice.prepare(practice.task("train-form", 2))
