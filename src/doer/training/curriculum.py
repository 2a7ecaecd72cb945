"""Which tasks to try next: those near 50 % success teach most; solved ones are seldom revisited."""

import random
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

import msgspec

from doer.records.task import Task

FLOOR = 0.03  # weight of a task that looks solved or impossible
MEMORY = 0.25  # share of the old estimate kept at each visit
FIRST_GUESS = 0.3
RETIRED = 2  # visits in a row with all rollouts passing, after which a task is seldom drawn
RETIRED_WEIGHT = 0.005


class Place(msgspec.Struct):
    """What is known of one task: its kind, estimated success, and how visits went."""

    kind: str
    success: float = FIRST_GUESS
    visits: int = 0
    solved_in_a_row: int = 0
    failed_in_a_row: int = 0


class Curriculum(msgspec.Struct):
    """Success estimates of a fixed pool of tasks. Plain data: it is saved with the weights.

    A task not visited yet is judged by the visited ones of its kind.
    """

    places: dict[str, Place]

    @classmethod
    def over(cls, tasks: Iterable[Task]) -> "Curriculum":
        return cls({task.id: Place(kind=task.name) for task in tasks})

    def estimate(self, id: str) -> float:
        """Success to be expected of a task, 0..1."""
        return self._estimate(self.places[id], self._by_kind())

    def _by_kind(self) -> dict[str, float]:
        """Mean success of the visited tasks of each kind."""
        known: dict[str, list[float]] = {}
        for place in self.places.values():
            if place.visits:
                known.setdefault(place.kind, []).append(place.success)
        return {kind: fmean(successes) for kind, successes in known.items()}

    @staticmethod
    def _estimate(place: Place, by_kind: Mapping[str, float]) -> float:
        return place.success if place.visits else by_kind.get(place.kind, FIRST_GUESS)

    def _weight(self, place: Place, by_kind: Mapping[str, float]) -> float:
        success = self._estimate(place, by_kind)
        if place.solved_in_a_row >= RETIRED:
            return RETIRED_WEIGHT
        # A task nobody ever solves is tried at growing intervals: it costs time, and teaches
        # nothing until the policy has learnt enough elsewhere.
        patience = 1 + max(0, place.failed_in_a_row - 1)
        return (success * (1 - success) + FLOOR) / patience

    def draw(self, count: int, dice: random.Random, leave_out: Sequence[str] = ()) -> list[str]:
        """Up to `count` different ids, by weighted sampling without replacement
        (Efraimidis and Spirakis, 2006)."""
        out, by_kind = set(leave_out), self._by_kind()
        keys = {
            id: dice.random() ** (1 / self._weight(place, by_kind))
            for id, place in self.places.items()
            if id not in out
        }
        return sorted(keys, key=lambda id: keys[id], reverse=True)[:count]

    def saw(self, id: str, passed: Sequence[bool]) -> None:
        """Take in one group's outcomes (the scored ones only)."""
        if not passed:
            return
        place, share = self.places[id], sum(passed) / len(passed)
        place.success = MEMORY * self.estimate(id) + (1 - MEMORY) * share
        place.visits += 1
        place.solved_in_a_row = place.solved_in_a_row + 1 if share == 1 else 0
        place.failed_in_a_row = place.failed_in_a_row + 1 if share == 0 else 0

    @property
    def retired(self) -> int:
        return sum(place.solved_in_a_row >= RETIRED for place in self.places.values())

    @property
    def never_solved(self) -> int:
        return sum(
            place.visits > 0 and place.failed_in_a_row == place.visits
            for place in self.places.values()
        )

    @property
    def success(self) -> float:
        """Mean estimated success over the pool."""
        by_kind = self._by_kind()
        return fmean(self._estimate(place, by_kind) for place in self.places.values())
