"""How numbers are written: shares in per cent, differences in points, lengths of time."""

from doer.evals.statistics import Interval


def percent(share: float | None) -> str:
    """With a space that does not break."""
    return "–" if share is None else f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{100 * difference:+.1f}".replace("-", "−")


def duration(seconds: float) -> str:
    return f"{seconds / 60:.1f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"


def span(interval: Interval) -> str:
    return f"{100 * interval[0]:.1f} to {percent(interval[1])}"


def signed_span(interval: Interval) -> str:
    return f"{points(interval[0])} to {points(interval[1])}"


def change(before: float | None, after: float | None) -> str:
    first, second = ("–" if value is None else f"{value:.1f}" for value in (before, after))
    return f"{first} → {second}"
