"""Reinforcement learning, flat: roll out groups, compare within each group, update, check, repeat.

Differences from GRPO as published: no KL term to a reference (a guard on the KL to the sampler
instead), a constant loss normaliser, groups without contrast dropped and refilled, rollouts that
ended through no fault of the model left out of their group.
"""

import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from doer.models.local.weights import Learner, Loss, Row, StepReport
from doer.records.completion import Segment
from doer.records.task import MODEL_ENDS, Task
from doer.records.trajectory import Trajectory
from doer.training.advantages import group_advantages, rewards
from doer.training.curriculum import Curriculum
from doer.training.losses import clipped_ratio
from doer.training.recipe import RL

Collect = Callable[[Sequence[Task], int], Awaitable[list[Trajectory]]]
"""Runs one rollout a task, in order; the number seeds their randomness."""

FEWEST = 4  # scored rollouts without which a group says nothing
MOST_UNDONE = 3  # halvings of the step in one iteration
KEPT_ROWS = 128  # most rows carried to the next iteration, and for one iteration only


class State(msgspec.Struct, kw_only=True):
    """All that the next iteration depends on besides the learner. Saved after every iteration."""

    curriculum: Curriculum
    dice: tuple[int, tuple[int, ...], float | None]
    iteration: int = 0
    seconds: float = 0.0
    rollouts: int = 0
    step_size: float = 1.0  # factor on the learning rate; halved when success falls apart
    carried: tuple[Row, ...] = ()
    best_validation: float = -1.0
    enough_in_a_row: int = 0

    @classmethod
    def fresh(cls, pool: Sequence[Task], seed: int) -> "State":
        dice = random.Random(seed).getstate()
        return cls(curriculum=Curriculum.over(pool), dice=dice)  # pyright: ignore[reportArgumentType]


class Iteration(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in one iteration. Shares are of groups, 0..1; times in seconds."""

    number: int
    seconds: float
    rollouts: int
    success: float
    all_fail: float
    mixed: float
    all_pass: float
    rows: int
    updates: int
    kl: float
    entropy: float
    grad_norm: float
    undone: int
    steps_of_successes: float
    retired: int
    never_solved: int
    rollout_s: float
    faults: dict[str, int]


@dataclass(frozen=True)
class Update:
    """What learning from one iteration's rows came to: the reports of its optimiser steps, how
    often it was undone for going too far, and the KL to the sampler in the end."""

    reports: Sequence[StepReport]
    undone: int
    kl: float = 0.0


@dataclass(frozen=True)
class Group:
    """Repeats of one task; only what the model answers for counts."""

    id: str
    rollouts: tuple[Trajectory, ...]

    @property
    def scored(self) -> list[Trajectory]:
        return [rollout for rollout in self.rollouts if rollout.scored]

    @property
    def passed(self) -> list[bool]:
        return [rollout.passed for rollout in self.scored]

    @property
    def mixed(self) -> bool:
        return len(self.passed) >= FEWEST and 0 < sum(self.passed) < len(self.passed)


async def reinforce(
    learner: Learner,
    collect: Collect,
    pool: Sequence[Task],
    config: RL,
    state: State,
    undo: Path,
    after: Callable[[State, Iteration, Sequence[Group]], Awaitable[None]],
    shown: Sequence[Segment] = (),
) -> None:
    """Train until it is `over`.

    `after` is awaited at the end of each iteration: it saves, shows, validates. `state` is
    advanced in place, so that it can be saved there. `undo` is a folder of its own, for the
    weights an iteration may have to go back to. `shown` are demonstrated decisions, to rehearse.
    """
    loss = clipped_ratio(config.clip_low, config.clip_high, config.entropy)
    while not over(state, config):
        started = time.monotonic()
        dice = random.Random()
        dice.setstate(state.dice)

        groups = await draw_groups(collect, pool, config, state, dice)
        rollout_s = time.monotonic() - started
        for group in groups:
            state.curriculum.saw(group.id, group.passed)

        efficient = state.curriculum.success >= config.efficiency_from
        fresh = rows_of(groups, config.efficiency if efficient else 0.0)
        rows = [*fresh, *state.carried]
        update = Update([], 0)
        if len(rows) >= config.rows:
            state.carried = ()
            rows += rehearsed(learner, shown, config.rehearsed, dice)
            dice.shuffle(rows)
            warm = min(1.0, (state.iteration + 1) / config.warmup) if config.warmup else 1.0
            rate = config.learning_rate * state.step_size * warm
            update = improve(learner, rows, loss, config, rate, undo)
        else:
            state.carried = tuple(fresh[-KEPT_ROWS:])

        state.iteration += 1
        state.dice = dice.getstate()  # pyright: ignore[reportAttributeAccessIssue]
        state.seconds += time.monotonic() - started
        state.rollouts += sum(len(group.rollouts) for group in groups)
        report = summary(state, groups, update, len(rows), rollout_s)
        await after(state, report, groups)


def over(state: State, config: RL) -> bool:
    """Whether iterations or minutes are used up, or validation was good enough twice running."""
    used_up = state.iteration >= config.iterations or state.seconds >= config.minutes * 60
    return used_up or state.enough_in_a_row >= 2


def improve(
    learner: Learner, rows: Sequence[Row], loss: Loss, config: RL, rate: float, undo: Path
) -> "Update":
    """One pass over the rows. When it has moved the policy too far from the one that sampled them,
    it is undone and made again with half the step."""
    learner.save(undo)
    kl = 0.0
    for undone in range(MOST_UNDONE + 1):
        reports = [
            learner.step(part, loss, normaliser=config.tokens, lr=rate / 2**undone)
            for part in split(rows, min(config.updates, len(rows) // config.rows))
        ]
        kl = kl_to_sampler(learner, rows)
        if kl <= config.kl_limit:
            return Update(reports, undone, kl)
        learner.load(undo)
    return Update([], MOST_UNDONE + 1, kl)


async def draw_groups(
    collect: Collect, pool: Sequence[Task], config: RL, state: State, dice: random.Random
) -> list[Group]:
    """Groups of rollouts, refilled until enough of them have both outcomes."""
    by_id = {task.id: task for task in pool}
    groups: list[Group] = []
    for _ in range(config.rounds):
        # Sorted, so that tasks of one kind follow each other: worlds reuse what they have loaded.
        ids = sorted(state.curriculum.draw(config.tasks, dice, [group.id for group in groups]))
        tasks = [by_id[id] for id in ids for _ in range(config.group)]
        done = await collect(tasks, dice.getrandbits(31))
        starts = range(0, len(done), config.group)
        groups += [
            Group(id, tuple(done[start : start + config.group]))
            for id, start in zip(ids, starts, strict=True)
        ]
        if sum(group.mixed for group in groups) >= config.mixed:
            break
    return groups


def rows_of(groups: Sequence[Group], efficiency: float) -> list[Row]:
    """One row a decision, with its rollout's advantage; groups without contrast give none."""
    rows: list[Row] = []
    for group in groups:
        scored = group.scored
        if len(scored) < FEWEST:
            continue
        rewards_G = rewards(group.passed, [rollout.steps for rollout in scored], efficiency)
        for rollout, advantage in zip(scored, group_advantages(rewards_G), strict=True):
            if advantage != 0.0:
                rows += [Row(segment, advantage) for segment in rollout.segments]
    return rows


def rehearsed(
    learner: Learner, shown: Sequence[Segment], count: int, dice: random.Random
) -> list[Row]:
    """Some of the demonstrated decisions, as if the policy of now had made them and done well: what
    they show is not unlearnt meanwhile, and so goes on being tried elsewhere.

    An imitation loss beside the policy gradient, after DAPG (arXiv 1709.10087); unlike there it
    does not fade.
    """
    some = dice.sample(shown, min(count, len(shown))) if count else []
    if not some:
        return []
    now = learner.log_probs([Row(segment) for segment in some])
    return [Row(replace(old, logprobs=logps)) for old, logps in zip(some, now, strict=True)]


def split(rows: Sequence[Row], parts: int) -> list[Sequence[Row]]:
    """Rows dealt out evenly, in order."""
    return [rows[part::parts] for part in range(parts)]


def kl_to_sampler(learner: Learner, rows: Sequence[Row]) -> float:
    """Mean over chosen tokens of (log p at sampling time - log p now); 0.0 before any update."""
    now = learner.log_probs(rows)
    gaps = [
        old - new
        for row, logps in zip(rows, now, strict=True)
        for old, new, chosen in zip(row.segment.logprobs, logps, row.segment.mask, strict=True)
        if chosen
    ]
    return sum(gaps) / len(gaps)


def summary(
    state: State,
    groups: Sequence[Group],
    update: Update,
    rows: int,
    rollout_s: float,
) -> Iteration:
    """The figures of one iteration."""
    reports = update.reports
    rollouts = [rollout for group in groups for rollout in group.rollouts]
    scored = [rollout for rollout in rollouts if rollout.scored]
    steps = [rollout.steps for rollout in scored if rollout.passed]
    decided = [group for group in groups if group.passed]
    count = max(1, len(decided))
    return Iteration(
        number=state.iteration,
        seconds=state.seconds,
        rollouts=len(rollouts),
        success=sum(rollout.passed for rollout in scored) / max(1, len(scored)),
        all_fail=sum(not any(group.passed) for group in decided) / count,
        all_pass=sum(all(group.passed) for group in decided) / count,
        mixed=sum(0 < sum(group.passed) < len(group.passed) for group in decided) / count,
        rows=rows,
        updates=len(reports),
        kl=update.kl,
        entropy=reports[0].entropy if reports else 0.0,
        grad_norm=max((report.grad_norm for report in reports), default=0.0),
        undone=update.undone,
        steps_of_successes=sum(steps) / max(1, len(steps)),
        retired=state.curriculum.retired,
        never_solved=state.curriculum.never_solved,
        rollout_s=rollout_s,
        faults=dict(Counter(r.end for r in rollouts if r.end not in MODEL_ENDS)),
    )
