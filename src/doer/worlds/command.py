"""What `doer run` and `doer tasks` do."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from doer.config import home
from doer.errors import ConfigError
from doer.records.event import Event
from doer.records.task import Task
from doer.records.trajectory import Trajectory
from doer.sessions.replay import Difference, differences, recorded, task_of
from doer.store.memory import MemoryLog
from doer.store.sqlite import SqliteLog
from doer.store.watched import WatchedLog
from doer.worlds import build
from doer.worlds.check import Check, check
from doer.worlds.desk import Desk
from doer.worlds.rollout import Runner
from doer.worlds.world import Taskset


async def run(
    instruction: str,
    model: str,
    task: str,
    seed: int,
    base_url: str,
    tell: Callable[[Event], None],
) -> Trajectory:
    """One rollout, written to the log of this user and told event by event.

    Nothing is tried twice: what a failed attempt did to the world cannot be undone.
    """
    if bool(instruction) == bool(task):
        raise ConfigError('say what is to be done: doer run "..." or doer run --task SET/NAME')
    if task:
        world, (name, *_) = build.chosen(task)
        wanted = world.task(name, seed)
    else:
        world, name = Desk(), "own"
        wanted = msgspec.structs.replace(world.task(name, 0), instruction=instruction)
    log = WatchedLog(SqliteLog(home() / "log.db"), tell)
    async with aclosing(_Closing(world, log)), build.opened(model, world, base_url) as answers:
        runner = Runner(
            taskset=world, model=answers(name), log=lambda: log, temperature=0.0, retries=0
        )
        return await runner.rollout(wanted)


async def checked(names: Sequence[str], seeds: Sequence[int]) -> list[Check]:
    """Every task of `names` ("miniwob", "files/move-line") on every seed."""
    found: list[Check] = []
    for choice in names:
        world, tasks = build.chosen(choice)
        async with aclosing(_Closing(world)):
            found += await check(world, tasks, seeds)
    return found


async def shown(choice: str, seed: int) -> tuple[Task, str]:
    """A task and what the agent sees at its start."""
    world, (name, *_) = build.chosen(choice)
    async with aclosing(_Closing(world)):
        environment = await world.prepare(world.task(name, seed))
        await world.release(environment, "cancelled")
        return environment.task, environment.first.text


async def sessions() -> tuple[str, ...]:
    """The sessions in this user's log, oldest first."""
    async with aclosing(_Closing(log := SqliteLog(home() / "log.db"))):
        return await log.sessions()


async def retold(session: str, tell: Callable[[Event], None]) -> None:
    """Tell every event of a recorded session. Raises `ConfigError` when there is none."""
    for event in await _events(session):
        tell(event)


async def redone(session: str, tell: Callable[[Event], None]) -> list[Difference]:
    """Do a recorded session again, on a fresh computer; the outcomes that are not as they were."""
    events = await _events(session)
    task = task_of(events)
    world = Desk() if task.taskset == Desk.name else build.taskset(task.taskset)
    async with aclosing(_Closing(world)):
        log = WatchedLog(MemoryLog(), tell)
        runner = Runner(taskset=world, model=recorded(events), log=lambda: log, retries=0)
        done = await runner.rollout(task)
    return differences(events, done.events)


async def _events(session: str) -> tuple[Event, ...]:
    async with aclosing(_Closing(log := SqliteLog(home() / "log.db"))):
        events = await log.read(session)
    if not events:
        raise ConfigError(f"there is no session {session!r}; `doer replay` lists them")
    return events


class _Closing:
    """Closes several things together."""

    def __init__(self, *things: Any) -> None:
        self._things = things

    async def aclose(self) -> None:
        for thing in self._things:
            await thing.close()


def listed(name: str) -> dict[str, list[tuple[str, bool]]]:
    """Taskset -> its tasks, each with whether it has an oracle."""
    worlds: list[Taskset] = [build.taskset(n) for n in ([name] if name else build.TASKSETS)]
    return {
        world.name: [(task, world.oracle(task) is not None) for task in world.names()]
        for world in worlds
    }
