from doer.models.local.pointer.features import END, NAME, PAIR, START, VALUE, WORD, Marker
from doer.models.local.pointer.vocabulary import Vocabulary

PLAIN = Vocabulary()
MARKER = Marker(PLAIN)


def tokens(text: str) -> tuple[int, ...]:
    """Marks are written `<so>`, places `[3]`, everything else is text."""
    found: list[int] = []
    for part in text.split():
        found += (PLAIN.tokens.index(part),) if part[0] in "<[" else PLAIN.text(part)
    return tuple(found)


def test_where_instruction_and_page_agree() -> None:
    prefix = tokens(
        "<task> pick 1 2 in 3 <page> <link> 1 2 [0] <link> 2 1 <on> [1] "
        "<textbox> 9 <val> 3 [2] <textbox> 3 <val> <none> [3] <last> <click> <link> 1 2"
    )
    marks = MARKER.matches(prefix)
    pieces = len(PLAIN.text("pick"))
    assert marks[: 1 + pieces] == [0] * (1 + pieces)
    expected = [
        *(WORD, WORD, 0, 0, WORD),  # 1 2 in 3, "in" being two pieces
        0,  # <page>
        *(NAME, NAME + WORD, NAME + WORD + PAIR, NAME),
        *(0, WORD, WORD, 0, 0),  # 2 1 is not in the instruction in this order
        *(VALUE, VALUE, VALUE, VALUE + WORD, VALUE),
        *(NAME, NAME + WORD, NAME, NAME, NAME),
        *(0, 0, 0, 0, 0),  # the memory has no marks
    ]
    assert marks[1 + pieces :] == expected


def test_a_pair_does_not_reach_over_the_edge_of_an_element() -> None:
    marks = MARKER.matches(tokens("<task> 1 2 <page> <link> 1 [0] <link> 2 [1] <last> <none>"))
    assert marks == [0, WORD, WORD, 0, *[NAME, NAME + WORD, NAME] * 2, 0, 0]


def test_names_of_more_than_eight_tokens_are_not_looked_up() -> None:
    def name_marked(count: int) -> bool:
        name = " ".join("1" * count)
        marks = MARKER.matches(tokens(f"<task> {name} <page> <link> {name} [0] <last> <none>"))
        return bool(marks[-3] & NAME)

    assert name_marked(8)
    assert not name_marked(9)


def test_every_token_knows_its_part() -> None:
    prefix = tokens("<done> <task> 1 <page> <link> [0] <last> <none>")
    assert MARKER.segments(prefix) == [0, 0, 0, 1, 1, 1, 2, 2]


def test_names_that_begin_or_end_with_a_quoted_text_are_marked_letter_by_letter() -> None:
    marks = MARKER.matches(
        tokens('<task> " Sa " and " ino " <page> <link> Sanmarino [0] <link> Samoa [1] '
               "<link> Marino [2] <link> Oman [3] <last> <none>")
    )  # fmt: skip
    page = tokens('<task> " Sa " and " ino " <page>')
    bits = marks[len(page) :]
    size = len(PLAIN.text("Sanmarino")) + 2
    assert all(mark & (START | END) == START | END for mark in bits[:size])
    samoa = bits[size : size + len(PLAIN.text("Samoa")) + 2]
    assert all(mark & (START | END) == START for mark in samoa)
    rest = bits[size + len(samoa) :]
    marino = rest[: len(PLAIN.text("Marino")) + 2]
    assert all(mark & (START | END) == END for mark in marino)
    assert all(mark & (START | END) == 0 for mark in rest[len(marino) :])
