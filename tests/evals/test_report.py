import asyncio
import json
import re
from html.parser import HTMLParser

import pytest

from doer.computers.browser.host import BrowserHost
from doer.evals.charts import nice_step, smoothed
from doer.evals.markup import Markup, element
from doer.evals.report import page, verdict, write
from doer.evals.report_data import (
    Frame,
    Replay,
    Report,
    Strip,
    TrainingPoint,
    ValidationPoint,
)
from doer.evals.statistics import wilson

NASTY = '</script><img src=x onerror="alert(1)">&\'"'


@pytest.fixture
def report(result):
    """A small report in which every text that comes from outside is nasty."""
    old = [f"buy {seed} fail" for seed in range(10)]
    new = [f"buy {seed} pass" for seed in range(9)] + ["buy 9 computer_fault"]
    frames = tuple(Frame(image=b"\xff\xd8jpeg", caption=NASTY, box=(1, 2, 3, 4)) for _ in range(3))
    strips = [
        Strip(
            passed=passed,
            end="done",
            frames=frames[:steps],
            viewport=(500, 400),
            extent=(160.5, 210),
        )
        for passed, steps in ((False, 0), (True, 3))
    ]
    replay = Replay(task=NASTY, seed=500_000, instruction=NASTY, before=strips[0], after=strips[1])
    return Report(
        title=NASTY,
        facts=((NASTY, NASTY),),
        training=tuple(
            TrainingPoint(
                seconds=60.0 * k,
                rollouts=64 * k,
                success=0.1 * k,
                all_fail=0.5,
                mixed=0.3,
                all_pass=0.2,
            )
            for k in range(1, 6)
        ),
        validation=tuple(
            ValidationPoint(seconds=60.0 * k, rollouts=64 * k, success=k / 5, interval=wilson(k, 5))
            for k in range(6)
        ),
        before=result(NASTY, *old),
        after=result(NASTY, *new),
        control=result(NASTY, *old),
        replays=(replay,),
    )


class Seen(HTMLParser):
    """Every tag with its attributes, and the text outside of style and script."""

    def __init__(self, document):
        super().__init__()
        self.tags, self.text, self._inside = [], [], ""
        self.feed(document)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_data(self, data):
        if self._inside not in ("style", "script"):
            self.text.append(data)


def test_markup_is_escaped_by_construction():
    assert element("p", "a < b", Markup("<i>&amp;</i>")) == "<p>a &lt; b<i>&amp;</i></p>"
    assert element("a", title='"&', data_do="x", class_=None) == (
        '<a title="&quot;&amp;" data-do="x"></a>'
    )
    assert element("img", width=1 / 3, hidden="") == '<img width="0.33" hidden>'


def test_texts_from_outside_stay_texts(report):
    document = Seen(page(report))
    assert NASTY in document.text
    assert not any("onerror" in attributes for _, attributes in document.tags)
    assert [tag for tag, _ in document.tags].count("script") == 1
    assert not any(tag == "img" for tag, _ in document.tags)


def test_the_page_needs_nothing_from_outside(report):
    document = page(report)
    assert not re.search(r"https?://|url\(|@import", document)
    seen = Seen(document)
    assert {tag for tag, _ in seen.tags}.isdisjoint(
        {"link", "iframe", "object", "form", "a", "use"}
    )
    loaded = [a[name] for _, a in seen.tags for name in ("src", "href") if name in a]
    assert len(loaded) == 3
    assert all(address.startswith("data:image/jpeg;base64,") for address in loaded)
    assert not any("style" in attributes for _, attributes in seen.tags)
    policy = next(a["content"] for _, a in seen.tags if "http-equiv" in a)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy


def test_the_verdict_in_one_sentence(report, result):
    nothing = Report(**{**_fields(report), "after": result("new", "buy 1 pass", "buy 2 fail")})
    assert verdict(report).replace("\xa0", " ") == (
        "Training made it better by 100.0 points on 9 held-out episodes: "
        "0.0 % before, 100.0 % after."
    )
    assert verdict(nothing).replace("\xa0", " ") == (
        "No clear change on 2 held-out episodes: 0.0 % before, 50.0 % after "
        "(cannot tell: need 14 pairs)."
    )


def test_figures_lie_beside_the_page(report, tmp_path):
    path = write(report, tmp_path / "new")
    assert path == tmp_path / "new" / "report.html"
    assert path.read_text().startswith("<!doctype html>")
    kept = json.loads((tmp_path / "new" / "report.json").read_bytes())
    assert kept["verdict"] == verdict(report)
    assert kept["gain"]["total"]["gained"] == 9
    assert kept["after"]["total"]["unscored"] == {"computer_fault": 1}
    assert kept["replays"][0]["after"] == {"passed": True, "end": "done", "steps": [NASTY] * 3}
    assert len(kept["training"]) == 5


def test_a_report_of_two_evals_alone_has_no_curve_and_no_replays(report):
    bare = Report(**{**_fields(report), "training": (), "validation": (), "replays": ()})
    document = page(Report(**{**_fields(bare), "control": None}))
    assert "<h2>By task</h2>" in document
    assert "<h2>Learning</h2>" not in document
    assert 'class="replay"' not in document
    assert "Control" not in document


def test_a_curve_of_a_single_moment_can_be_drawn(report):
    moment = {"training": report.training[:1], "validation": report.validation[:1]}
    assert "NaN" not in page(Report(**{**_fields(report), **moment}))
    start = {"training": (), "validation": report.validation[:1]}
    assert "<h2>Learning</h2>" in page(Report(**{**_fields(report), **start}))


def test_smoothing_looks_both_ways_and_less_far_at_the_ends():
    assert smoothed([0, 3, 0, 3, 9, 0]) == [1, 1.5, 3, 3, 3, 4]
    assert smoothed([]) == []


@pytest.mark.parametrize(
    ("length", "most", "step"), [(8, 15, 1), (8, 5, 2), (0.7, 10, 0.1), (40, 8, 5), (100, 1, 100)]
)
def test_ticks_are_round_numbers(length, most, step):
    assert nice_step(length, most) == pytest.approx(step)


@pytest.fixture
async def address(report):
    """The page behind a small HTTP server of its own."""
    body = page(report).encode()

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.mark.slow
async def test_the_replay_steps_by_keyboard_and_nothing_is_refused(address):
    """In a real browser: the policy lets our own style and script in, and the arrows work."""
    listen = "addEventListener('securitypolicyviolation', () => { window.refused = true; });"
    press = """document.querySelector(".replay").dispatchEvent(
        new KeyboardEvent("keydown", {{ key: "{}", bubbles: true }}))"""
    now = """[...document.querySelectorAll(".strip li")].findIndex((li) => li.className == "now")"""
    async with await BrowserHost.start() as host:
        browser = await host.new_browser(init_script=listen)
        await browser.open(address)
        assert await browser.evaluate("getComputedStyle(document.body).marginTop") == "0px"
        for key, step in (("ArrowRight", 0), ("ArrowRight", 1), ("ArrowLeft", 0), (" ", 1)):
            await browser.evaluate(press.format(key))
            assert await browser.evaluate(now) == step
        shown = await browser.evaluate("document.querySelector('output').textContent")
        assert shown == "step 2 of 3"
        assert await browser.evaluate("window.refused") is None
        await browser.close()


def _fields(report):
    return {name: getattr(report, name) for name in report.__struct_fields__}
