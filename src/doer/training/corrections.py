"""Corrections, flat: the policy tries tasks it has not seen, the oracle says at every state the
policy got into what it would have done there, and the policy learns that (DAgger, Ross et al.,
arXiv 1011.0686). Kinds that fail are drawn more often.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec

from doer.agents.context import request
from doer.models.local.policy import Policy
from doer.models.local.weights import Learner, Row
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
    tries = Tries(policy, collect, taskset, config, seed)
    coming = asyncio.create_task(tries.next(state))
    try:
        while state.seconds < config.minutes * 60:
            started = time.monotonic()
            found = await coming
            # The next tries are under way, by the weights of before, while these are learnt from.
            coming = asyncio.create_task(tries.next(state))
            known.extend(found.rows)
            losses = await asyncio.to_thread(learn, policy.learner, known, found, config, state)
            policy.refresh()
            state.round += 1
            state.rollouts += len(found.rollouts)
            state.corrected += len(found.rows)
            state.seconds += time.monotonic() - started
            await after(state, summary(state, found, losses))
    finally:
        coming.cancel()
        await asyncio.wait([coming])


@dataclass(frozen=True)
class Tried:
    """Some rollouts, the corrections to them, and the seconds they took."""

    rollouts: Sequence[Trajectory]
    rows: Sequence[Segment]
    seconds: float
    dice: random.Random


@dataclass
class Tries:
    """Rounds of rollouts, each by the weights of its time."""

    policy: Policy
    collect: Collect
    taskset: Taskset
    config: Corrections
    seed: int
    number: int = 0

    async def next(self, state: State) -> Tried:
        """The next round; the estimates of success follow it."""
        started = time.monotonic()
        dice = random.Random(f"{self.seed}/{state.rollouts}/{self.number}")
        self.number += 1
        tasks = drawn(self.taskset, state, self.config.rollouts, dice)
        done = await self.collect([task for _, task in tasks], dice.getrandbits(31))
        rows: list[Segment] = []
        for (name, _), rollout in zip(tasks, done, strict=True):
            if rollout.scored:
                old = state.success[name]
                state.success[name] = MEMORY * old + (1 - MEMORY) * rollout.passed
                rows += labelled(self.policy, self.taskset, name, rollout)
        return Tried(done, rows, time.monotonic() - started, dice)


def learn(
    learner: Learner,
    known: Sequence[Segment],
    found: Tried,
    config: Corrections,
    state: State,
) -> list[float]:
    """The losses of a round's steps."""
    share = state.seconds / (config.minutes * 60)
    losses: list[float] = []
    for _ in range(config.steps if known else 0):
        half = config.batch // 2
        batch = found.dice.choices(known, k=config.batch - half)
        batch += found.dice.choices(found.rows or known, k=half)
        tokens = sum(sum(segment.mask) for segment in batch)
        rows = [Row(segment) for segment in batch]
        losses.append(learner.step(rows, imitation, tokens, rate(config, share)).loss)
    return losses


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


def summary(state: State, found: Tried, losses: Sequence[float]) -> Round:
    scored = [rollout for rollout in found.rollouts if rollout.scored]
    return Round(
        number=state.round,
        seconds=state.seconds,
        rollouts=len(found.rollouts),
        success=sum(rollout.passed for rollout in scored) / max(1, len(scored)),
        solved=sum(success >= 0.9 for success in state.success.values()),
        rows=len(found.rows),
        loss=sum(losses) / max(1, len(losses)),
        rollout_s=found.seconds,
        unscored=len(found.rollouts) - len(scored),
    )
