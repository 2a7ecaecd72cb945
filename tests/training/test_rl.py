"""The loop itself, on a one-step world that needs no browser."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from pointing import TEXTS, collect, request, right, share, task

from doer.errors import ConfigError
from doer.models.local.pointer.policy import PointerPolicy
from doer.models.local.weights import Row
from doer.records.completion import Completion, Segment
from doer.records.task import Grade
from doer.records.trajectory import Trajectory
from doer.training.losses import imitation
from doer.training.recipe import RL
from doer.training.rl import Group, State, draw_groups, rehearsed, reinforce, rows_of
from doer.training.run import Run

POOL = [task(seed) for seed in range(30)]
CONFIG = RL(iterations=6, tasks=8, group=8, learning_rate=5e-4, warmup=1, validate_every=100)


def rollout(passed: bool | None, steps: int = 1, end="done") -> Trajectory:
    segment = Segment(token_ids=(1, 2), mask=(0, 1), logprobs=(0.0, -1.0))
    grade = None if passed is None else Grade(score=float(passed), passed=passed)
    return Trajectory(task=POOL[0], end=end, grade=grade, segments=(segment,) * steps, steps=steps)


def test_faults_are_left_out_of_the_group_they_belong_to():
    fault = rollout(None, end="computer_fault")
    group = Group("a", (*[rollout(True)] * 2, *[rollout(False)] * 2, *[fault] * 4))
    rows = rows_of([group], 0.0)
    assert len(rows) == 4
    assert sum(row.advantage for row in rows) == pytest.approx(0.0)


def test_groups_without_contrast_or_with_too_few_scored_rollouts_are_dropped():
    fault = rollout(None, end="site_fault")
    agreed = Group("a", (rollout(True),) * 8)
    starved = Group("b", (rollout(True), rollout(False), rollout(False), *[fault] * 5))
    assert rows_of([agreed, starved], 0.0) == []
    assert not agreed.mixed
    assert not starved.mixed


def test_every_decision_of_a_rollout_has_its_advantage():
    group = Group("a", (*[rollout(True, steps=3)] * 4, *[rollout(False, steps=1)] * 4))
    rows = rows_of([group], 0.0)
    assert len(rows) == 4 * 3 + 4
    assert {row.advantage > 0 for row in rows[:12]} == {True}


async def test_groups_are_refilled_until_some_have_contrast():
    calls: list[list[str]] = []

    async def never(tasks, seed):
        calls.append([t.id for t in tasks])
        return [rollout(False) for _ in tasks]

    state = State.fresh(POOL, 0)
    groups = await draw_groups(never, POOL, CONFIG, state, random.Random(0))
    assert len(calls) == CONFIG.rounds
    ids = [group.id for group in groups]
    assert len(set(ids)) == len(ids) == CONFIG.rounds * CONFIG.tasks


async def cold_start(seed: int = 0) -> PointerPolicy:
    """Enough supervision to be right now and then."""
    policy = PointerPolicy.fresh(TEXTS, seed)
    rows = [
        Row(policy.demonstration(request(t), Completion(actions=(right(t),)))) for t in POOL[:3]
    ]
    policy.learner.step(rows, imitation, normaliser=6.0, lr=5e-4)
    policy.refresh()
    return policy


async def nothing(*_) -> None:
    return


async def test_what_is_rehearsed_counts_as_done_well_by_the_policy_of_now():
    policy = await cold_start()
    shown = [policy.demonstration(request(t), Completion(actions=(right(t),))) for t in POOL[:5]]
    rows = rehearsed(policy.learner, shown, 3, random.Random(0))
    assert len({row.segment.token_ids for row in rows}) == 3
    assert {row.advantage for row in rows} == {1.0}
    now = policy.learner.log_probs(rows)
    for row, logps in zip(rows, now, strict=True):
        assert row.segment.logprobs == pytest.approx(logps, abs=1e-5)
        assert sum(row.segment.logprobs) < 0.0


async def test_without_rehearsing_the_dice_fall_as_before():
    policy = await cold_start()
    dice = random.Random(0)
    assert rehearsed(policy.learner, [], 3, dice) == []
    assert rehearsed(policy.learner, [rollout(True).segments[0]], 0, dice) == []
    assert dice.getstate() == random.Random(0).getstate()


@pytest.mark.slow
async def test_success_rises_on_tasks_it_was_not_trained_on(tmp_path):
    policy = await cold_start()
    fresh = [task(seed) for seed in range(1000, 1100)]
    before = share(await collect(policy, fresh, 1))

    async def sampled(tasks, seed):
        return await collect(policy, tasks, seed)

    async def after(state, report, groups):
        policy.refresh()

    config = msgspec.structs.replace(CONFIG, iterations=15)
    state = State.fresh(POOL, 0)
    await reinforce(policy.learner, sampled, POOL, config, state, tmp_path / "undo", after)
    assert before < 0.75
    assert share(await collect(policy, fresh, 1)) > 0.92


@pytest.mark.slow
async def test_an_update_too_far_from_the_sampler_is_undone(tmp_path):
    policy = await cold_start()
    weights = {k: v.clone() for k, v in policy.learner.weights(policy.learner.version).items()}
    reports = []

    async def sampled(tasks, seed):
        return await collect(policy, tasks, seed)

    async def after(state, report, groups):
        reports.append(report)

    config = msgspec.structs.replace(CONFIG, iterations=1, rows=8, kl_limit=-1.0)
    state = State.fresh(POOL, 0)
    await reinforce(policy.learner, sampled, POOL, config, state, tmp_path / "undo", after)
    (report,) = reports
    assert (report.undone, report.updates) == (4, 0)
    now = policy.learner.weights(policy.learner.version)
    assert all((now[name] == weights[name]).all() for name in weights)


WORKER = """
import asyncio, os, signal, sys
from pathlib import Path
import msgspec
sys.path[:0] = [{here!r}]
from test_rl import resumable
asyncio.run(resumable(Path(sys.argv[1]), int(sys.argv[2]), kill_after=int(sys.argv[3])))
"""


class Called(msgspec.Struct):
    ids: list[str]
    seed: int
    rollouts: list[Trajectory]


async def resumable(folder: Path, iterations: int, kill_after: int = 0) -> list[float]:
    """Train with recorded rollouts where there are any, else record them."""
    checkpoints = Run(folder / "run", None).checkpoints("rl")  # pyright: ignore
    recorded = folder / "calls"
    recorded.mkdir(exist_ok=True)
    found = checkpoints.latest(State)
    if found:
        policy, state = PointerPolicy.resumed(found[0]), found[1]
    else:
        policy, state = await cold_start(), State.fresh(POOL, 0)

    async def sampled(tasks, seed):
        path = recorded / f"{seed}.json"
        if not path.exists():
            rollouts = await collect(policy, tasks, seed)
            called = Called([t.id for t in tasks], seed, rollouts)
            path.write_bytes(msgspec.json.encode(called))
        called = msgspec.json.decode(path.read_bytes(), type=Called)
        assert called.ids == [t.id for t in tasks], "the next batch is another one"
        return called.rollouts

    curve = []

    async def after(state, report, groups):
        curve.append(report.kl)
        policy.refresh()
        checkpoint = checkpoints.new(state.iteration)
        policy.learner.save(checkpoint)
        if kill_after == state.iteration:
            os.kill(os.getpid(), signal.SIGKILL)  # the checkpoint is written but does not count
        checkpoints.commit(checkpoint, state)

    config = msgspec.structs.replace(CONFIG, iterations=iterations)
    await reinforce(policy.learner, sampled, POOL, config, state, folder / "undo", after)
    policy.learner.save(folder / "end")
    return curve


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_killed_run_goes_on_bit_equal(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    asyncio.run(resumable(whole, 4))
    (cut / "calls").symlink_to(whole / "calls")
    script = WORKER.format(here=str(Path(__file__).parent))
    command = [sys.executable, "-c", script, str(cut), "4"]
    killed = subprocess.run([*command, "3"], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert not (cut / "end").exists()
    subprocess.run([*command, "0"], check=True)
    for name in ("model.safetensors", "learner.safetensors"):
        assert (cut / "end" / name).read_bytes() == (whole / "end" / name).read_bytes()


def test_a_folder_holds_one_recipe_only(tmp_path):
    Run(tmp_path, CONFIG)  # pyright: ignore
    with pytest.raises(ConfigError, match="another recipe"):
        Run(tmp_path, msgspec.structs.replace(CONFIG, group=4))  # pyright: ignore
