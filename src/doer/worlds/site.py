"""Tasks on web pages of our own: a page each, served from a folder and reset by a seed.

A page answers `__doerReset(seed)` with its instruction, or an error, and tells by `__doerSignal()`
whether the episode is over and what its raw reward is.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import structs

from doer.computers.browser.browser import Browser
from doer.computers.browser.host import BrowserHost
from doer.computers.browser.page_view import PageView
from doer.computers.computer import Computer
from doer.errors import ConfigError, SiteError, ToolError
from doer.graders.page import PageValue
from doer.records.action import Observation
from doer.records.task import MODEL_ENDS, End, Limits, Task
from doer.tools.browser import observation
from doer.worlds.pages import Page, PagePool
from doer.worlds.server import PageServer
from doer.worlds.world import Environment, Oracle

TOOLS = ("click", "type", "select", "press", "scroll", "drag")
GRADER = PageValue("reward", "__doerSignal().raw")
ACTION_S = 5.0  # a page that works answers in milliseconds
STEPS = 20


@dataclass(frozen=True, kw_only=True)
class Site:
    """The pages of a taskset. `paths`: task -> its page's address below `folder`. `steps`: where
    the limit is not 20. `init_script` runs in every page before its own scripts, `loaded` once when
    it is there. `viewport`: width and height in CSS pixels."""

    name: str
    folder: Path
    paths: Mapping[str, str]
    viewport: tuple[int, int]
    oracles: Mapping[str, Oracle]
    steps: Mapping[str, int] = field(default_factory=dict[str, int])
    init_script: str = ""
    loaded: str = ""


class WebTasks:
    """The taskset of a site. Server and browser start with the first `prepare`; at most `pages`
    environments are out at once; a page that does not answer for `action_s` seconds is given up."""

    def __init__(self, site: Site, pages: int = 16, action_s: float = ACTION_S) -> None:
        self._site = site
        self._pool = PagePool(self._new_browser, pages)
        self._taken: dict[Computer, Page] = {}
        self._action_s = action_s
        self._starting = asyncio.Lock()
        self._server: PageServer | None = None
        self._host: BrowserHost | None = None

    @property
    def name(self) -> str:
        return self._site.name

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._site.paths))

    def task(self, name: str, seed: int) -> Task:
        if name not in self._site.paths:
            raise ConfigError(
                f"{self.name} has no task {name!r}; `doer tasks list {self.name}` shows all"
            )
        limits = Limits(steps=self._site.steps.get(name, STEPS))
        return Task(taskset=self.name, name=name, seed=seed, limits=limits)

    def oracle(self, name: str) -> Oracle | None:
        return self._site.oracles.get(name)

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
                self._server = PageServer(self._site.folder)
            if self._host is None:
                self._host = await BrowserHost.start()
            host = self._host
        script, viewport = self._site.init_script, self._site.viewport
        return await host.new_browser(script, viewport, action_s=self._action_s)

    async def _reset(self, page: Page, task: Task) -> tuple[str, PageView]:
        """Start the task's episode; its instruction and the first view."""
        if page.task == task.name:
            await page.browser.park()
        else:
            assert self._server is not None
            page.task = ""
            try:
                await page.browser.open(f"{self._server.origin}/{self._site.paths[task.name]}")
            except ToolError as error:
                raise SiteError(f"{task.id} cannot be opened: {error}") from error
            if self._site.loaded:
                await page.browser.evaluate(self._site.loaded)
            page.task = task.name
        # Always a string: a number and its digits need not seed alike.
        started = await page.browser.evaluate(f"__doerReset('{task.seed}')")
        if "error" in started:
            raise SiteError(f"{task.id} cannot be reset: {started['error']}")
        return started["instruction"], await page.browser.read()


def _over(observation: Observation) -> bool:
    """The page gives its reward once; nothing that is done afterwards counts."""
    return bool(observation.signal.get("done"))
