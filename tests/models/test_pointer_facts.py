import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_pages import asked

from doer.models.local.pointer.dates import Dated, Month, dated, month_of
from doer.models.local.pointer.encoding import encode
from doer.models.local.pointer.facts import COLUMNS, PLACED, Fact, Teller
from doer.models.local.pointer.vocabulary import ROLES, Vocabulary
from doer.records.action import Element
from doer.records.completion import Sampling

WIDE = Vocabulary(wide=True)
TELLER = Teller(WIDE)


def told(instruction: str, *page: Element) -> list[set[Fact]]:
    """The facts of every element, those of its words included."""
    prefix = encode(asked(instruction, page, Sampling()), WIDE)
    columns, places = TELLER.columns(prefix), iter(range(len(page)))
    found: list[set[Fact]] = [set() for _ in page]
    at = next(places)
    for token, (bits, *_) in list(zip(prefix, columns, strict=True))[
        prefix.index(WIDE.mark("page")) + 1 :
    ]:
        found[at] |= {fact for fact in Fact if bits >> fact & 1}
        if token == WIDE.first_place + at and (at := next(places, -1)) < 0:
            return found
    raise AssertionError("elements were left out")


def having(fact: Fact, instruction: str, *page: Element) -> list[int]:
    return [at for at, facts in enumerate(told(instruction, *page)) if fact in facts]


def texts(*names: str, role: str = "text") -> list[Element]:
    return [Element(ref, role, name) for ref, name in enumerate(names)]


def test_numbers_of_what_reads_alike_are_compared_piece_by_piece() -> None:
    page = texts("5h 20m", "$7", "16h 3m", "$40", "5h 3m", "$9", "12")
    assert having(Fact.LEAST, "Buy", *page) == [1, 4]
    assert having(Fact.MOST, "Buy", *page) == [2, 3]
    assert having(Fact.LEAST_BEFORE, "Buy", *page) == [2, 5]
    assert having(Fact.MOST_BEFORE, "Buy", *page) == [3, 4]


def test_ranks_follow_the_numbers_below_zero_too() -> None:
    page = texts("3", "-10", "-2")
    prefix = encode(asked("Sort", tuple(page), Sampling()), WIDE)
    columns = TELLER.columns(prefix)
    ranks = [int(columns[prefix.index(WIDE.first_place + at), 3]) for at in range(3)]
    assert ranks == [3, 1, 2]


@pytest.mark.parametrize(
    ("shown", "fact"),
    [
        ("-9", Fact.LESS),
        ("-4", Fact.SAME),
        ("0", Fact.GREATER),
        ("7", Fact.ODD),
        ("b", Fact.LETTER),
    ],
)
def test_a_number_is_compared_with_that_of_the_instruction(shown: str, fact: Fact) -> None:
    assert having(fact, "Select -4 with it", Element(1, "text", shown)) == [0]
    assert having(fact, "Select -4 with it", Element(1, "textbox", "x", shown)) == [0]


def test_ordinals_of_elements_and_words() -> None:
    page = [*texts("a", "b", role="link"), *texts("one, two three"), *texts("c", role="link")]
    assert having(Fact.NTH, "Click the 3rd link", *page) == [3]
    assert having(Fact.NTH, "Click the second link", *page) == [1]
    assert having(Fact.NTH_TOO, "the 1st link and the 3rd", *page) == [3]
    prefix = encode(asked("the 2nd word", tuple(page), Sampling()), WIDE)
    marked = [
        WIDE.tokens[token]
        for token, (bits, *_) in zip(prefix, TELLER.columns(prefix), strict=True)
        if bits >> Fact.NTH_WORD & 1
    ]
    assert marked == ["t", "##w", "##o"]


def test_months_and_days_are_held_against_the_date() -> None:
    page = texts("February", "March", "April", "May 2015", "2017", "5", "3")
    said = "Select 03/05/2016 as the date"
    assert having(Fact.EARLIER, said, *page) == [0, 3]
    assert having(Fact.MEANT, said, *page) == [1]
    assert having(Fact.LATER, said, *page) == [2, 4]
    assert having(Fact.DAY, said, *page) == [5]
    assert not having(Fact.DAY, "Select 5", *page)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("on 03 / 5 / 2016 .", Dated(2016, 3, 5)),
        ("by 2016 - 03 - 05", Dated(2016, 3, 5)),
        ("from 5 March 2016", Dated(2016, 3, 5)),
        ("the Mar 5 , 2016 or so", Dated(2016, 3, 5)),
        ("may 2016", None),
        ("1 / 2", None),
    ],
)
def test_dates_are_found_as_people_write_them(text: str, date: Dated | None) -> None:
    assert dated(text) == date


def test_months_are_known_by_both_names() -> None:
    assert month_of("Sep") == Month(9, None)
    assert month_of("September 2020") == Month(9, 2020)
    assert month_of("September fair") is None


def test_what_stands_under_a_name() -> None:
    like = [Element(1, "img", "like"), Element(2, "img", "like", None, ("selected",))]
    page = [*texts("@ann"), like[1], *texts("@bob"), like[0], *texts("@ann"), like[0]]
    said = 'Click "Like" below @ann'
    assert having(Fact.UNDER, said, *page) == [1, 2, 5]
    assert having(Fact.NEXT, said, *page) == [5]
    assert having(Fact.LIKE_QUOTED, said, *page) == [1, 3, 5]


def test_enough_are_on() -> None:
    on, off = Element(1, "img", "like", None, ("selected",)), Element(2, "img", "like")
    assert having(Fact.ENOUGH, "Like 2 of them", on, off) == []
    assert having(Fact.ENOUGH, "Like 2 of them", on, on) == [0, 1]


def test_what_belongs_to_the_first_empty_field() -> None:
    page = [
        *texts("Colour", "red", "Town", "Rome", "Colour:"),
        Element(5, "textbox", "a", "red"),
        *texts("Town:"),
        Element(7, "textbox", "b", ""),
        Element(8, "textbox", "c", ""),
    ]
    assert having(Fact.FIRST_EMPTY, "Fill in", *page) == [7]
    assert having(Fact.ASKED, "Fill in", *page) == [6]
    assert having(Fact.KEYED, "Fill in", *page) == [3]
    assert having(Fact.REPEATED, "Fill in", *page) == [5]
    assert having(Fact.USED, "Fill in", *page) == [1]
    assert having(Fact.LABEL_AGAIN, "Fill in", *page) == [4, 6]
    assert having(Fact.AFTER_NAMED, "the Town of", *page) == [3]


def test_names_and_quotes() -> None:
    page = texts("Ann", "Bob", "Cy", role="menuitem")
    assert having(Fact.LAST_NAMED, "Select Ann>Bob", *page) == [1]
    assert having(Fact.ENDS, "Select Ann>Bob", *page) == [1]
    assert having(Fact.NONE_NAMED, "Select Ann>Bob", *page) == []
    assert having(Fact.NONE_NAMED, "Select Dan", *page) == [0, 1, 2]
    assert having(Fact.QUOTED, 'From "Cy" to "Bob"', *page) == [2]
    assert having(Fact.QUOTED_TOO, 'From "Cy" to "Bob"', *page) == [1]


def test_options_that_are_chosen_are_marked() -> None:
    fields = Element(1, "combobox", "Fez | New Town | Rom", "New Town")
    prefix = encode(asked("Select", (fields,), Sampling()), WIDE)
    marked = "".join(
        WIDE.spelling(token)
        for token, (bits, *_) in zip(prefix, TELLER.columns(prefix), strict=True)
        if bits >> Fact.CHOSEN & 1
    )
    assert marked == "NewTown"


def test_fields_of_several_lines_are_called_otherwise() -> None:
    line = Element(1, "textbox", "", "", (), (0, 0, 90, 20))
    area = Element(2, "textbox", "", "", (), (0, 0, 90, 60))
    assert having(Fact.TALL, "Click", line, area) == [1]
    assert having(Fact.CALLED, "Click a textarea", line, area) == [1]
    assert having(Fact.CALLED, "Click a text", line, area) == [0]


WORDS = st.text('ab 0129-/:@|"$.é', max_size=12)
ELEMENTS = st.builds(
    Element, st.integers(0, 99), st.sampled_from(ROLES), WORDS, st.none() | WORDS,
    st.just(()) | st.just(("checked",)),
)  # fmt: skip


@given(WORDS, st.lists(ELEMENTS, min_size=1, max_size=12))
def test_any_page_can_be_told_of(instruction: str, page: list[Element]) -> None:
    prefix = encode(asked(instruction, tuple(page), Sampling()), WIDE)
    columns = TELLER.columns(prefix)
    assert columns.shape == (len(prefix), COLUMNS)
    assert (columns[:, 0] >> len(Fact) == 0).all()
    assert (columns[:, 1:] < PLACED).all()
