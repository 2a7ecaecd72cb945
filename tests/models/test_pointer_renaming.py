"""A disguise is consistent, can be taken off, and leaves what instructions share."""

from hypothesis import given
from hypothesis import strategies as st

from doer.models.local.pointer.encoding import encode
from doer.models.local.pointer.renaming import Renamer, renamed
from doer.models.local.pointer.vocabulary import Vocabulary
from doer.records.action import Element
from doer.records.completion import Message, Request

NAMES = [a + b for a in "bcdfghjklmnpqrstvwxz" for b in "abcdefghijklmnopqrst"]
INSTRUCTIONS = [f'Enter "{name}" and click Submit.' for name in NAMES]
VOCABULARY = Vocabulary.learn(INSTRUCTIONS, merges=0)
RENAMER = Renamer(VOCABULARY, INSTRUCTIONS, share=1.0)


def prefix(name: str, *others: str) -> tuple[int, ...]:
    elements = [Element(n, "checkbox", other) for n, other in enumerate((name, *others))]
    elements.append(Element(len(elements), "button", "Submit"))
    messages = (
        Message(role="user", text=f'Enter "{name}" and click Submit.'),
        Message(role="tool", elements=tuple(elements)),
    )
    return encode(Request(messages=messages), VOCABULARY)


@given(st.sampled_from(NAMES), st.integers(0, 10**6))
def test_a_disguise_can_be_taken_off(name, seed):
    tokens = prefix(name, "qq")
    swap = RENAMER.swap(tokens, seed)
    assert renamed(renamed(tokens, swap), swap) == tokens
    assert all(swap[swap[token]] == token for token in swap)


@given(st.integers(0, 10**6))
def test_shared_words_marks_and_places_stay(seed):
    tokens = prefix("ba")
    swap = RENAMER.swap(tokens, seed)
    kept = {*VOCABULARY.text("Enter and click Submit."), VOCABULARY.quote}
    assert not kept & set(swap)
    assert all(token >= VOCABULARY.first_text for token in swap)


def test_the_tasks_own_words_change_on_both_sides_alike():
    tokens = prefix("ba")
    disguised = renamed(tokens, RENAMER.swap(tokens, 3))
    page = tokens.index(VOCABULARY.mark("page"))
    own = VOCABULARY.text("ba")
    assert disguised != tokens
    before = [at for at, token in enumerate(tokens) if token in own]
    assert any(at < page for at in before)
    assert any(at > page for at in before)
    assert len({(tokens[at], disguised[at]) for at in before}) == len({tokens[at] for at in before})


def test_words_that_begin_longer_ones_are_left_alone():
    tokens = prefix("ba", "banana")
    swap = RENAMER.swap(tokens, 3)
    assert not set(VOCABULARY.text("ba")) & set(swap)


def test_a_share_of_nothing_changes_nothing():
    assert Renamer(VOCABULARY, INSTRUCTIONS, share=0.0).swap(prefix("ba"), 3) == {}
