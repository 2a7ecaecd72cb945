"""What can be said from passes and failures: intervals, paired differences, verdicts.

Everything is at 95 %. Items are taken as independent; the tasks are the ones measured, only their
seeds are a sample, so nothing here speaks about tasks outside the suite.
"""

from math import ceil, comb, sqrt
from statistics import NormalDist
from typing import Literal

import msgspec

Interval = tuple[float, float]
Verdict = Literal["better", "worse", "cannot tell"]

ALPHA = 0.05
POWER = 0.80
Z = NormalDist().inv_cdf(1 - ALPHA / 2)
Z_POWER = NormalDist().inv_cdf(POWER)
FEWEST_DISCORDANT = 6
"""With five differing pairs the exact test cannot go below p = 2 / 2^5 = .0625."""


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """Two models on the same `n` items. `difference` is the second's success minus the first's.

    `need` is how many pairs in all would show a difference of this size with 80 % power. It is None
    when the verdict is in, and when no difference was seen to build on.
    """

    n: int
    gained: int  # the first failed, the second passed
    lost: int  # the first passed, the second failed
    difference: float
    interval: Interval
    p: float
    verdict: Verdict
    need: int | None

    @property
    def in_words(self) -> str:
        """The verdict, and when there is none, what it would take."""
        if self.verdict != "cannot tell":
            return self.verdict
        if self.need is not None:
            return f"cannot tell: need {self.need:,} pairs"
        if self.n == 0:
            return "cannot tell: no pairs"
        if self.gained == 0:
            return f"cannot tell: all {self.n:,} pairs alike"
        return "cannot tell: as many gained as lost"


def wilson(passed: int, n: int) -> Interval:
    """Score interval of a proportion (Wilson 1927; method 3 of Newcombe 1998, Stat Med 17:857).

    Without items nothing is known: (0, 1).
    """
    if n == 0:
        return (0.0, 1.0)
    centre = (passed + Z * Z / 2) / (n + Z * Z)
    half = Z * sqrt(passed * (n - passed) / n + Z * Z / 4) / (n + Z * Z)
    # At the ends the limit is exactly 0 or 1; rounding must not move the proportion outside.
    return (
        0.0 if passed == 0 else centre - half,
        1.0 if passed == n else centre + half,
    )


def paired(n: int, gained: int, lost: int) -> Paired:
    """Compare two models on the same `n` items, of which `gained` + `lost` differ.

    The verdict is the exact test's, which is stricter than the interval: with few differing pairs
    the interval may leave out zero while the verdict stays `cannot tell`.
    """
    p = mcnemar(gained, lost)
    told = p <= ALPHA
    verdict: Verdict = "cannot tell" if not told else "better" if gained > lost else "worse"
    return Paired(
        n=n,
        gained=gained,
        lost=lost,
        difference=(gained - lost) / n if n else 0.0,
        interval=tango(n, gained, lost),
        p=p,
        verdict=verdict,
        need=None if told else pairs_needed(n, gained, lost),
    )


def mcnemar(gained: int, lost: int) -> float:
    """Two-sided exact p: is it a fair coin that says which of the two models a pair favours?"""
    differing = gained + lost
    tail = sum(comb(differing, k) for k in range(min(gained, lost) + 1))
    return min(1.0, 2 * tail / 2**differing)


def tango(n: int, gained: int, lost: int) -> Interval:
    """Score interval of the paired difference (gained - lost) / n (Tango 1998, Stat Med 17:891).

    It inverts McNemar's score test, stays within -1..1, has width when no pair differs, and is
    among those Fagerland, Lydersen and Laake (2014, Stat Med 33:2850) recommend for small n.
    """
    if n == 0:
        return (-1.0, 1.0)
    seen = (gained - lost) / n

    def plausible(difference: float) -> bool:
        lost_share = _lost_share(n, gained, lost, difference)
        variance = n * (2 * lost_share + difference * (1 - difference))
        return (gained - lost - n * difference) ** 2 <= Z * Z * variance

    def limit(outside: float) -> float:
        inside = seen
        for _ in range(60):  # halves the bracket down to the last bit of a float
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if plausible(middle) else (inside, middle)
        return inside

    return (limit(-1.0), limit(1.0))


def _lost_share(n: int, gained: int, lost: int, difference: float) -> float:
    """The most likely share of lost pairs if the true difference were `difference`."""
    a = 2 * n
    b = (2 * n - gained + lost) * difference - gained - lost
    c = -lost * difference * (1 - difference)
    return (sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)


def pairs_needed(n: int, gained: int, lost: int) -> int | None:
    """Pairs that show the observed difference at 80 % power (Connor 1987, Biometrics 43:207).

    Never fewer than the exact test needs to speak at all; None when no difference was seen.
    """
    if gained == lost:
        return None
    differing, difference = (gained + lost) / n, (gained - lost) / n
    root = Z * sqrt(differing) + Z_POWER * sqrt(differing - difference**2)
    return max(ceil((root / difference) ** 2), ceil(FEWEST_DISCORDANT / differing))
