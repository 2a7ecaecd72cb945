"""A document as a model reads it: budget, line numbers, find, citations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doer.computers.text.view import cite, find, render, tokens
from doer.errors import ToolError
from doer.records.document import Document, Link, Section, decode, encode

PAGE = Document(
    url="http://a.test/x",
    title="Prices",
    lines=("# Tea", "Green tea is the best", "of all teas.", "", "Black TEA costs 3 €"),
    links=(Link(text="x", url="http://a.test/y"),),
    sections=(Section(line=1, level=1, title="Tea"),),
)


def test_a_view_says_where_it_is_and_numbers_its_lines():
    assert render(PAGE, 2) == (
        "Prices (http://a.test/x)\nviewing lines [2 - 5] of 5\n\n"
        "L2: Green tea is the best\nL3: of all teas.\nL4: \nL5: Black TEA costs 3 €"
    )


def test_status_and_notes_stand_above_the_text():
    page = Document(url="http://a.test/", status=404, notes=("cut off",), pages=(1, 2))
    expected = "http://a.test/\nnote: status 404\nnote: 2 pages\nnote: cut off\n(no text)"
    assert render(page) == expected


def test_a_line_that_is_not_there_is_refused():
    for line in (6, -1):
        with pytest.raises(ToolError, match="1 to 5"):
            render(PAGE, line)


@given(st.lists(st.text(max_size=200), min_size=1, max_size=80), st.integers(60, 3000))
def test_a_view_keeps_to_its_budget_and_views_together_show_every_line(
    lines: list[str], budget: int
):
    page = Document(url="http://a.test/", lines=tuple(line.replace("\n", " ") for line in lines))
    line = 1
    shown = 0
    while line <= len(page.lines):
        text = render(page, line, budget)
        count = sum(
            part.startswith(f"L{line + n}: ") for n, part in enumerate(text.split("\n")[3:])
        )
        assert count == 1 or tokens(text) <= budget
        shown += count
        line += count
    assert shown == len(lines)


def test_the_estimate_errs_high():
    for text, real in (  # counted with OpenAI's o200k_base
        ("The quick brown fox jumps over the lazy dog.", 10),
        ("L12: 【3†Documentation】 and internationalization", 11),
        ("for i in range(10):\n    print(i ** 2)", 14),
        ("3.14159265358979", 7),
        ("https://example.com/a/b?x=0af93bd9c1&y=Zm9vYmFy", 24),
        ("今日は天気がいいですね。日本語の文章です。", 13),
    ):
        assert real <= tokens(text) <= 2 * real + 2


def test_find_tells_the_places_whatever_their_case_and_across_lines():
    assert find(PAGE, "tea").splitlines()[:3] == ['4 places with "tea"', "", "L1: # Tea"]
    assert "L5: Black TEA costs 3 €" in find(PAGE, "tea")
    assert "L2: Green tea is the best\nL3: of all teas." in find(PAGE, "best of  ALL")
    with pytest.raises(ToolError, match="not on this page"):
        find(PAGE, "coffee")
    with pytest.raises(ToolError, match="nothing to find"):
        find(PAGE, " \u200b")


def test_find_keeps_to_its_budget_and_says_what_it_left_out():
    page = Document(url="http://a.test/", lines=("a word",) * 1000)
    text = find(page, "word", 300)
    assert tokens(text) < 400
    assert text.splitlines()[-1].startswith("... ")


def test_a_citation_gives_the_exact_lines():
    assert cite(PAGE, 2, 3) == "Green tea is the best\nof all teas."
    assert cite(PAGE, 5) == "Black TEA costs 3 €"
    for first, last in ((0, 1), (3, 2), (5, 6)):
        with pytest.raises(ToolError, match="this page has 1 to 5"):
            cite(PAGE, first, last)


def test_a_document_is_stored_and_comes_back_the_same():
    assert decode(encode(PAGE)) == PAGE
    assert encode(decode(encode(PAGE))) == encode(PAGE)
