"""The MiniWoB++ world on a real Chromium: resets by seed, and what becomes of broken pages."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from doer.errors import ComputerError, ConfigError, SiteError
from doer.records.action import Element
from doer.tools.browser import observation
from doer.worlds.miniwob.package import html_folder
from doer.worlds.miniwob.world import MiniWob
from doer.worlds.world import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")
slow = pytest.mark.slow
# Their views move by themselves (the terminal has a blinking cursor).
MOVING = {"chase-circle", "click-pie", "drag-cube", "hover-shape", "moving-items"}
MOVING |= {"stock-market", "terminal"}


@asynccontextmanager
async def at_work(world: MiniWob, name: str, seed: int) -> AsyncGenerator[Environment]:
    environment = await world.prepare(world.task(name, seed))
    try:
        yield environment
    finally:
        await world.release(environment, "done")


async def first_view(world: MiniWob, name: str, seed: int) -> tuple[str, tuple[Element, ...]]:
    async with at_work(world, name, seed) as environment:
        assert environment.task.instruction
    assert not environment.over(environment.first)
    return environment.task.instruction, environment.first.elements


@slow
@pytest.mark.timeout(180)
async def test_every_task_resets_by_seed(miniwob: MiniWob) -> None:
    async def same_again(name: str) -> bool:
        one, other, again = [await first_view(miniwob, name, seed) for seed in (1, 2, 1)]
        return one[0] == again[0] and (name in MOVING or one == again) and bool(one[1] or other[1])

    same = await asyncio.gather(*map(same_again, miniwob.names()))
    assert len(same) == 130
    assert [name for name, ok in zip(miniwob.names(), same, strict=True) if not ok] == []


@slow
@pytest.mark.parametrize(
    ("name", "role"),
    [("click-checkboxes", "checkbox"), ("login-user", "textbox"), ("choose-date", "textbox")]
    + [("form-sequence", "checkbox"), ("scroll-text-2", "textbox"), ("use-autocomplete", "textbox")]
    + [("click-menu", "menuitem"), ("choose-list", "combobox"), ("click-collapsible-2", "tab")],
)
async def test_nothing_is_left_of_the_episode_before(
    miniwob: MiniWob, name: str, role: str
) -> None:
    clean = await first_view(miniwob, name, 1)
    async with at_work(miniwob, name, 2) as used:
        browser = used.computer.browser
        element = next(e for e in used.first.elements if e.role == role)
        if role == "menuitem":
            view = await browser.scroll(element.ref, 0)
        elif role == "textbox" and "readonly" not in element.states:
            view = await browser.type(element.ref, "zz")
        else:
            view = await browser.click(element.ref)
        # A menu that is hovered over shows it for a moment only.
        assert view.elements != used.first.elements or role == "menuitem"
    assert await first_view(miniwob, name, 1) == clean


@slow
@pytest.mark.parametrize(("name", "passed"), [("ONE", True), ("TWO", False)])
async def test_the_reward_decides(miniwob: MiniWob, name: str, passed: bool) -> None:
    async with at_work(miniwob, "click-test-2", 1) as environment:
        ref = next(e.ref for e in environment.first.elements if e.name == name)
        view = await environment.computer.browser.click(ref)
        assert environment.over(observation(view))
        (grader,) = environment.graders
        grade = await grader.grade(environment.computer)
    assert (grade.passed, grade.score) == (passed, float(passed))


@slow
async def test_a_page_that_throws_in_its_reset_is_the_sites_fault(miniwob: MiniWob) -> None:
    await spoil(miniwob, "click-test", "throw Error('broken')")
    with pytest.raises(SiteError, match="broken"):
        await miniwob.prepare(miniwob.task("click-test", 2))
    await first_view(miniwob, "click-test", 2)


@slow
async def test_a_page_that_hangs_is_thrown_away(miniwob: MiniWob) -> None:
    await spoil(miniwob, "click-test", "for (;;);")
    with pytest.raises(ComputerError):
        await miniwob.prepare(miniwob.task("click-test", 2))
    await first_view(miniwob, "click-test", 2)


async def spoil(world: MiniWob, name: str, script: str) -> None:
    """Leave a page in the pool whose next reset runs a script."""
    async with at_work(world, name, 1) as environment:
        await environment.computer.browser.evaluate(f"genProblem = () => {{ {script} }}")


@slow
async def test_no_page_is_lost_to_faults_and_cancellations(miniwob: MiniWob) -> None:
    async def start(number: int) -> Environment:
        return await miniwob.prepare(miniwob.task("click-test", number))

    for number in range(6):
        preparing = asyncio.create_task(start(number))
        await asyncio.wait([preparing], timeout=0.01 * number)
        if preparing.cancel():
            with pytest.raises(asyncio.CancelledError):
                await preparing
        else:
            await miniwob.release(preparing.result(), "computer_fault")
    async with asyncio.timeout(30):
        held = [await start(number) for number in range(4)]
    for environment in held:
        await miniwob.release(environment, "done")


@slow
async def test_a_killed_chromium_is_replaced() -> None:
    world = MiniWob(pages=2)
    try:
        environment = await world.prepare(world.task("click-test", 1))
        os.killpg(world._host._chromium.process.pid, signal.SIGKILL)
        with pytest.raises(ComputerError):
            await environment.computer.browser.read()
        await world.release(environment, "computer_fault")
        await first_view(world, "click-test", 1)
    finally:
        await world.close()


async def test_tasks_are_data() -> None:
    world = MiniWob()
    assert len(world.names()) == 130
    assert world.task("choose-date", 7).limits.steps == 18
    with pytest.raises(ConfigError, match="click-nothing"):
        world.task("click-nothing", 1)


async def test_the_package_holds_130_tasks() -> None:
    assert len(list((html_folder() / "miniwob").glob("*.html"))) == 130
