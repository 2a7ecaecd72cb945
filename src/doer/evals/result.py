"""What came out of a suite: one item a rollout, tallies by task, and the comparison of two results.

Items that ended by something else than the model (a dead computer, a broken page) have no score:
they are counted apart, never as failures, and the denominator is written out.
"""

from collections import Counter
from collections.abc import Iterable
from statistics import fmean, median
from typing import Any

import msgspec

from doer.evals.statistics import Interval, Paired, paired, wilson
from doer.records.task import End
from doer.records.trajectory import Trajectory


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One rollout of a suite. `score` is None when the end is not the model's; then `fault` says
    what went wrong."""

    id: str
    name: str
    seed: int
    passed: bool
    score: float | None
    end: End
    steps: int
    seconds: float
    fault: str = ""

    @classmethod
    def of(cls, trajectory: Trajectory) -> "Item":
        grade = trajectory.grade if trajectory.scored else None
        return cls(
            id=trajectory.task.id,
            name=trajectory.task.name,
            seed=trajectory.task.seed,
            passed=grade is not None and grade.passed,
            score=None if grade is None else grade.score,
            end=trajectory.end,
            steps=trajectory.steps,
            seconds=trajectory.seconds,
            fault=trajectory.fault,
        )


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Some items together. All but `unscored` speaks of the `n` scored ones; a value that would
    need at least one of them is None without."""

    n: int
    passed: int
    success: float | None
    interval: Interval  # 95 %, Wilson
    steps: float | None  # mean
    seconds: float | None  # median
    unscored: dict[End, int]  # ends that are not the model's

    @classmethod
    def of(cls, items: Iterable[Item]) -> "Tally":
        items = tuple(items)
        scored = [item for item in items if item.score is not None]
        n, passed = len(scored), sum(item.passed for item in scored)
        return cls(
            n=n,
            passed=passed,
            success=passed / n if n else None,
            interval=wilson(passed, n),
            steps=fmean(item.steps for item in scored) if n else None,
            seconds=median(item.seconds for item in scored) if n else None,
            unscored=dict(Counter(item.end for item in items if item.score is None)),
        )

    @property
    def denominator(self) -> str:
        """How many were passed, of how many scored, and what was left out of that, in words."""
        words = f"{self.passed:,} of {self.n:,} scored"
        apart = [f"{count:,} {end.replace('_', ' ')}" for end, count in self.unscored.items()]
        return f"{words}; apart: {', '.join(apart)}" if apart else words


class SuiteResult(msgspec.Struct, frozen=True, kw_only=True):
    """A model on a suite."""

    suite: str
    model: str
    total: Tally
    by_task: dict[str, Tally]
    items: tuple[Item, ...]

    @classmethod
    def of(cls, suite: str, model: str, items: Iterable[Item]) -> "SuiteResult":
        items = tuple(items)
        by_task: dict[str, list[Item]] = {}
        for item in items:
            by_task.setdefault(item.name, []).append(item)
        tallies = {name: Tally.of(group) for name, group in by_task.items()}
        return cls(suite=suite, model=model, total=Tally.of(items), by_task=tallies, items=items)

    def summary(self) -> dict[str, Any]:
        """The result as one small JSON object; `by_task` maps a task to its success."""
        return {
            "success": self.total.success,
            "by_task": {name: tally.success for name, tally in self.by_task.items()},
            "n": self.total.n,
            "interval": self.total.interval,
            "unscored": sum(self.total.unscored.values()),
            "suite": self.suite,
            "model": self.model,
        }


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """`second` against `first`, paired on the items that were scored in both.

    `unpaired` counts the items of either that have no scored partner.
    """

    first: str
    second: str
    total: Paired
    by_task: dict[str, Paired]
    unpaired: int


def compare(first: SuiteResult, second: SuiteResult) -> Comparison:
    """Pair two results item by item: same taskset, task and seed."""
    a = {item.id: item for item in first.items if item.score is not None}
    b = {item.id: item for item in second.items if item.score is not None}
    both = [(a[id], b[id]) for id in a if id in b]
    by_task: dict[str, list[tuple[Item, Item]]] = {}
    for pair in both:
        by_task.setdefault(pair[0].name, []).append(pair)
    everything = {item.id for item in (*first.items, *second.items)}
    return Comparison(
        first=first.model,
        second=second.model,
        total=_paired(both),
        by_task={name: _paired(pairs) for name, pairs in by_task.items()},
        unpaired=len(everything) - len(both),
    )


def _paired(pairs: list[tuple[Item, Item]]) -> Paired:
    gained = sum(b.passed and not a.passed for a, b in pairs)
    lost = sum(a.passed and not b.passed for a, b in pairs)
    return paired(len(pairs), gained, lost)
