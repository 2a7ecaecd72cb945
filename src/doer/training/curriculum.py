"""Which tasks to try next: those near 50 % success teach most; solved ones are seldom revisited."""

import random
from collections.abc import Iterable, Sequence
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
        place = self.places[id]
        if place.visits:
            return place.success
        known = [p.success for p in self.places.values() if p.kind == place.kind and p.visits]
        return fmean(known) if known else FIRST_GUESS

    def weight(self, id: str) -> float:
        place, success = self.places[id], self.estimate(id)
        if place.solved_in_a_row >= RETIRED:
            return RETIRED_WEIGHT
        # A task nobody ever solves is tried at growing intervals: it costs time, and teaches
        # nothing until the policy has learnt enough elsewhere.
        patience = 1 + max(0, place.failed_in_a_row - 1)
        return (success * (1 - success) + FLOOR) / patience

    def draw(self, count: int, dice: random.Random, leave_out: Sequence[str] = ()) -> list[str]:
        """Up to `count` different ids, by weighted sampling without replacement
        (Efraimidis and Spirakis, 2006)."""
        left = [id for id in self.places if id not in set(leave_out)]
        keys = {id: dice.random() ** (1 / self.weight(id)) for id in left}
        return sorted(left, key=lambda id: keys[id], reverse=True)[:count]

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
        return fmean(self.estimate(id) for id in self.places)
