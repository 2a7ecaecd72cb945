import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_pages import asked, toy

from doer.errors import ModelError
from doer.models.local.pointer.encoding import decode, encode, encode_action
from doer.models.local.pointer.grammar import LONGEST_ACTION
from doer.models.local.pointer.vocabulary import Vocabulary
from doer.records.action import Action, Element
from doer.records.completion import Message, Request, Sampling, ToolSpec

PLAIN = Vocabulary()
PAGE = (
    Element(3, "text", "Day"),
    Element(4, "textbox", "", ""),
    Element(5, "checkbox", "a 05", None, ("checked", "focused", "disabled")),
    Element(9, "treeitem", "é", "v"),
)
DONE = ToolSpec(name="done", description="", parameters={})


def shown(request: Request) -> str:
    return " ".join(PLAIN.tokens[token] for token in encode(request, PLAIN))


def after(request: Request, action: Action, page: tuple[Element, ...]) -> Request:
    more = (
        Message(role="assistant", actions=(action,)),
        Message(role="tool", elements=page),
    )
    return Request(messages=request.messages + more)


def page_of(count: int) -> tuple[Element, ...]:
    return tuple(Element(ref, "link", "x") for ref in range(count))


def test_a_request_is_written_as_instruction_page_and_memory() -> None:
    assert shown(asked("Go 05", PAGE, Sampling())) == (
        "<task> G ##o 0_ 5 <page> <text> D ##a ##y [0] <textbox> <val> <none> [1] "
        "<checkbox> a 0_ 5 <on> <off> <focus> [2] <generic> \ufffd <val> v [3] "
        "<last> <none> <act>"
    )


def test_the_memory_is_what_was_acted_on_as_it_was_seen_then() -> None:
    request = asked("Go", PAGE, Sampling())
    click = Action(tool="click", arguments={"ref": 5})
    changed = (Element(5, "link", "other"),)
    assert shown(after(request, click, changed)).endswith("<last> <click> <checkbox> a 0_ 5 <act>")
    gone = Action(tool="click", arguments={"ref": 77})
    assert shown(after(request, gone, changed)).endswith("<last> <click> <act>")
    strange = Action(tool="open", arguments={"url": "x"})
    assert shown(after(request, strange, changed)).endswith("<last> <none> <act>")


def test_the_memory_keeps_six_tokens_of_a_name() -> None:
    page = (Element(1, "button", "1 2 3 4 5 6 7 8"),)
    request = asked("Go", page, Sampling())
    request = after(request, Action(tool="click", arguments={"ref": 1}), page)
    assert shown(request).endswith("<last> <click> <button> 1 2 3 4 5 6 <act>")


def test_a_message_without_elements_leaves_the_page_as_it_was() -> None:
    request = asked("Go", PAGE, Sampling())
    steered = Request(messages=(*request.messages, Message(role="tool", text="no such element")))
    assert encode(steered, PLAIN) == encode(request, PLAIN)


def test_to_be_done_must_be_offered() -> None:
    request = asked("Go", PAGE, Sampling())
    offered = Request(messages=request.messages, tools=(DONE,))
    assert encode(offered, PLAIN) == (PLAIN.mark("done"), *encode(request, PLAIN))
    answer = encode_action(Action(tool="done"), offered, PLAIN)
    assert decode(answer, offered, PLAIN) == Action(tool="done", arguments={"answer": ""})


def test_a_long_page_is_cut_from_the_end_and_says_so() -> None:
    whole = encode(asked("Go", page_of(128), Sampling()), PLAIN)
    assert PLAIN.mark("more") not in whole
    assert len(whole) == 1 + 2 + 1 + 128 * 3 + 3
    cut = encode(asked("Go", page_of(129), Sampling()), PLAIN)
    assert len(cut) == len(whole) + 1
    assert PLAIN.mark("more") in cut
    wide = tuple(Element(ref, "link", "1 2 3 4 5 6 7 8 9") for ref in range(99))
    assert len(encode(asked("go " * 999, wide, Sampling()), PLAIN)) <= 512


def test_what_is_cut_off_cannot_be_demonstrated() -> None:
    request = asked("Go", page_of(129), Sampling())
    encode_action(Action(tool="click", arguments={"ref": 127}), request, PLAIN)
    with pytest.raises(ValueError, match="cannot do"):
        encode_action(Action(tool="click", arguments={"ref": 128}), request, PLAIN)


@pytest.mark.parametrize(
    "action",
    [
        Action(tool="open", arguments={"url": "x"}),
        Action(tool="click", arguments={"ref": 77}),
        Action(tool="click"),
        Action(tool="type", arguments={"ref": 4, "text": "1 " * LONGEST_ACTION}),
        Action(tool="type", arguments={"ref": 4, "text": "words that stand nowhere"}),
        Action(tool="type", arguments={"ref": 4, "text": '"'}),
        Action(tool="type", arguments={"ref": 4, "text": ""}),
        Action(tool="type", arguments={"ref": 4}),
        Action(tool="type", arguments={"ref": 4, "text": "Da"}),  # only a part of a word
    ],
)
def test_what_the_policy_cannot_do_cannot_be_demonstrated(action: Action) -> None:
    with pytest.raises(ValueError, match="pointer policy"):
        encode_action(action, asked('Go "1"', PAGE, Sampling()), PLAIN)


def test_the_longest_text_fits_to_the_token() -> None:
    request = asked("Go 1", PAGE, Sampling())
    action = Action(tool="type", arguments={"ref": 4, "text": " ".join("1" * 13)})
    assert len(encode_action(action, request, PLAIN)) == 16


def test_a_request_without_an_instruction_is_refused() -> None:
    with pytest.raises(ModelError):
        encode(Request(messages=(Message(role="system", text="Go"),)), PLAIN)


@pytest.mark.parametrize("seed", range(20))
def test_actions_come_back(seed: int) -> None:
    request, action = toy(seed)
    assert decode(encode_action(action, request, PLAIN), request, PLAIN) == action


@pytest.mark.parametrize(
    ("text", "instruction"),
    [
        ("10/05/2016", "Enter 10/05/2016 as the date"),
        ("2016-05-10", "Enter 05/10/2016 as yyyy-mm-dd"),  # put together anew
        ("Ab c", 'Type "Ab c".'),
        ("x@y.z", "mail x@y.z, please"),
        ("nS 12", "user nS 12"),
        ("caffè  - è", "Say caffè  - è!"),  # beyond ASCII, odd spacing
        ("12:05PM", "at 12:05PM"),
        ("a , b", 'Type "a , b"'),
        ("007", "Agents 006 and 007"),
        ("Hello, you!", "Greet with Hello, whoever you are!"),
    ],
)
def test_texts_come_back_as_they_stand_in_the_request(text: str, instruction: str) -> None:
    request = asked(instruction, PAGE, Sampling())
    action = Action(tool="type", arguments={"ref": 4, "text": text})
    assert decode(encode_action(action, request, PLAIN), request, PLAIN) == action


def test_an_option_comes_back_as_it_stands_on_the_page() -> None:
    page = (Element(1, "combobox", "x-y | One (1) | Two", "Two"),)
    request = asked("Pick One", page, Sampling())
    action = Action(tool="select", arguments={"ref": 1, "option": "One (1)"})
    assert decode(encode_action(action, request, PLAIN), request, PLAIN) == action


@given(st.text(st.characters(exclude_characters='"'), max_size=13).map(str.strip).filter(bool))
def test_any_copied_text_comes_back(text: str) -> None:
    request = asked(f"Write {text} please", PAGE, Sampling())
    action = Action(tool="type", arguments={"ref": 4, "text": text})
    assert decode(encode_action(action, request, PLAIN), request, PLAIN) == action
