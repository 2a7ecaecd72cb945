"""Against published numbers, and against what must hold for all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doer.evals.statistics import mcnemar, paired, pairs_needed, tango, wilson


@st.composite
def tables(draw):
    """n pairs of which some were gained and some lost."""
    n = draw(st.integers(1, 300))
    gained = draw(st.integers(0, n))
    return n, gained, draw(st.integers(0, n - gained))


@pytest.mark.parametrize(
    ("passed", "n", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_limits(passed, n, low, high):
    assert wilson(passed, n) == pytest.approx((low, high), abs=5e-5)


def test_without_items_nothing_is_known():
    assert wilson(0, 0) == (0, 1)
    nothing = paired(0, 0, 0)
    assert (nothing.interval, nothing.p, nothing.verdict) == ((-1, 1), 1, "cannot tell")
    assert nothing.in_words == "cannot tell: no pairs"


@given(st.integers(0, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_proportion_and_mirrors(case):
    passed, n = case
    low, high = wilson(passed, n)
    assert 0 <= low < high <= 1
    if n:
        assert low <= passed / n <= high
    assert wilson(n - passed, n) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(
    ("n", "gained", "lost", "low", "high"),
    [
        # Bentur et al. 2009 as in Fagerland, Lydersen and Laake 2014, tables II and V
        (21, 1, 7, -0.517, -0.026),
        # Cavo et al. 2012 as in the same authors' book and its R package `contingencytables`
        (161, 6, 16, -0.1240, -0.0054),
    ],
)
def test_tango_gives_the_published_limits(n, gained, lost, low, high):
    assert tango(n, gained, lost) == pytest.approx((low, high), abs=5e-4)


def test_tango_by_hand_where_it_has_a_closed_form():
    """All pairs gained: n (1 - d) <= z^2 (1 + d). No pair differs: n d^2 <= z^2 |d| (1 - |d|)."""
    z2 = 1.959964**2
    assert tango(10, 10, 0) == pytest.approx(((10 - z2) / (10 + z2), 1), abs=1e-6)
    assert tango(20, 0, 0) == pytest.approx((-z2 / (20 + z2), z2 / (20 + z2)), abs=1e-6)


def test_mcnemar_by_hand_and_as_published():
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 0) == 2 / 2**5
    assert mcnemar(1, 7) == 2 * (1 + 8) / 2**8
    assert mcnemar(6, 16) == pytest.approx(0.052479, abs=5e-7)  # Cavo et al. 2012
    assert mcnemar(4, 4) == 1


def test_pairs_needed_is_connors_formula():
    # p_discordant .45, difference .15, two-sided 5 %, power 80 %:
    # (1.95996 sqrt(.45) + .84162 sqrt(.45 - .15^2))^2 / .15^2 = 154.6
    assert pairs_needed(100, 30, 15) == 155
    assert pairs_needed(20, 9, 1) == 23  # the same with .5 and .4: 22.8


def test_pairs_needed_is_enough_for_the_exact_test_to_speak():
    """Four of four gained: the formula says 4, but six differing pairs are the least."""
    assert pairs_needed(4, 4, 0) == 6
    assert mcnemar(6, 0) <= 0.05 < mcnemar(5, 0)


def test_the_verdict_in_words():
    assert paired(40, 20, 2).in_words == "better"
    assert paired(40, 2, 20).in_words == "worse"
    assert paired(20, 3, 0).in_words == "cannot tell: need 50 pairs"
    assert paired(20, 0, 0).in_words == "cannot tell: all 20 pairs alike"
    assert paired(20, 3, 3).in_words == "cannot tell: as many gained as lost"
    assert paired(40, 20, 2).need is None


@given(tables())
def test_a_comparison_is_sound_for_every_table(table):
    n, gained, lost = table
    forth, back = paired(n, gained, lost), paired(n, lost, gained)
    low, high = forth.interval
    assert -1 <= low <= forth.difference <= high <= 1
    assert back.interval == pytest.approx((-high, -low), abs=1e-9)
    assert (back.p, back.need, back.difference) == (forth.p, forth.need, -forth.difference)
    if forth.verdict == "cannot tell":
        assert forth.need is None or forth.need > n
    else:
        assert low > 0 if forth.verdict == "better" else high < 0
