"""Agent actions per second through Session, dispatch and the in-memory log, and what they cost.

    pip install playwright; apt-get install chromium-driver     # for the peers' rows
    python benchmarks/actions.py [--pages 8] [--seconds 5]

All rows but Selenium's do the same logins on the same form with trusted input, and read the page
after every action. Selenium is the `miniwob` package's own environment on its login task: it reads
DOM and screenshot after every action, on one page, which is what the package offers.
"""

import argparse
import asyncio
import contextlib
import importlib.util
import itertools
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from browser import ACTIONS, LOGIN, PASSWORD, USER, VIEWPORT, doer, raw, served

from doer.computers.browser.chromium import find
from doer.computers.browser.host import BrowserHost
from doer.computers.computer import Computer
from doer.computers.files import Folder
from doer.models.scripted import ScriptedModel
from doer.records.action import Action, Element, Observation
from doer.records.completion import Completion
from doer.records.event import Observed
from doer.records.task import Limits, Task
from doer.sessions import build
from doer.store.memory import MemoryLog
from doer.tools.browser import observation

STEPS = 12  # actions in one session: four logins


def script() -> ScriptedModel:
    """Logs in again and again."""
    wanted = itertools.cycle(
        Completion(actions=(Action(tool=tool, arguments=arguments),))
        for tool, arguments in (
            ("type", {"ref": USER, "text": "ann"}),
            ("type", {"ref": PASSWORD, "text": "secret"}),
            ("click", {"ref": LOGIN}),
        )
    )
    return ScriptedModel("login", lambda _: next(wanted))


def session(computer: Computer, model: ScriptedModel):
    task = Task(taskset="form", name="login", seed=0, limits=Limits(steps=STEPS))
    return build.session(
        log=MemoryLog(), model=model, computer=computer, tool_names=("type", "click"), task=task
    )


async def whole(url: str, pages: int, seconds: float) -> float:
    """Sessions of `STEPS` actions, one after the other on every page."""

    async def work(computer: Computer, until: float) -> int:
        done = 0
        while time.perf_counter() < until:
            live = session(computer, script())
            first = observation(await computer.browser.read())
            assert await live.turn("Log in", first) == "limit"
            outcomes = [e.data for e in live.record.events if isinstance(e.data, Observed)]
            assert not any(outcome.observation.error for outcome in outcomes)
            done += len(outcomes)
        return done

    async with await BrowserHost.start() as host:
        computers: list[Computer] = []
        for _ in range(pages):
            browser = await host.new_browser(viewport=VIEWPORT)
            await browser.open(url)
            computers.append(Computer(browser=browser))
        begin = time.perf_counter()
        done = await asyncio.gather(*(work(c, begin + seconds) for c in computers))
        return sum(done) / (time.perf_counter() - begin)


async def playwright(url: str, pages: int, seconds: float) -> float:
    """Playwright's locators, and the text of the page after every action."""
    from playwright.async_api import Page, async_playwright

    async def work(page: Page, until: float) -> int:
        done = 0
        while time.perf_counter() < until:
            for act in (
                page.locator("[name=user]").fill("ann"),
                page.locator("[name=password]").fill("secret"),
                page.locator("button").click(),
            ):
                await act
                await page.locator("body").aria_snapshot()
                done += 1
        return done

    async with async_playwright() as started:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        chromium = await started.chromium.launch(executable_path=find(), args=flags)
        opened = [await (await chromium.new_context()).new_page() for _ in range(pages)]
        for page in opened:
            await page.goto(url)
        begin = time.perf_counter()
        done = await asyncio.gather(*(work(page, begin + seconds) for page in opened))
        rate = sum(done) / (time.perf_counter() - begin)
        await chromium.close()
        return rate


def selenium(seconds: float) -> float:
    """The package's environment: act by reference, observe DOM and screenshot."""
    import gymnasium
    import miniwob
    from miniwob.action import ActionTypes

    gymnasium.register_envs(miniwob)
    env = gymnasium.make("miniwob/login-user-v1")
    done = 0
    try:
        begin = time.perf_counter()
        while time.perf_counter() < begin + seconds:
            seen, _ = env.reset()
            fields = {e["classes"]: e for e in seen["dom_elements"]}
            by_tag = [e for e in seen["dom_elements"] if e["tag"].startswith(("input", "button"))]
            assert fields
            for element, text in zip(by_tag, ("ann", "secret", ""), strict=False):
                kind = (
                    ActionTypes.FOCUS_ELEMENT_AND_TYPE_TEXT if text else ActionTypes.CLICK_ELEMENT
                )
                action = env.unwrapped.create_action(kind, ref=element["ref"], text=text)
                env.step(action)
                done += 1
        return done / (time.perf_counter() - begin)
    finally:
        env.close()


async def overhead() -> float:
    """Milliseconds a step of everything but model and computer: 45 elements, a tool of no time."""
    elements = tuple(Element(n, "link", f"link {n}", None, ()) for n in range(45))
    seen = Observation(text="\n".join(f"L{n}: [{n}] link" for n in range(45)), elements=elements)

    class Instant:
        name, part = "click", "files"
        Arguments = build.tools(["click"])["click"].Arguments

        async def facts(self, context, arguments):
            return {}

        async def run(self, context, arguments):
            return seen

    folder = Path(tempfile.mkdtemp())
    computer = Computer(files=Folder(folder))
    action = Completion(actions=(Action(tool="click", arguments={"ref": 1}),))
    took: list[float] = []
    for _ in range(200):
        live = session(computer, ScriptedModel("same", lambda _: action))
        live.dispatch.tools["click"] = Instant()
        begin = time.perf_counter()
        await live.turn("Go on", seen)
        took.append((time.perf_counter() - begin) / STEPS * 1000)
    computer.files.close()
    shutil.rmtree(folder)
    return statistics.median(took)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rates: dict[str, list[float]] = {}
    with served() as url:
        for _ in range(given.rounds):
            rows = [("raw CDP", raw), ("Browser", doer), ("Session + dispatch + log", whole)]
            if importlib.util.find_spec("playwright"):
                rows.append(("Playwright", playwright))
            for name, row in rows:
                rate = await row(url, given.pages, given.seconds)
                rates.setdefault(name, []).append(rate)
            if shutil.which("chromedriver"):
                with contextlib.suppress(ImportError):
                    rate = await asyncio.to_thread(selenium, given.seconds)
                    rates.setdefault("Selenium (miniwob, 1 page)", []).append(rate)
    limit = statistics.median(rates["raw CDP"])
    print(f"{given.pages} pages, {ACTIONS} actions a login, median of {given.rounds} rounds")
    for name, found in rates.items():
        rate = statistics.median(found)
        spread = f"{min(found):.0f}-{max(found):.0f}"
        print(f"  {name:27} {rate:7.1f} actions/s ({spread})  {rate / limit:5.0%} of raw CDP")
    print(f"  session itself: {await overhead():.3f} ms a step (45 elements)")


if __name__ == "__main__":
    asyncio.run(main())
