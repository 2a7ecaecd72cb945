"""Batches in which everything comes once before anything comes again."""

import random
from collections.abc import Iterator


def deal(count: int, batch: int, seed: int) -> Iterator[list[int]]:
    """Endless batches of `batch` of the numbers below `count`, of all of them when there are
    fewer. `count` is at least 1."""
    dice = random.Random(seed)
    size = min(batch, count)
    deck: list[int] = []
    while True:
        while len(deck) < size:
            deck += dice.sample(range(count), count)
        yield deck[:size]
        del deck[:size]
