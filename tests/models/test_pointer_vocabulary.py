import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doer.errors import ConfigError
from doer.models.local.pointer.vocabulary import Vocabulary

PLAIN = Vocabulary()
LEARNED = Vocabulary.learn(["low lower lowest newest widest 2016 abc"] * 10, merges=9)


def names(vocabulary: Vocabulary, text: str) -> list[str]:
    return [vocabulary.tokens[token] for token in vocabulary.text(text)]


def test_a_leading_zero_is_a_token_of_its_own() -> None:
    assert names(PLAIN, "05") == ["0_", "5"]
    assert PLAIN.text("05")[1] == PLAIN.text("5")[0]
    assert names(PLAIN, "00") == ["0_", "0"]
    assert names(PLAIN, "10/05/2016") == ["10", "/", "0_", "5", "/", "2", "##0", "##1", "##6"]


def test_words_are_cut_into_pieces_and_other_characters_stand_alone() -> None:
    assert names(PLAIN, 'nS, "x@y.z"') == ["n", "##S", ",", '"', "x", "@", "y", ".", "z", '"']


def test_a_word_has_the_same_tokens_wherever_it_stands() -> None:
    assert PLAIN.text("uL3q") == PLAIN.text('("uL3q",')[2:-2]


def test_frequent_pairs_are_merged_the_most_frequent_first() -> None:
    # "l o" and "o w" stand 30 times each; the tie goes to the greater pair of names, "l ##o".
    assert LEARNED.merges[:2] == (("l", "##o"), ("lo", "##w"))
    assert names(LEARNED, "slow lower") == ["s", "##l", "##o", "##w", "low", "##e", "##r"]


def test_rare_pairs_are_left_alone() -> None:
    assert Vocabulary.learn(["ab"] * 7).merges == ()
    assert Vocabulary.learn(["ab"] * 8).merges == (("a", "##b"),)


def test_numbers_of_two_digits_need_no_learning() -> None:
    assert Vocabulary.learn(["42 07"] * 99).merges == ()
    assert names(PLAIN, "42") == ["42"]


def test_every_token_has_one_name() -> None:
    merged = Vocabulary((("1", "##2"), ("12", "##a")))  # "12" is a number already
    assert len(set(merged.tokens)) == merged.size
    assert names(merged, "12a 12") == ["12a", "12"]


def test_json_round_trip() -> None:
    assert Vocabulary.from_json(LEARNED.to_json()) == LEARNED
    assert Vocabulary.from_json(LEARNED.to_json()).tokens == LEARNED.tokens


def test_words_are_runs_of_pieces() -> None:
    tokens = (PLAIN.mark("task"), *PLAIN.text("ab 05, x"), PLAIN.first_place, *PLAIN.text("5"))
    found = [
        (start, [PLAIN.tokens[piece] for piece in word]) for start, word in PLAIN.words(tokens)
    ]
    assert found == [
        (1, ["a", "##b"]),
        (3, ["0_", "5"]),
        (5, [","]),
        (6, ["x"]),
        (8, ["5"]),
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"merges": 1}', '{"merges": [["a"]]}'])
def test_a_broken_file_is_a_config_error(text: str) -> None:
    with pytest.raises(ConfigError):
        Vocabulary.from_json(text)


@given(st.text())
def test_pieces_cover_all_but_white_space(text: str) -> None:
    pieces = LEARNED.pieces(text)
    left = "".join(text[start:end] for _, start, end in pieces)
    assert left == re.sub(r"\s", "", text)
    assert all(token >= LEARNED.first_text for token, _, _ in pieces)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126)))
def test_pieces_spell_the_text(text: str) -> None:
    assert "".join(map(LEARNED.spelling, LEARNED.text(text))) == text
