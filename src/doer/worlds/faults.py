"""Another taskset with faults put in, to see that a run survives them and learns the same."""

import random
from collections import Counter

from doer.errors import SiteError
from doer.records.task import End, Task
from doer.worlds.world import Environment, Oracle, Taskset

HANG = "setTimeout(() => { for (;;); }, 0)"


class FaultyTaskset:
    """Of all environments a share fails to reset, and another share has a page that hangs for good
    as soon as it is acted on. `injected` counts both."""

    def __init__(self, inner: Taskset, resets: float, hangs: float, seed: int = 0) -> None:
        self.injected: Counter[str] = Counter()
        self._inner = inner
        self._resets = resets
        self._hangs = hangs
        self._dice = random.Random(seed)

    @property
    def name(self) -> str:
        return self._inner.name

    def names(self) -> tuple[str, ...]:
        return self._inner.names()

    def task(self, name: str, seed: int) -> Task:
        return self._inner.task(name, seed)

    def oracle(self, name: str) -> Oracle | None:
        return self._inner.oracle(name)

    async def prepare(self, task: Task) -> Environment:
        luck = self._dice.random()
        if luck < self._resets:
            self.injected["reset"] += 1
            raise SiteError(f"{task.id} cannot be reset: a fault put in on purpose")
        environment = await self._inner.prepare(task)
        if luck < self._resets + self._hangs:
            self.injected["hang"] += 1
            await environment.computer.browser.evaluate(HANG)
        return environment

    async def release(self, environment: Environment, end: End) -> None:
        await self._inner.release(environment, end)

    async def close(self) -> None:
        await self._inner.close()
