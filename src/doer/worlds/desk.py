"""The world of a user's own task: a browser of one's own, an instruction, and nobody who grades."""

from doer.computers.browser.host import BrowserHost
from doer.computers.computer import Computer
from doer.errors import ConfigError
from doer.records.task import End, Limits, Task
from doer.tools.browser import observation
from doer.worlds.world import Environment, Oracle

TOOLS = ("open", "read", "click", "type", "select", "press", "scroll", "drag")
LIMITS = Limits(steps=100, step_s=120.0, total_s=3600.0)


class Desk:
    """A taskset of one name, whose tasks carry their own instruction."""

    name = "desk"

    def __init__(self) -> None:
        self._host: BrowserHost | None = None

    def names(self) -> tuple[str, ...]:
        return ("own",)

    def task(self, name: str, seed: int) -> Task:
        if name not in self.names():
            raise ConfigError(f"desk has no task {name!r}")
        return Task(taskset=self.name, name=name, seed=seed, limits=LIMITS)

    def oracle(self, name: str) -> Oracle | None:
        return None

    async def prepare(self, task: Task) -> Environment:
        if self._host is None:
            self._host = await BrowserHost.start()
        browser = await self._host.new_browser(action_s=task.limits.step_s)
        return Environment(
            task=task,
            computer=Computer(browser=browser),
            tools=TOOLS,
            graders=(),
            first=observation(await browser.read()),
        )

    async def release(self, environment: Environment, end: End) -> None:
        await environment.computer.browser.close()

    async def close(self) -> None:
        if self._host is not None:
            await self._host.close()
            self._host = None
