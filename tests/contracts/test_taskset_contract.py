"""What every taskset must do, run over each implementation."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from doer.errors import ConfigError
from doer.records.task import MODEL_ENDS
from doer.worlds.build import TASKSETS, taskset
from doer.worlds.check import check

BROWSERS = {"miniwob", "practice"}  # those that need one


@asynccontextmanager
async def opened(name):
    world = taskset(name)
    try:
        yield world
    finally:
        await world.close()


def each():
    for name in sorted(TASKSETS):
        yield pytest.param(name, marks=[pytest.mark.slow] if name in BROWSERS else [])


@pytest.fixture(params=each())
def name(request):
    return request.param


async def test_names_are_sorted_and_make_tasks(name):
    async with opened(name) as world:
        assert world.name == name
        assert list(world.names()) == sorted(set(world.names()))
        task = world.task(world.names()[0], 7)
        assert (task.taskset, task.name, task.seed) == (name, world.names()[0], 7)
        assert task == world.task(world.names()[0], 7)
        with pytest.raises(ConfigError, match="no task 'nothing'"):
            world.task("nothing", 0)


async def test_a_seed_always_gives_the_same_start(name):
    async with opened(name) as world:
        solved = [task for task in world.names() if world.oracle(task)][:3]
        for task in solved:
            seen = []
            for seed in (5, 6, 5):
                environment = await world.prepare(world.task(task, seed))
                assert environment.task.instruction
                assert environment.graders
                assert environment.tools
                seen.append((environment.task.instruction, environment.first.text))
                await world.release(environment, "done")
            strip = [text.split("\n", 1)[-1] for _, text in seen]
            assert seen[0][0] == seen[2][0]
            assert strip[0] == strip[2]


async def test_many_can_be_prepared_at_once_and_given_back_with_any_end(name):
    async with opened(name) as world:
        task = next(task for task in world.names() if world.oracle(task))

        async def use(seed):
            environment = await world.prepare(world.task(task, seed))
            await world.release(environment, [*sorted(MODEL_ENDS), "computer_fault"][seed % 4])

        async with asyncio.timeout(60):
            await asyncio.gather(*(use(seed) for seed in range(12)))


async def test_oracles_pass_and_doing_nothing_fails(name):
    async with opened(name) as world:
        solved = [task for task in world.names() if world.oracle(task)][:4]
        assert [one.problem for one in await check(world, solved, [1])] == [""] * len(solved)
