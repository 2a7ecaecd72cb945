"""The parts of a report that are figures: headline, learning curve, table by task, facts."""

from doer.evals.charts import curve, dumbbell, groups
from doer.evals.markup import Markup, element
from doer.evals.report_data import Report
from doer.evals.result import SuiteResult, Tally
from doer.evals.statistics import Paired
from doer.evals.wording import change, duration, percent, points, signed_span, span

WIDTHS = (("wide", 960), ("medium", 640), ("narrow", 390))
"""Charts are drawn at each of these, in pixels; the page shows the one that fits, so that text
keeps its size."""

BEFORE, AFTER = "○ Before", "● After"  # with the marks the drawings have

METHOD = (
    "Intervals are 95 %: Wilson for one success rate, Tango's score interval for the paired "
    "difference on the same tasks and seeds. The verdict is McNemar's exact test at 5 %; “need” is "
    "how many pairs would show a difference of this size with 80 % power. Steps are means and "
    "times are medians over scored rollouts."
)


def headline(report: Report) -> Markup:
    """Success before and after, what was gained, and the control where there is one."""
    cells = [_rate("Before", report.before)]
    if report.control:
        cells.append(_rate("Control", report.control))
    cells += [_rate("After", report.after), _gain("Gain, paired", report.gain.total)]
    if report.over_control:
        cells.append(_gain("Over control", report.over_control.total))
    return element("dl", *cells, class_="headline")


def _rate(label: str, result: SuiteResult) -> Markup:
    tally = result.total
    under = (span(tally.interval), f"{tally.passed:,} of {tally.n:,}", result.model)
    return _cell(label, percent(tally.success), *under)


def _gain(label: str, gain: Paired) -> Markup:
    verdict = element("span", *_verdict(gain))
    reach = f"{signed_span(gain.interval)} points"
    return _cell(label, points(gain.difference), reach, verdict)


def _cell(label: str, number: str, *under: str) -> Markup:
    lines = (element("dd", line) for line in under)
    return element("div", element("dt", label), element("dd", number, class_="number"), *lines)


def _verdict(gain: Paired) -> tuple[Markup, ...]:
    """A chip, and when the verdict is open, what it would take."""
    chip = element("span", gain.verdict, class_=f"chip {gain.verdict.split()[0]}")
    _, _, why = gain.in_words.partition(": ")
    return (chip, element("span", f" {why}", class_="why")) if why else (chip,)


def learning(report: Report) -> Markup:
    """The curve, and what the training rollouts had to teach. Empty without any point."""
    moments = (*report.training, *report.validation)
    if not moments:
        return Markup("")
    seconds = max(moment.seconds for moment in moments) or 1.0
    rollouts = max(moment.rollouts for moment in moments)
    drawn = [
        _legend(
            ("validation", "Success on validation seeds, 95 % interval"),
            ("training", "Success of training rollouts, smoothed"),
        ),
        *(_sized(at, curve(report.training, report.validation, seconds, w)) for at, w in WIDTHS),
    ]
    if report.training:
        drawn += [
            _legend(
                ("pass", "Groups that all pass"),
                ("mixed", "Mixed: only these teach"),
                ("fail", "All fail"),
            ),
            *(_sized(at, groups(report.training, seconds, w)) for at, w in WIDTHS),
        ]
    total = element("p", f"{rollouts:,} rollouts in {duration(seconds)}.", class_="note")
    return element("section", element("h2", "Learning"), *drawn, total)


def _legend(*keys: tuple[str, str]) -> Markup:
    drawn = (
        element("span", element("i", class_=f"swatch {kind}"), text, class_="key")
        for kind, text in keys
    )
    return element("p", *drawn, class_="legend")


def _sized(at: str, chart: Markup) -> Markup:
    return element("div", chart, class_=at)


def by_task(report: Report) -> Markup:
    """Before and after for every task, and below what is in no denominator."""
    names = ("Task", "0 to 100 %", BEFORE, AFTER, "Gain", "Verdict", "Steps", "Time")
    gain, before, after = report.gain, report.before, report.after
    rows = [_row("All tasks", before.total, after.total, gain.total)]
    for name, task_gain in gain.by_task.items():
        rows.append(_row(name, before.by_task[name], after.by_task[name], task_gain))
    head = element("thead", element("tr", *(element("th", name, scope="col") for name in names)))
    table = element("table", head, element("tbody", *rows))
    return element(
        "section", element("h2", "By task"), table, element("p", _apart(report), class_="note")
    )


def _row(name: str, before: Tally, after: Tally, gain: Paired) -> Markup:
    reach = element("span", signed_span(gain.interval), class_="why")
    cells: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        ("", "plot", (dumbbell(before, after),)),
        (BEFORE, "figure", (percent(before.success),)),
        (AFTER, "figure", (percent(after.success),)),
        ("Gain", "figure", (points(gain.difference), reach)),
        ("Verdict", "words", _verdict(gain)),
        ("Steps", "figure", (change(before.steps, after.steps),)),
        ("Time", "figure", (change(before.seconds, after.seconds) + " s",)),
    )
    drawn = (
        element("td", *content, class_=kind, data_label=label) for label, kind, content in cells
    )
    return element("tr", element("th", name, scope="row"), *drawn)


def _apart(report: Report) -> str:
    results = [("Before", report.before), ("After", report.after)]
    if report.control:
        results.append(("Control", report.control))
    said = ". ".join(f"{label}: {result.total.denominator}" for label, result in results)
    return (
        f"{said}. A rollout that ends by a fault of the computer, the site, the model service or "
        "the grader is no failure of the model and is counted apart."
    )


def facts(report: Report) -> Markup:
    """How it was made, and how to read it."""
    pairs = (
        element("div", element("dt", label), element("dd", value)) for label, value in report.facts
    )
    return element(
        "footer",
        element("h2", "How it was made"),
        element("dl", *pairs, class_="facts"),
        element("p", METHOD, class_="note"),
    )
