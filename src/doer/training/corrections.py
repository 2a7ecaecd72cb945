"""Corrections, flat: the policy tries tasks it has not seen, the oracle says at every state the
policy got into what it would have done there, and the policy learns that (DAgger, Ross et al.,
arXiv 1011.0686). Kinds that fail are drawn more often.
"""

import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from doer.agents.context import request
from doer.models.local.policy import Policy
from doer.models.local.weights import Row
from doer.records.completion import Segment
from doer.records.event import Decided
from doer.records.task import Task
from doer.records.trajectory import Trajectory
from doer.training.losses import imitation
from doer.training.recipe import Corrections
from doer.worlds.check import follow
from doer.worlds.world import Taskset

Collect = Callable[[Sequence[Task], int], Awaitable[list[Trajectory]]]
"""Runs one rollout a task, in order; the number seeds their randomness."""

FLOOR = 0.05  # weight of a kind that never fails
MEMORY = 0.8  # share of the old estimate kept at each rollout of a kind
LAST_RATE = 0.05  # share of the learning rate left at the end
FALLS_FROM = 0.6  # share of the time after which the learning rate falls


class State(msgspec.Struct, kw_only=True):
    """All that the next round depends on besides the learner and the rows, which are gathered
    anew. Saved after every round."""

    success: dict[str, float]  # by kind
    seeds: dict[str, int]  # the next one of each kind
    round: int = 0
    seconds: float = 0.0
    rollouts: int = 0
    corrected: int = 0  # decisions
    best_validation: float = -1.0

    @classmethod
    def fresh(cls, names: Sequence[str], first_seed: int) -> "State":
        return cls(success=dict.fromkeys(names, 0.0), seeds=dict.fromkeys(names, first_seed))


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in one round. Times in seconds; `solved` counts kinds that succeed nine times
    in ten."""

    number: int
    seconds: float
    rollouts: int
    success: float
    solved: int
    phase: str = "corrections"
    rows: int
    loss: float
    rollout_s: float
    unscored: int


async def correct(
    policy: Policy,
    collect: Collect,
    taskset: Taskset,
    config: Corrections,
    seed: int,
    state: State,
    after: Callable[[State, Round], Awaitable[None]],
) -> None:
    """Train until the minutes are used up. `after` is awaited at the end of each round: it saves,
    shows, validates. `state` is advanced in place, so that it can be saved there."""
    known: deque[Segment] = deque(maxlen=config.kept)
    while state.seconds < config.minutes * 60:
        started = time.monotonic()
        dice = random.Random(f"{seed}/{state.round}")
        tasks = drawn(taskset, state, config.rollouts, dice)
        done = await collect([task for _, task in tasks], dice.getrandbits(31))
        rollout_s = time.monotonic() - started
        fresh: list[Segment] = []
        for (name, _), rollout in zip(tasks, done, strict=True):
            if rollout.scored:
                old = state.success[name]
                state.success[name] = MEMORY * old + (1 - MEMORY) * rollout.passed
                fresh += labelled(policy, taskset, name, rollout)
        known.extend(fresh)
        losses: list[float] = []
        share = state.seconds / (config.minutes * 60)
        for _ in range(config.steps if known else 0):
            half = config.batch // 2
            batch = dice.choices(known, k=config.batch - half) + dice.choices(
                fresh or known, k=half
            )
            tokens = sum(sum(segment.mask) for segment in batch)
            rows = [Row(segment) for segment in batch]
            losses.append(policy.learner.step(rows, imitation, tokens, rate(config, share)).loss)
        policy.refresh()
        state.round += 1
        state.rollouts += len(done)
        state.corrected += len(fresh)
        state.seconds += time.monotonic() - started
        await after(state, summary(state, done, len(fresh), losses, rollout_s))


def drawn(
    taskset: Taskset, state: State, count: int, dice: random.Random
) -> list[tuple[str, Task]]:
    """Tasks on seeds not used before, with the names they were drawn by; sorted, because worlds
    reuse what they have loaded."""
    names = sorted(state.success)
    weights = [FLOOR + 1 - state.success[name] for name in names]
    tasks: list[tuple[str, Task]] = []
    for name in sorted(dice.choices(names, weights, k=count)):
        tasks.append((name, taskset.task(name, state.seeds[name])))
        state.seeds[name] += 1
    return tasks


def labelled(policy: Policy, taskset: Taskset, name: str, rollout: Trajectory) -> list[Segment]:
    """What the oracle would have done at every state of a rollout, as rows to learn from; states
    at which it would have done nothing, or nothing that the policy could do, are left out."""
    oracle = taskset.oracle(name)
    assert oracle is not None
    solve = follow(oracle)
    rows: list[Segment] = []
    for place, event in enumerate(rollout.events):
        if not isinstance(event.data, Decided):
            continue
        asked = request(rollout.events[:place])
        try:
            right = solve(asked)
            if right.actions:
                rows.append(policy.demonstration(asked, right))
        except ValueError:  # lost where the oracle knows no way, or beyond the policy
            continue
    return rows


def rate(config: Corrections, share: float) -> float:
    """The learning rate after a share of the time: steady, then falling."""
    falling = max(0.0, (share - FALLS_FROM) / (1 - FALLS_FROM))
    return config.learning_rate * max(LAST_RATE, 1 - falling)


def summary(
    state: State, done: Sequence[Trajectory], rows: int, losses: Sequence[float], rollout_s: float
) -> Round:
    scored = [rollout for rollout in done if rollout.scored]
    return Round(
        number=state.round,
        seconds=state.seconds,
        rollouts=len(done),
        success=sum(rollout.passed for rollout in scored) / max(1, len(scored)),
        solved=sum(success >= 0.9 for success in state.success.values()),
        rows=rows,
        loss=sum(losses) / max(1, len(losses)),
        rollout_s=rollout_s,
        unscored=len(done) - len(scored),
    )
