import pytest

from doer.models.local.pointer.encoding import decode, encode_action
from doer.models.local.pointer.grammar import LONGEST_ACTION, Choice, Grammar, Kind, Rules
from doer.models.local.pointer.vocabulary import Vocabulary
from doer.records.action import Action, Element
from doer.records.completion import Message, Request

PLAIN = Vocabulary()
GRAMMAR = Grammar(PLAIN)


def tokens(text: str) -> tuple[int, ...]:
    """Tokens by their names."""
    return tuple(PLAIN.tokens.index(name) for name in text.split())


# Positions:        0    1 2   3 4  5 6      7      8 9   10   11 12   13     14
PREFIX = tokens('<task> a ##b a " 0_ 5 <page> <link> a ##c [0] <link> [1] <last> <none> <act>')
RULES = Rules(GRAMMAR, PREFIX)


@pytest.mark.parametrize(
    ("prefix", "kind"),
    [
        ("<task> <page> <link> [0] <last> <none> <act>", Kind.POINT),
        ("<done> <task> <page> <link> [0] <last> <none> <act>", Kind.POINT_OR_STOP),
        ("<done> <task> <page> <last> <none> <act>", Kind.STOP),
        ("<task> <page> <last> <none> <act>", Kind.NOTHING),
    ],
)
def test_what_an_action_may_begin_with(prefix: str, kind: Kind) -> None:
    assert Rules(GRAMMAR, tokens(prefix)).next(()) == Choice(kind)


STARTS = (1, 3, 5, 9)


@pytest.mark.parametrize(
    ("action", "choice"),
    [
        ("<click>", Choice(Kind.NOTHING, (11, 13))),
        ("<type> [0]", Choice(Kind.NOTHING, STARTS)),  # any word but the quote
        ("<type> [0] a", Choice(Kind.END, (*STARTS, 2, 10))),  # a word, and the start of two
        ("<type> [0] a ##b", Choice(Kind.END, STARTS)),
        ("<type> [0] 0_", Choice(Kind.NOTHING, (6,))),  # no word without its end
        ("<type> [0] a ##b 0_", Choice(Kind.NOTHING, (6,))),
        ("<type> [0] a a ##c 0_ 5" + " a" * (LONGEST_ACTION - 8), Choice(Kind.END)),  # the last
    ],
)
def test_what_may_come_next(action: str, choice: Choice) -> None:
    assert RULES.next(tokens(action)) == choice
    assert not choice.over


@pytest.mark.parametrize("action", ["<click> [1]", "<type> [0] a ##b <end>"])
def test_complete_actions_are_over_and_allowed(action: str) -> None:
    assert RULES.next(tokens(action)).over
    assert RULES.allow(tokens(action))


@pytest.mark.parametrize(
    "action",
    [
        "",
        "<click>",
        "<click> [2]",
        "<done>",
        "<type> [0] <end>",
        "<type> [0] b <end>",
        "<type> [0] ##b <end>",
        "<type> [0] 0_ <end>",
        '<type> [0] " <end>',
        "<end>",
        f"<type> [0] {'a ' * (LONGEST_ACTION - 2)}<end>",
    ],
)
def test_all_else_is_not(action: str) -> None:
    assert not RULES.allow(tokens(action))


def test_to_be_done_takes_one_token() -> None:
    assert Rules(GRAMMAR, (PLAIN.mark("done"), *PREFIX)).allow((PLAIN.mark("done"),))


def test_what_was_acted_on_last_is_not_copied() -> None:
    prefix = tokens("<task> a <page> <link> [0] <last> <click> <link> b <act>")
    assert Rules(GRAMMAR, prefix).next(tokens("<type> [0]")).copies == (1,)


def test_where_there_are_no_words_a_text_is_empty() -> None:
    rules = Rules(GRAMMAR, tokens('<task> " <page> <link> [0] <last> <none> <act>'))
    assert rules.next(tokens("<type> [0]")) == Choice(Kind.END)


def test_what_may_be_written() -> None:
    def written(kind: Kind) -> set[str]:
        return {PLAIN.tokens[token] for token in GRAMMAR.written_K_V[kind].nonzero()[0]}

    assert written(Kind.NOTHING) == set()
    assert written(Kind.POINT) == {"<click>", "<type>", "<select>"}
    assert written(Kind.STOP) == {"<done>"}
    assert written(Kind.POINT_OR_STOP) == {"<click>", "<type>", "<select>", "<done>"}
    assert written(Kind.END) == {"<end>"}


def test_an_action_begins_with_a_verb() -> None:
    with pytest.raises(ValueError, match="begin"):
        RULES.next(tokens("<end>"))


def options_request(*options: str) -> Request:
    listed = Element(0, "combobox", " | ".join(options), options[0])
    messages = (
        Message(role="user", text="Select Sao Tome from the list and click Submit."),
        Message(role="tool", elements=(Element(1, "button", "Submit"), listed)),
    )
    return Request(messages=messages)


@pytest.mark.parametrize("option", ["Sao Tome", "Oman", "Sao"])
def test_an_option_is_one_of_those_that_are_there(option: str) -> None:
    request = options_request("Oman", "Sao Tome", "Sao", "Peru")
    action = Action(tool="select", arguments={"ref": 0, "option": option})
    tokens = encode_action(action, request, Vocabulary())
    assert decode(tokens, request, Vocabulary()) == action


@pytest.mark.parametrize("text", ["Tome", "Submit", "Sao Tome Sao", "Sa", "Oman Peru", "the"])
def test_what_is_no_option_cannot_be_selected(text: str) -> None:
    request = options_request("Oman", "Sao Tome", "Sao", "Peru")
    action = Action(tool="select", arguments={"ref": 0, "option": text})
    with pytest.raises(ValueError, match="cannot do select"):
        encode_action(action, request, Vocabulary())
