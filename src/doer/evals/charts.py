"""The report's drawings as inline SVG. Colours and line widths are in `report.css`."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from doer.evals.markup import Markup, element
from doer.evals.report_data import TrainingPoint, ValidationPoint
from doer.evals.result import Tally
from doer.evals.wording import percent, span

LEFT, RIGHT, TOP, BOTTOM = 48, 12, 8, 40  # room around a plot for its labels, in pixels
SMOOTH = 5  # iterations a smoothed point looks at, itself in the middle
DUMBBELL = (200, 22)


class Axes(msgspec.Struct, frozen=True, kw_only=True):
    """Maps seconds and shares to the pixels of one plot."""

    width: int
    height: int
    seconds: float

    def x(self, seconds: float) -> float:
        return LEFT + (self.width - LEFT - RIGHT) * seconds / self.seconds

    def y(self, share: float) -> float:
        return TOP + (self.height - TOP - BOTTOM) * (1 - share)

    def frame(self) -> list[Markup]:
        """Grid, ticks, and the unit of the time axis at its end."""
        base = self.height - BOTTOM
        drawn: list[Markup] = []
        for share in (0, 0.25, 0.5, 0.75, 1):
            y = self.y(share)
            drawn.append(_line("grid", LEFT, y, self.width - RIGHT, y))
            if share in (0, 0.5, 1):
                drawn.append(_label("tick end", LEFT - 8, y + 4, f"{100 * share:.0f} %"))
        unit, name = (60, "minutes") if self.seconds >= 120 else (1, "seconds")
        step = nice_step(self.seconds / unit, most=self.width // 64)
        for k in range(int(self.seconds / unit / step) + 1):
            drawn.append(_label("tick", self.x(k * step * unit), base + 18, f"{k * step:g}"))
        title = f"{name} of wall time"
        return [*drawn, _label("tick end", self.width - RIGHT, base + 34, title)]

    def svg(self, name: str, drawn: Iterable[Markup]) -> Markup:
        box = f"0 0 {self.width} {self.height}"
        return element("svg", *drawn, viewBox=box, class_="chart", role="img", aria_label=name)


def curve(
    training: Sequence[TrainingPoint],
    validation: Sequence[ValidationPoint],
    seconds: float,
    width: int,
) -> Markup:
    """Success against wall time: training rollouts smoothed, validation with its interval."""
    axes = Axes(width=width, height=300, seconds=seconds)
    drawn = axes.frame()
    if validation:
        upper = [(axes.x(p.seconds), axes.y(p.interval[1])) for p in validation]
        lower = [(axes.x(p.seconds), axes.y(p.interval[0])) for p in validation]
        drawn.append(element("polygon", class_="band", points=_points(upper + lower[::-1])))
    raw = [(axes.x(p.seconds), axes.y(p.success)) for p in training]
    drawn += [element("circle", class_="raw", cx=x, cy=y, r=2) for x, y in raw]
    smooth = smoothed([p.success for p in training])
    path = [(axes.x(p.seconds), axes.y(s)) for p, s in zip(training, smooth, strict=True)]
    drawn.append(element("polyline", class_="training", points=_points(path)))
    path = [(axes.x(p.seconds), axes.y(p.success)) for p in validation]
    drawn.append(element("polyline", class_="validation", points=_points(path)))
    for point, (x, y) in zip(validation, path, strict=True):
        low, high = point.interval
        says = f"{percent(point.success)} ({span(point.interval)}), {point.rollouts:,} rollouts"
        dot = element("circle", element("title", says), class_="point", cx=x, cy=y, r=4)
        drawn += [_line("whisker", x, axes.y(low), x, axes.y(high)), dot]
    return axes.svg("Success on training and validation seeds against wall time", drawn)


def groups(training: Sequence[TrainingPoint], seconds: float, width: int) -> Markup:
    """Shares of all-pass, mixed and all-fail groups, one stacked bar an iteration."""
    axes = Axes(width=width, height=180, seconds=seconds)
    drawn = axes.frame()
    for start, (number, point) in zip(_starts(training), enumerate(training, 1), strict=True):
        left, right = axes.x(start), axes.x(point.seconds)
        gap = 1 if right - left > 4 else 0
        shares = (("pass", point.all_pass), ("mixed", point.mixed), ("fail", point.all_fail))
        floor = 0.0
        bars: list[Markup] = []
        for kind, share in shares:
            top, foot = axes.y(floor + share), axes.y(floor)
            size = {"width": max(right - left - gap, 0.5), "height": max(foot - top - 1, 0)}
            bars.append(element("rect", class_=f"bar {kind}", x=left, y=top, **size))
            floor += share
        says = ", ".join(f"{100 * share:.0f} % {kind}" for kind, share in shares)
        drawn.append(element("g", element("title", f"iteration {number}: {says}"), *bars))
    return axes.svg("Shares of groups that all pass, are mixed, or all fail, by iteration", drawn)


def dumbbell(before: Tally, after: Tally) -> Markup:
    """Two successes with their intervals on one scale from 0 to 100 %."""
    width, height = DUMBBELL
    middle = height / 2

    def x(share: float) -> float:
        return 6 + (width - 12) * share

    drawn = [_line("grid", x(0), middle, x(1), middle)]
    drawn += [_line("grid", x(s), middle - 4, x(s), middle + 4) for s in (0, 0.5, 1)]
    for kind, tally, y in (("before", before, middle - 3), ("after", after, middle + 3)):
        if tally.success is not None:
            low, high = tally.interval
            drawn.append(_line(f"reach {kind}", x(low), y, x(high), y))
            drawn.append(element("circle", class_=f"dot {kind}", cx=x(tally.success), cy=y, r=3.5))
    return element(
        "svg", *drawn, viewBox=f"0 0 {width} {height}", class_="dumbbell", aria_hidden="true"
    )


def smoothed(values: Sequence[float]) -> list[float]:
    """Moving mean over `SMOOTH` neighbours, over fewer at the ends."""
    reach = SMOOTH // 2
    windows = (values[max(0, k - reach) : k + reach + 1] for k in range(len(values)))
    return [sum(window) / len(window) for window in windows]


def nice_step(length: float, most: int) -> float:
    """The smallest of ..., 0.1, 0.2, 0.5, 1, 2, 5, ... that cuts `length` into <= `most` parts."""
    steps = (factor * 10.0**power for power in range(-3, 9) for factor in (1, 2, 5))
    return next(step for step in steps if length / step <= most)


def _starts(training: Sequence[TrainingPoint]) -> list[float]:
    """When each iteration began: where the one before ended; the first is taken to be as long as
    the second."""
    ends = [point.seconds for point in training]
    first = [max(0.0, 2 * a - b) for a, b in list(pairwise(ends))[:1]] or [0.0]
    return (first + ends[:-1])[: len(ends)]


def _points(path: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in path)


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return element("line", class_=kind, x1=x1, y1=y1, x2=x2, y2=y2)


def _label(kind: str, x: float, y: float, text: str) -> Markup:
    return element("text", text, class_=kind, x=x, y=y)
