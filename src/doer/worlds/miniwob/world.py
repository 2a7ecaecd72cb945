"""MiniWoB++ (Shi et al. 2017, Liu et al. 2018): 130 small web tasks, each drawn by a seed.

No time limit and no time penalty: success is a raw reward of exactly 1 within the step limit.
"""

import asyncio
from importlib.resources import files

from msgspec import structs

from doer.computers.browser import Browser, BrowserHost
from doer.computers.computer import Computer
from doer.computers.page_view import PageView
from doer.errors import ConfigError, SiteError, ToolError
from doer.graders.page import PageValue
from doer.records.action import Observation
from doer.records.task import MODEL_ENDS, End, Limits, Task
from doer.tools.browser import observation
from doer.worlds.miniwob.oracles import ORACLES
from doer.worlds.miniwob.package import html_folder
from doer.worlds.pages import Page, PagePool
from doer.worlds.server import PageServer
from doer.worlds.world import Environment, Oracle

TOOLS = ("click", "type", "select", "press", "scroll", "drag")
VIEWPORT = (500, 400)  # CSS pixels; a task is 160 x 210, its pop-ups reach further
GRADER = PageValue("reward", "__doerSignal().raw")
ACTION_S = 5.0  # a page that works answers in milliseconds
STEPS = 20
STEPS_BY_TASK = {
    "choose-date": 18,
    "choose-date-easy": 6,
    "click-button": 2,
    "click-checkboxes": 9,
    "click-checkboxes-large": 16,
    "click-checkboxes-transfer": 7,
    "click-link": 2,
    "click-option": 4,
    "email-inbox": 7,
    "enter-password": 6,
    "enter-text": 4,
    "enter-text-dynamic": 4,
    "login-user": 6,
    "use-autocomplete": 6,
}


class MiniWob:
    """The taskset `miniwob`. Server and browser start with the first `prepare`; at most `pages`
    environments are out at once; a page that does not answer for `action_s` seconds is given up.
    Construction raises `ConfigError` when the pages are not
    installed."""

    name = "miniwob"

    def __init__(self, pages: int = 16, action_s: float = ACTION_S) -> None:
        self._html = html_folder()
        self._names = tuple(sorted(page.stem for page in (self._html / "miniwob").glob("*.html")))
        self._init_script = files("doer.worlds.miniwob").joinpath("init.js").read_text()
        self._pool = PagePool(self._new_browser, pages)
        self._taken: dict[Computer, Page] = {}
        self._action_s = action_s
        self._starting = asyncio.Lock()
        self._server: PageServer | None = None
        self._host: BrowserHost | None = None

    def names(self) -> tuple[str, ...]:
        return self._names

    def task(self, name: str, seed: int) -> Task:
        if name not in self._names:
            raise ConfigError(f"miniwob has no task {name!r}; `doer tasks list miniwob` shows all")
        limits = Limits(steps=STEPS_BY_TASK.get(name, STEPS))
        return Task(taskset=self.name, name=name, seed=seed, limits=limits)

    def oracle(self, name: str) -> Oracle | None:
        return ORACLES.get(name)

    async def prepare(self, task: Task) -> Environment:
        page = await self._pool.take(task.name)
        try:
            instruction, view = await self._reset(page, task)
        except BaseException:
            await self._pool.discard(page)
            raise
        computer = Computer(browser=page.browser)
        self._taken[computer] = page
        return Environment(
            task=structs.replace(task, instruction=instruction),
            computer=computer,
            tools=TOOLS,
            graders=(GRADER,),
            first=observation(view),
            over=_over,
        )

    async def release(self, environment: Environment, end: End) -> None:
        page = self._taken.pop(environment.computer)
        # Anything but an end of the model's own may leave input or scripts under way in the page.
        if end in MODEL_ENDS and page.browser.alive:
            self._pool.give(page)
        else:
            await self._pool.discard(page)

    async def close(self) -> None:
        async with self._starting:
            if self._host is not None:
                await self._host.close()
            if self._server is not None:
                self._server.close()
            self._host = self._server = None

    async def _new_browser(self) -> Browser:
        async with self._starting:
            if self._server is None:
                self._server = PageServer(self._html)
            if self._host is None:
                self._host = await BrowserHost.start()
            host = self._host
        return await host.new_browser(self._init_script, VIEWPORT, action_s=self._action_s)

    async def _reset(self, page: Page, task: Task) -> tuple[str, PageView]:
        """Start the task's episode; its instruction and the first view."""
        if page.task == task.name:
            await page.browser.park()
        else:
            assert self._server is not None
            page.task = ""
            try:
                await page.browser.open(f"{self._server.origin}/miniwob/{task.name}.html")
            except ToolError as error:
                raise SiteError(f"{task.id} cannot be opened: {error}") from error
            await page.browser.evaluate("__doerLoadImages()")
            page.task = task.name
        # Always a string: a number and its digits need not seed alike.
        started = await page.browser.evaluate(f"__doerReset('{task.seed}')")
        if "error" in started:
            raise SiteError(f"{task.id} cannot be reset: {started['error']}")
        return started["instruction"], await page.browser.read()


def _over(observation: Observation) -> bool:
    """The page gives its reward once; nothing that is done afterwards counts."""
    return bool(observation.signal.get("done"))
