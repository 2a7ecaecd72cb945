"""The text a page is rendered to."""

from doer.computers.browser.page_view import PageView, render
from doer.records.action import Element

URL = "https://example.com/"


def test_lines_references_values_and_states() -> None:
    view = PageView(
        url=URL,
        title="Log in",
        elements=(
            Element(0, "text", "Welcome"),
            Element(1, "textbox", "Name", "", ("focused",)),
            Element(2, "checkbox", "Stay", None, ("checked", "disabled")),
            Element(3, "textbox", "Notes", "one\ntwo"),
        ),
        notes=('the page showed a dialog, alert "Hi": accepted',),
    )
    assert render(view) == (
        "Log in (https://example.com/)\n"
        'the page showed a dialog, alert "Hi": accepted\n'
        'L1: [0] text "Welcome"\n'
        'L2: [1] textbox "Name" = "" (focused)\n'
        'L3: [2] checkbox "Stay" (checked, disabled)\n'
        'L4: [3] textbox "Notes" = "one\\ntwo"'
    )


def test_a_long_view_is_cut_at_a_line_and_says_how_much_is_left() -> None:
    elements = tuple(Element(ref, "link", "word " * 20) for ref in range(100))
    text = render(PageView(url=URL, title="", elements=elements, above=7, below=30), chars=2000)
    lines = text.splitlines()
    assert lines[0] == URL
    assert lines[1] == "... 7 elements above: scroll up to read them"
    shown = len(lines) - 3
    assert 10 < shown < 20
    assert lines[-2].startswith(f"L{shown}: [{shown - 1}]")
    assert lines[-1] == f"... {130 - shown} elements left out: scroll down to read them"
    assert len(text) < 2000 + 60


def test_a_view_of_part_of_a_page_says_so() -> None:
    view = PageView(url=URL, title="", elements=(Element(0, "text", "a"),), below=3)
    assert render(view).splitlines()[-1] == "... 3 elements left out: scroll down to read them"


def test_a_long_address_is_cut() -> None:
    assert len(render(PageView(url="data:text/html," + "x" * 5000, title=""))) < 250
