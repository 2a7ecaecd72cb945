"""Batches in which everything comes once before anything comes again."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from doer.training.dealing import deal


@given(st.integers(1, 30), st.integers(1, 40), st.integers(0, 5))
def test_everything_comes_before_anything_comes_again(count: int, batch: int, seed: int) -> None:
    size = min(count, batch)
    batches = list(islice(deal(count, batch, seed), 2 * count))
    assert all(len(one) == size for one in batches)
    dealt = [number for one in batches for number in one]
    for at in range(0, len(dealt) - count, count):
        assert sorted(dealt[at : at + count]) == list(range(count))
    assert batches == list(islice(deal(count, batch, seed), 2 * count))
