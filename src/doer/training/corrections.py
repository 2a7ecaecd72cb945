"""Corrections, flat: the policy tries tasks it has not seen, the oracle says at every state the
policy got into what it would have done there, and the policy learns that (DAgger, Ross et al.,
arXiv 1011.0686). Rounds of rollouts and of learning take turns, so each has the machine to itself.
Kinds that fail now and then are drawn more often than others.
"""

import asyncio
import random
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import msgspec

from doer.agents.context import request
from doer.models.local.policy import Policy
from doer.models.local.weights import Learner, Row
from doer.models.model import Model
from doer.records.completion import Completion, Request, Segment
from doer.records.event import Decided
from doer.records.task import Task
from doer.records.trajectory import Trajectory
from doer.training.losses import imitation
from doer.training.recipe import Corrections
from doer.worlds.check import follow
from doer.worlds.world import Taskset

Attempt = Callable[[Model, Task, int], Awaitable[Trajectory]]
"""One rollout of a task by a model; the number seeds its randomness."""

Weights = Mapping[str, float]
"""By kind, how often it is drawn as against others of the same success."""

Known = dict[str, deque[Segment]]
"""Corrections by kind."""

FLOOR = 0.05  # weight of a kind that never fails, when kinds are drawn to be tried
REVIEWED = 0.3  # the same when they are drawn to be learnt again
BEGUN = 0.1  # success from which a kind is thought to be within reach
FAR = 0.4  # need of a kind that is not
SURE = -0.1  # log-probability of a decision that was right and hardly in doubt
REMEMBERED = 0.2  # share of such decisions that are learnt from: most teach nothing; of kinds that
# are known all are, or they would be forgotten
KNOWN = 0.9  # success from which on a kind is tried only a few times a round
SLIGHT = 0.1  # weight below which it is too
STUCK = 4  # views in a row that are the same, at which a rollout is given up
MEMORY = 0.7  # share of the old estimate kept at each rollout of a kind
LAST_RATE = 0.05  # share of the learning rate left at the end
FALLS_FROM = 0.6  # share of the time after which the learning rate falls


class State(msgspec.Struct, kw_only=True):
    """All that the next round depends on besides the learner and the rows, which are gathered
    anew. Saved after every round."""

    success: dict[str, float]  # by kind, estimated
    tried: dict[str, bool] = {}  # whether there is an estimate yet
    seeds: dict[str, int]  # the next one of each kind
    round: int = 0
    seconds: float = 0.0
    rollouts: int = 0
    corrected: int = 0  # decisions
    best_validation: float = -1.0

    @classmethod
    def fresh(cls, names: Sequence[str], first_seed: int) -> "State":
        return cls(success=dict.fromkeys(names, 0.0), seeds=dict.fromkeys(names, first_seed))

    def saw(self, name: str, passed: bool) -> None:
        """Take in how a rollout without help ended; the first is believed."""
        memory = MEMORY if self.tried.get(name) else 0.0
        self.success[name] = memory * self.success[name] + (1 - memory) * passed
        self.tried[name] = True


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
    attempt: Attempt,
    taskset: Taskset,
    config: Corrections,
    seed: int,
    state: State,
    after: Callable[[State, Round], Awaitable[None]],
    weights: Weights = MappingProxyType({}),
) -> None:
    """Train until the minutes are used up. `after` is awaited at the end of each round: it saves,
    shows, validates. `state` is advanced in place, so that it can be saved there. A kind without
    a weight has 1."""
    known: Known = defaultdict(lambda: deque(maxlen=config.kept))
    tries = Tries(policy, attempt, taskset, config, seed, weights)
    loop, thread = asyncio.get_running_loop(), ThreadPoolExecutor(1, "learn")
    try:
        while state.seconds < config.minutes * 60:
            started = time.monotonic()
            # The first round tries all, also when going on: what was known is gathered anew.
            found = await tries.next(state, config.kinds if known else len(state.success))
            for name, row in found.rows:
                known[name].append(row)
            lesson = partial(learn, policy.learner, known, found, config, state)
            losses = await loop.run_in_executor(thread, lesson)
            policy.refresh()
            state.round += 1
            state.rollouts += len(found.rollouts)
            state.corrected += len(found.rows)
            state.seconds += time.monotonic() - started
            await after(state, summary(state, found, losses))
    finally:
        thread.shutdown(wait=False)


@dataclass(frozen=True)
class Tried:
    """Some rollouts, the corrections to them, and the seconds they took."""

    rollouts: Sequence[Trajectory]
    rows: Sequence[tuple[str, Segment]]
    seconds: float
    dice: random.Random


@dataclass
class Tries:
    """Rounds of rollouts, each by the weights of its time."""

    policy: Policy
    attempt: Attempt
    taskset: Taskset
    config: Corrections
    seed: int
    weights: Weights
    number: int = 0

    async def next(self, state: State, kinds: int) -> Tried:
        """The next round, of so many kinds; the estimates of success follow it."""
        started = time.monotonic()
        dice = random.Random(f"{self.seed}/{state.rollouts}/{self.number}")
        self.number += 1
        names = drawn(state, kinds, dice, self.weights)
        async with asyncio.TaskGroup() as group:
            jobs = [group.create_task(self._chain(name, state, dice.random())) for name in names]
        chains = [(name, job.result()) for name, job in zip(names, jobs, strict=True)]
        tried = [(name, at, r) for name, chain in chains for at, r in enumerate(chain)]
        rows: list[tuple[str, Segment]] = []
        for name, at, rollout in tried:
            if rollout.scored:
                if at < self.config.alone:
                    state.saw(name, rollout.passed)
                remembered = 1.0 if state.success[name] >= KNOWN else REMEMBERED
                for row in labelled(self.policy, self.taskset, name, rollout, dice, remembered):
                    rows.append((name, row))
        return Tried([r for _, _, r in tried], rows, time.monotonic() - started, dice)

    def _count(self, name: str, state: State) -> int:
        """How many rollouts of a kind: what is known, or hardly counts, is only looked after."""
        known = state.success[name] >= KNOWN or self.weights.get(name, 1.0) < SLIGHT
        return self.config.alone if known else self.config.rollouts

    async def _chain(self, name: str, state: State, luck: float) -> list[Trajectory]:
        """Rollouts of one kind, one after the other: so they share a page that is loaded once. In
        those after the first few the oracle takes steps as well, the more the less the policy can
        do alone: so that it gets to see how things go on."""
        done: list[Trajectory] = []
        oracle = self.taskset.oracle(name)
        assert oracle is not None
        guided = Guided(self.policy.model, follow(oracle), 1 - state.success[name])
        for number in range(self._count(name, state)):
            task = self.taskset.task(name, state.seeds[name])
            state.seeds[name] += 1
            model = Impatient(self.policy.model if number < self.config.alone else guided)
            done.append(await self.attempt(model, task, int(luck * 2**31) + number))
        return done


@dataclass(frozen=True)
class Impatient:
    """A model that gives up where its last actions changed nothing: the oracle would say the same
    there again."""

    model: Model

    @property
    def name(self) -> str:
        return self.model.name

    async def respond(self, request: Request) -> Completion:
        views = [said.elements for said in request.messages if said.elements]
        if len(views) >= STUCK and all(view == views[-1] for view in views[-STUCK:]):
            return Completion(text="stuck")
        return await self.model.respond(request)


@dataclass(frozen=True)
class Guided:
    """A policy whose hand is taken: a share of the steps are the oracle's."""

    policy: Model
    solve: Callable[[Request], Completion]
    share: float

    @property
    def name(self) -> str:
        return self.policy.name

    async def respond(self, request: Request) -> Completion:
        if random.Random(request.sampling.seed).random() < self.share:
            with suppress(Exception):  # an oracle lost where its makers never thought of
                return self.solve(request)
        return await self.policy.respond(request)


def learn(
    learner: Learner, known: Known, found: Tried, config: Corrections, state: State
) -> list[float]:
    """The losses of a round's steps."""
    share = state.seconds / (config.minutes * 60)
    new: Known = defaultdict(deque)
    for name, row in found.rows:
        new[name].append(row)
    kinds = list(new)
    names = list(known)
    weights = [REVIEWED + need(state.success[name]) for name in names]
    losses: list[float] = []
    for _ in range(config.steps if known else 0):
        half = config.batch // 2 if new else 0
        batch = [found.dice.choice(new[name]) for name in found.dice.choices(kinds, k=half)]
        for name in found.dice.choices(names, weights, k=config.batch - half):
            batch.append(found.dice.choice(known[name]))
        tokens = sum(sum(segment.mask) for segment in batch)
        rows = [Row(segment) for segment in batch]
        losses.append(learner.step(rows, imitation, tokens, rate(config, share)).loss)
    return losses


def need(success: float) -> float:
    """How much a kind is to be worked on: the more the more it fails, but less when it is not
    within reach yet."""
    return 1 - success if success >= BEGUN else FAR


def drawn(
    state: State, count: int, dice: random.Random, favoured: Weights = MappingProxyType({})
) -> list[str]:
    """Different kinds, those that need it more likely than others."""
    weights = {
        name: (FLOOR + need(success)) * favoured.get(name, 1.0)
        for name, success in sorted(state.success.items())
    }
    names: list[str] = []
    while weights and len(names) < count:
        (name,) = dice.choices(list(weights), list(weights.values()))
        del weights[name]
        names.append(name)
    return names


def labelled(
    policy: Policy,
    taskset: Taskset,
    name: str,
    rollout: Trajectory,
    dice: random.Random,
    remembered: float = REMEMBERED,
) -> list[Segment]:
    """What the oracle would have done at every state of a rollout, as rows to learn from. Left out
    are states at which it would have done nothing, or nothing that the policy could do,
    repetitions, and what the policy knew but for a share `remembered`."""
    oracle = taskset.oracle(name)
    assert oracle is not None
    solve = follow(oracle)
    rows: dict[tuple[int, ...], Segment] = {}
    for place, event in enumerate(rollout.events):
        if not isinstance(event.data, Decided):
            continue
        asked = request(rollout.events[:place])
        try:
            right = solve(asked)
        except Exception:  # noqa: BLE001 - an oracle lost where its makers never thought of
            continue
        if right.actions:
            with suppress(ValueError):  # beyond the policy
                row = policy.demonstration(asked, right)
                own = event.data.completion.segment
                knew = own and own.token_ids == row.token_ids and sum(own.logprobs) > SURE
                if not knew or dice.random() < remembered:
                    rows[row.token_ids] = row
    return list(rows.values())


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
