"""Broken and hostile input: bounded, never a crash; and the worker that stands for the rest."""

import os
import signal
from collections.abc import AsyncGenerator, Callable

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from doer.computers.text import flow
from doer.computers.text.extract import extract
from doer.computers.text.extractor import Extractor
from doer.computers.text.layout import ROW_WIDTH, fill
from doer.computers.text.markup import TAGS, read_html
from doer.computers.text.page import Fetched
from doer.computers.text.unseen import BRACKETS, UNSEEN
from doer.errors import ToolError

pytestmark = pytest.mark.slow  # real processes and sockets

URL = "http://a.test/"
NAMES = sorted({*TAGS, "div", "p", "label", "option", "tbody", "template", "main", "x-y", "body"})
WRITTEN = """href=/a href=# href=#x href=http://[ href='javascript:x' id=x for=x hidden role=button
    colspan=3 role=navigation role=heading aria-level=9 class=nav class=lineno type=password
    type=checkbox value=v rowspan=99999 start=-3 start=٣ src=/s alt=a style='display:none' name=n
    open aria-label=l"""
ATTRIBUTES = WRITTEN.split()
TEXTS = st.text(max_size=12) | st.sampled_from(["&#8203;", "&lt;b&gt;", "\0", "【1†x】", " ", "\n"])
OPENED = st.builds(
    lambda name, attributes: f"<{name} {' '.join(attributes)}>",
    st.sampled_from(NAMES),
    st.lists(st.sampled_from(ATTRIBUTES), max_size=3),
)
CLOSED = st.sampled_from(NAMES).map(lambda name: f"</{name}>")
PAGES = st.lists(OPENED | CLOSED | TEXTS, max_size=60).map("".join)


@given(PAGES)
@settings(max_examples=400, deadline=None)
def test_any_soup_of_tags_becomes_clean_bounded_lines(html: str):
    document = read_html(html, URL).document
    for line in document.lines:
        assert "\n" not in line
        assert not UNSEEN.search(line)
    assert all(0 <= link.line <= len(document.lines) for link in document.links)
    assert all(1 <= s.line <= len(document.lines) for s in document.sections)


@given(st.binary(max_size=400), st.sampled_from(["", "text/html", "text/plain", "image/png"]))
@settings(deadline=None)
def test_any_bytes_become_a_document(content: bytes, kind: str):
    extract(Fetched(url=URL, content=content, content_type=kind))


@given(st.text(max_size=300))
def test_no_word_of_a_paragraph_is_lost(text: str):
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    document = read_html(f"<p>{escaped}</p>", URL).document
    got = "".join("".join(document.lines).split())
    assert got == "".join(UNSEEN.sub("", text.replace("\0", "")).translate(BRACKETS).split())


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Z", "C"]) | st.just(" "), max_size=400
    )
)
def test_wrapping_loses_nothing_and_keeps_to_the_width(text: str):
    text = " ".join(text.split())
    lines = fill(text, 30, "- ", "  ")
    assert "".join("".join(line[2:] for line in lines).split()) == "".join(text.split())
    assert all(len(line) <= 30 for line in lines)


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000 + "x",
        "<span>" * 50_000 + "x",
        "<table><tr><td>" * 1500 + "x",
        "<ul><li>" * 1500 + "x",
        "<div class=nav>" * 500 + "<a href=/x>x</a>" * 10,
        "<select>" + "<option>x" * 20_000,
        "<code>" * 3000 + "x",
        "<table>" + "<tr><td rowspan=60000 colspan=1000>x" * 300,
    ],
    ids=["divs", "spans", "tables", "lists", "menus", "options", "codes", "spanning cells"],
)
def test_what_is_nested_without_end_is_still_read(html: str):
    document = read_html(html, URL).document
    assert "x" in "".join(document.lines)
    assert all(len(line) <= ROW_WIDTH for line in document.lines)


def test_a_page_without_end_is_cut_off_and_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(flow, "MAX_CHARS", 20_000)
    monkeypatch.setattr(flow, "MAX_LINES", 500)
    for html in ("x" * 30_000, "<table><tr><td>" + "y " * 30_000, "<p>" + "word " * 30_000):
        document = read_html(html, URL).document
        assert "left out" in document.notes[0]
        assert 9_000 < sum(map(len, document.lines)) <= 21_000
    document = read_html("<p>x" * 1000, URL).document
    assert len(document.lines) == 500
    assert "left out" in document.notes[0]


@pytest_asyncio.fixture
async def extractor() -> AsyncGenerator[Extractor]:
    async with Extractor() as extractor:
        yield extractor


def page(html: str) -> Fetched:
    return Fetched(url=URL, content=html.encode(), content_type="text/html")


@pytest.mark.slow
async def test_the_worker_answers_and_refuses(extractor: Extractor):
    answer = await extractor.extract(page("<p>x"))
    assert answer.document is not None
    assert answer.document.lines == ("x",)
    with pytest.raises(ToolError, match="this PDF is broken"):
        await extractor.extract(Fetched(url=URL, content=b"%PDF-1", content_type="text/html"))
    assert (await extractor.extract(page("<p>y"))).document is not None


@pytest.mark.slow
async def test_a_page_that_takes_too_long_is_refused_and_the_next_is_read(extractor: Extractor):
    await extractor.extract(page("<p>x"))  # the worker stands
    extractor.timeout_s = 1
    many = " ".join(f"a{n}" for n in range(300_000))
    with pytest.raises(ToolError, match="takes too long"):
        await extractor.extract(page(f"<p {many}>x"))
    extractor.timeout_s = 60
    assert (await extractor.extract(page("<p>y"))).document is not None


@pytest.mark.slow
async def test_a_worker_that_dies_takes_nothing_with_it(
    extractor: Extractor, descendants: Callable[[int], dict[int, str]]
):
    before = descendants(os.getpid())
    await extractor.extract(page("<p>x"))
    [worker] = [pid for pid in descendants(os.getpid()) if pid not in before]
    os.kill(worker, signal.SIGKILL)
    for attempt in range(2):  # the first may meet the pipe of the dead
        try:
            assert (await extractor.extract(page("<p>y"))).document is not None
        except ToolError:
            assert attempt == 0
    await extractor.close()
    assert set(descendants(os.getpid())) <= set(before)
