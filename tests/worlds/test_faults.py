"""A failing reset, a hung page or a killed Chromium never crashes, stalls or taints a run."""

import asyncio
import os
import signal
import time

import pytest

from doer.models.scripted import ScriptedModel
from doer.worlds.check import follow
from doer.worlds.faults import FaultyTaskset
from doer.worlds.miniwob.world import MiniWob
from doer.worlds.rollout import Runner

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
NAME = "click-option"


@pytest.fixture
async def world():
    made = MiniWob(pages=4, action_s=2.0)
    yield made
    await made.close()


def solver(world):
    return ScriptedModel("oracle", follow(world.oracle(NAME)))


async def test_failing_resets_and_hung_pages_are_retried(world):
    faulty = FaultyTaskset(world, resets=0.15, hangs=0.1, seed=3)
    runner = Runner(taskset=faulty, model=solver(world), concurrency=4, retries=4)
    started = time.monotonic()
    done = await runner.run([world.task(NAME, seed) for seed in range(40)])
    assert faulty.injected["reset"] >= 3
    assert faulty.injected["hang"] >= 2
    assert all(rollout.passed for rollout in done)
    assert sum(rollout.attempts - 1 for rollout in done) >= sum(
        faulty.injected.values()
    )  # a slow machine adds its own
    assert time.monotonic() - started < 120


async def test_faults_that_stay_are_unscored_never_failed(world):
    faulty = FaultyTaskset(world, resets=1.0, hangs=0.0)
    done = await Runner(taskset=faulty, model=solver(world)).run([world.task(NAME, 1)])
    assert [(r.end, r.scored, r.attempts) for r in done] == [("site_fault", False, 3)]


async def test_a_killed_chromium_is_replaced_in_the_middle_of_a_run(world):
    killed = asyncio.Event()

    def kill(_):
        if not killed.is_set():
            killed.set()
            os.killpg(world._host._chromium.process.pid, signal.SIGKILL)

    runner = Runner(taskset=world, model=solver(world), concurrency=4, on_done=kill)
    done = await runner.run([world.task(NAME, seed) for seed in range(20)])
    assert killed.is_set()
    assert all(rollout.passed for rollout in done)
    assert any(rollout.attempts > 1 for rollout in done)
