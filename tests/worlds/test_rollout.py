"""Rollouts: typed ends, retries, and what is never counted as the model's failure."""

import asyncio
from dataclasses import replace

import pytest

from doer.errors import ComputerError, GraderError, ModelError, SiteError
from doer.models.scripted import ScriptedModel
from doer.records.completion import Completion
from doer.records.task import Grade
from doer.worlds.build import oracle
from doer.worlds.files.world import FileChores
from doer.worlds.rollout import Runner


@pytest.fixture
async def world():
    made = FileChores()
    yield made
    await made.close()


IDLE = ScriptedModel("idle", lambda _: Completion(text="done"))


async def test_a_rollout_is_a_session_with_a_grade_at_its_end(world):
    name = world.names()[0]
    done = await Runner(taskset=world, model=oracle(world, name)).rollout(world.task(name, 1))
    assert (done.end, done.passed, done.attempts) == ("done", True, 1)
    assert done.task.instruction
    kinds = [event.kind for event in done.events]
    assert kinds[:2] == ["session.started", "turn.started"]
    assert kinds[-3:] == ["turn.ended", "grade", "session.ended"]


async def test_doing_nothing_fails_and_is_scored(world):
    done = await Runner(taskset=world, model=IDLE).rollout(world.task(world.names()[0], 1))
    assert done.scored
    assert not done.passed


class Broken(FileChores):
    """Fails in a chosen place for its first `times` uses."""

    def __init__(self, where, error, times):
        super().__init__()
        self.where, self.error, self.times = where, error, times
        self.prepared = self.released = 0

    def _fail(self, where):
        if self.where == where and self.times > 0:
            self.times -= 1
            raise self.error

    async def prepare(self, task):
        self._fail("prepare")
        environment = await super().prepare(task)
        self.prepared += 1
        outer = self

        class Judge:
            name = "judge"

            async def grade(self, computer):
                outer._fail("grade")
                return Grade(score=1.0, passed=True)

        return replace(environment, graders=(Judge(),))

    async def release(self, environment, end):
        self.released += 1
        await super().release(environment, end)


@pytest.mark.parametrize(
    ("where", "error", "end"),
    [
        ("prepare", SiteError("500"), "site_fault"),
        ("prepare", ComputerError("dead"), "computer_fault"),
        ("prepare", ZeroDivisionError("plain"), "computer_fault"),
        ("grade", GraderError("no judge"), "grader_fault"),
        ("grade", KeyError("plain"), "grader_fault"),
    ],
)
async def test_faults_are_retried_then_kept_unscored(where, error, end):
    for times, scored in ((1, True), (2, True), (3, False)):
        world = Broken(where, error, times)
        runner = Runner(taskset=world, model=IDLE, retries=2)
        done = await runner.rollout(world.task(world.names()[0], 1))
        assert done.scored is scored
        assert done.attempts == min(times + 1, 3)
        assert done.end == ("done" if scored else end)
        assert scored or (done.grade is None and done.fault)
        assert world.prepared == world.released


async def test_a_model_fault_is_not_the_models_failure(world):
    def down(_):
        raise ModelError("outage")

    runner = Runner(taskset=world, model=ScriptedModel("down", down), retries=0)
    done = await runner.rollout(world.task(world.names()[0], 1))
    assert (done.end, done.scored, done.fault) == ("model_fault", False, "outage")


async def test_one_bad_rollout_does_not_disturb_the_others():
    world = Broken("prepare", SiteError("500"), 1)
    tasks = [world.task(name, 1) for name in world.names()]
    told = []
    runner = Runner(taskset=world, model=IDLE, retries=0, on_done=told.append)
    done = await runner.run(tasks)
    assert [rollout.task.name for rollout in done] == [task.name for task in tasks]
    ends = sorted(rollout.end for rollout in done)
    assert ends == ["done"] * (len(tasks) - 1) + ["site_fault"]
    assert len(told) == len(tasks)


async def test_concurrency_is_bounded(world):
    running = most = 0

    class Counting:
        name = "counting"

        async def respond(self, request):
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1
            return Completion(text="done")

    tasks = [world.task(world.names()[0], seed) for seed in range(10)]
    await Runner(taskset=world, model=Counting(), concurrency=3).run(tasks)
    assert 2 <= most <= 3


async def test_randomness_depends_on_seed_task_and_number_alone(world):
    seeds = []

    def note(request):
        seeds.append(request.sampling.seed)
        return Completion(text="done")

    runner = Runner(taskset=world, model=ScriptedModel("note", note), seed=5, concurrency=1)
    tasks = [world.task(world.names()[0], 1)] * 3
    await runner.run(tasks)
    first = list(seeds)
    seeds.clear()
    await runner.run(tasks)
    assert seeds == first
    assert len(set(first)) == 3
