"""The report: one HTML file that needs nothing else, and its figures beside it as JSON.

It loads nothing and runs only its own small script (for the replays, which also read without it);
its content security policy says so.
"""

import hashlib
from base64 import b64encode
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from doer.evals.markup import Markup, element
from doer.evals.report_data import Report, Strip
from doer.evals.sections import by_task, facts, headline, learning
from doer.evals.strips import film
from doer.evals.wording import percent


def write(report: Report, folder: Path) -> Path:
    """Write `report.html` and `report.json` into `folder`; returns the path of the former."""
    folder.mkdir(parents=True, exist_ok=True)
    encoded = msgspec.json.format(msgspec.json.encode(figures(report)), indent=1)
    (folder / "report.json").write_bytes(encoded)
    path, unfinished = folder / "report.html", folder / "report.html.unfinished"
    unfinished.write_text(page(report), encoding="utf-8")
    return unfinished.replace(path)  # last and in one piece: its being there says all is there


def verdict(report: Report) -> str:
    """The outcome in one sentence."""
    gain, before, after = report.gain.total, report.before.total, report.after.total
    rates = f"{percent(before.success)} before, {percent(after.success)} after"
    if gain.verdict == "cannot tell":
        return f"No clear change on {gain.n:,} held-out episodes: {rates} ({gain.in_words})."
    size = f"{abs(100 * gain.difference):.1f} points on {gain.n:,} held-out episodes: {rates}."
    if report.training or report.validation:
        return f"Training made it {gain.verdict} by {size}"
    return f"{report.after.model} is {gain.verdict} than {report.before.model} by {size}"


def figures(report: Report) -> dict[str, Any]:
    """Every number of the report, and the replays without their pictures."""
    replays = [
        {
            "task": replay.task,
            "seed": replay.seed,
            "instruction": replay.instruction,
            "before": _told(replay.before),
            "after": _told(replay.after),
        }
        for replay in report.replays
    ]
    return {
        "title": report.title,
        "verdict": verdict(report),
        "facts": report.facts,
        "gain": report.gain,
        "over_control": report.over_control,
        "before": report.before,
        "after": report.after,
        "control": report.control,
        "training": report.training,
        "validation": report.validation,
        "replays": replays,
    }


def _told(strip: Strip) -> dict[str, Any]:
    steps = [frame.caption for frame in strip.frames]
    return {"passed": strip.passed, "end": strip.end, "steps": steps}


def page(report: Report) -> str:
    """The whole document."""
    style, script = _own("report.css"), _own("report.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}; "
        f"script-src {_digest(script)}; base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", report.title),
        element("style", style),
    )
    opening = element(
        "header",
        element("p", "Doer · training report", class_="kicker"),
        element("h1", report.title),
        element("p", verdict(report), class_="verdict"),
        headline(report),
    )
    main = element(
        "main", opening, learning(report), by_task(report), film(report.replays), facts(report)
    )
    body = element("body", main, element("script", script))
    return "<!doctype html>\n" + element("html", head, body, lang="en")


def _own(name: str) -> Markup:
    return Markup(resources.files("doer.evals").joinpath(name).read_text(encoding="utf-8"))


def _digest(content: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
