import json
from typing import Any

import msgspec
import pytest
from chat_server import calls, says

from doer.errors import ModelError
from doer.models.chat import in_order, message_param, read_reply
from doer.records.action import MALFORMED, Action
from doer.records.completion import Message, Usage


def reply(body: Any) -> bytes:
    return json.dumps(body).encode()


def shape(messages: tuple[Message, ...]) -> list[tuple[str, str, str]]:
    """Role, text, and the ids made or answered, of each message on the wire."""
    return [
        (m.role, m.text, m.call or ",".join(a.id for a in m.actions)) for m in in_order(messages)
    ]


def test_the_first_page_becomes_part_of_what_the_user_says() -> None:
    messages = (
        Message(role="system", text="rules"),
        Message(role="user", text="buy milk"),
        Message(role="tool", text="[1] button Milk"),
    )
    assert shape(messages) == [("system", "rules", ""), ("user", "buy milk\n\n[1] button Milk", "")]


def test_calls_keep_their_ids_and_those_without_get_one_each() -> None:
    named, unnamed = Action(tool="read", id="a"), Action(tool="click")
    messages = (
        Message(role="assistant", actions=(named, unnamed, unnamed)),
        Message(role="tool", text="page", call="a"),
        Message(role="tool", text="first click"),
        Message(role="tool", text="second click"),
    )
    assert shape(messages) == [
        ("assistant", "", "a,call00001,call00002"),
        ("tool", "page", "a"),
        ("tool", "first click", "call00001"),
        ("tool", "second click", "call00002"),
    ]


def test_made_up_ids_differ_from_turn_to_turn() -> None:
    turn = (Message(role="assistant", actions=(Action(tool="read"),)), Message(role="tool"))
    made = [call for role, _, call in shape(turn + turn) if role == "assistant"]
    assert len(set(made)) == 2


def test_a_call_never_carried_out_is_answered_before_anyone_speaks() -> None:
    messages = (
        Message(role="assistant", actions=(Action(tool="click", id="a"),)),
        Message(role="user", text="stop, do this instead"),
        Message(role="tool", text="late", call="a"),
    )
    assert shape(messages) == [
        ("assistant", "", "a"),
        ("tool", "not carried out", "a"),
        ("user", "stop, do this instead\n\nlate", ""),
    ]


def test_a_reply_with_words_calls_and_usage() -> None:
    body = says("I click", calls("click", '{"ref": 7}', id="c1"), calls("read", "{}", id="c2"))
    completion = read_reply(reply(body))
    assert completion.text == "I click"
    assert completion.actions == (
        Action(tool="click", arguments={"ref": 7}, id="c1"),
        Action(tool="read", id="c2"),
    )
    assert completion.usage == Usage(input_tokens=7, output_tokens=3)
    assert completion.model == "tiny-1"


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ('{"ref": 7}', {"ref": 7}),
        ("", {}),
        (None, {}),
        ({"ref": 7}, {"ref": 7}),
        ('{"ref": 7', {MALFORMED: '{"ref": 7'}),
        ("7", {MALFORMED: "7"}),
        ('[{"ref": 7}]', {MALFORMED: '[{"ref": 7}]'}),
        ("null", {MALFORMED: "null"}),
    ],
)
def test_arguments_are_read_as_they_come(raw: Any, read: dict[str, Any]) -> None:
    (action,) = read_reply(reply(says(None, calls("click", raw)))).actions
    assert action == Action(tool="click", arguments=read)


def test_malformed_arguments_can_be_sent_back() -> None:
    (action,) = read_reply(reply(says(None, calls("click", '{"ref": ', id="c")))).actions
    sent: Any = message_param(Message(role="assistant", actions=(action,)))
    assert json.loads(sent["tool_calls"][0]["function"]["arguments"]) == {MALFORMED: '{"ref": '}


def test_what_servers_leave_out_is_not_missed() -> None:
    bare = {"choices": [{"message": {"content": "hi"}}]}
    assert read_reply(reply(bare)).text == "hi"
    refusal = {"choices": [{"message": {"content": None, "refusal": "I may not"}}]}
    assert read_reply(reply(refusal)).text == "I may not"


def test_an_answer_cut_short_counts_but_an_empty_one_does_not() -> None:
    assert read_reply(reply(says("half an ans", finish_reason="length"))).text == "half an ans"
    assert read_reply(reply(says("", finish_reason="stop"))).text == ""
    for reason in ("length", "content_filter"):
        with pytest.raises(ModelError, match=reason):
            read_reply(reply(says("", finish_reason=reason)))


@pytest.mark.parametrize(
    "body", [b"<html>Welcome</html>", b'{"error": "model not loaded"}', b'{"choices": []}', b""]
)
def test_other_replies_are_shown_in_the_error(body: bytes) -> None:
    with pytest.raises(ModelError, match="base URL") as caught:
        read_reply(body)
    assert body.decode() in str(caught.value)
    assert isinstance(caught.value.__cause__, msgspec.DecodeError)
