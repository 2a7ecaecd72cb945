"""What `doer eval` does."""

from collections.abc import Sequence
from pathlib import Path

from doer.errors import ConfigError
from doer.evals.filming import firsts, replays
from doer.evals.report import write
from doer.evals.report_data import Report
from doer.evals.result import Comparison, SuiteResult, compare
from doer.evals.suite import Suite, evaluate, parse_seeds
from doer.records.task import Task
from doer.records.trajectory import Trajectory
from doer.store.blobs import Blobs, MemoryBlobs
from doer.worlds import build
from doer.worlds.rollout import Runner
from doer.worlds.world import Taskset

VIEWPORT = (500, 400)


async def command(
    choice: str, model: str, against: str, seeds: str, base_url: str, report: Path | None
) -> tuple[SuiteResult, Comparison | None]:
    """Measure `model` on the tasks of `choice` ("files/move-line"), greedily; with `against`, that
    one too, paired, and with `report` both told as a page in that folder.

    Raises `ConfigError` for what does not exist.
    """
    if report is not None and not against:
        raise ConfigError("a report compares two models: add --against")
    world, names = build.chosen(choice)
    suite = Suite.of(world, names, parse_seeds(seeds))
    blobs = MemoryBlobs()
    results: list[SuiteResult] = []
    films: list[list[Trajectory]] = []
    try:
        for name in filter(None, (model, against)):

            async def collect(
                tasks: Sequence[Task], blobs: Blobs | None = None, name: str = name
            ) -> list[Trajectory]:
                return await _run(world, name, base_url, tasks, blobs)

            results.append(await evaluate(suite, name, collect))
            if report is not None:
                films.append(await collect(firsts(suite.tasks), blobs))
    finally:
        await world.close()
    if not against:
        return results[0], None
    if report is not None:
        facts = (("Suite", suite.name), ("Seeds", seeds), ("Before", against), ("After", model))
        told = Report(
            title=f"{model} against {against}",
            facts=facts,
            training=(),
            validation=(),
            before=results[1],
            after=results[0],
            replays=replays(films[1], films[0], blobs, VIEWPORT),
        )
        write(told, report)
    return results[0], compare(results[1], results[0])


async def _run(
    world: Taskset, model: str, base_url: str, tasks: Sequence[Task], blobs: Blobs | None
) -> list[Trajectory]:
    """One rollout a task, with the likeliest actions; filmed into `blobs` if there are any."""
    done: list[Trajectory] = []
    async with build.opened(model, world, base_url) as answers:
        for kind in dict.fromkeys(task.name for task in tasks):
            runner = Runner(taskset=world, model=answers(kind), temperature=0.0, blobs=blobs)
            done += await runner.run([task for task in tasks if task.name == kind])
    return done
