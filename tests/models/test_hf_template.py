"""Requests to tokens and back, with templates of three families."""

import msgspec
import pytest
import small_hf
from hypothesis import given
from hypothesis import strategies as st

from doer.errors import ConfigError
from doer.models.local.hf.calls import bare_json, channels, reader, tagged_json, tagged_parameters
from doer.models.local.hf.template import ChatTemplate
from doer.records.action import MALFORMED, Action
from doer.records.completion import Message, Request, Segment, ToolSpec

PICK = ToolSpec(
    name="pick",
    description="Pick a drawer.",
    parameters={
        "type": "object",
        "properties": {"drawer": {"type": "string"}, "times": {"type": "integer"}},
    },
)
ASKED = Request(
    messages=(Message(role="system", text="Be brief."), Message(role="user", text="Find the pen.")),
    tools=(PICK,),
)
ACTION = Action(tool="pick", arguments={"drawer": "red", "times": 2})
TEXTS = ["Pick a drawer. Find the pen. Be brief."]
every_family = pytest.mark.parametrize("family", small_hf.TEMPLATES)


def template(family: str) -> ChatTemplate:
    words = small_hf.tokenizer(family, TEXTS)
    ends = words.convert_tokens_to_ids(list(small_hf.ENDS[family]))
    return ChatTemplate(words, frozenset(ends))


def text(family: str, tokens: tuple[int, ...]) -> str:
    return str(small_hf.tokenizer(family, TEXTS).decode(list(tokens)))


def answered(prompt: tuple[int, ...], answer: tuple[int, ...]) -> Segment:
    given, own = len(prompt), len(answer)
    return Segment(
        token_ids=prompt + answer, mask=(0,) * given + (1,) * own, logprobs=(0.0,) * (given + own)
    )


def told(segment: Segment | None, *more: Message) -> Request:
    said = Message(role="assistant", actions=(ACTION,), segment=segment)
    return msgspec.structs.replace(ASKED, messages=(*ASKED.messages, said, *more))


@every_family
def test_a_prompt_has_everything_and_ends_where_the_model_goes_on(family: str) -> None:
    shown = text(family, template(family).prompt(ASKED))
    for part in ("Be brief.", "Find the pen.", '"pick"', "Pick a drawer."):
        assert shown.count(part) == 1
    whole = text(family, template(family).prompt(told(None, Message(role="tool", text="empty"))))
    assert shown.split("Find the pen.")[0] in whole
    opening = {"qwen": "<|im_start|>assistant\n", "llama": "assistant<|end_header_id|>\n\n"}
    assert shown.endswith(opening.get(family, "<|start|>assistant"))


@every_family
@pytest.mark.parametrize(
    ("words", "actions"),
    [("", (ACTION,)), ("The pen is in the red drawer.", ()), ("", (Action(tool="pick"),))],
)
def test_an_answer_reads_back_as_it_was_meant(
    family: str, words: str, actions: tuple[Action, ...]
) -> None:
    chat = template(family)
    tokens = chat.answer(ASKED, words, actions)
    assert tokens[-1] in chat.ends
    assert not set(tokens[:-1]) & chat.ends
    assert chat.read(tokens, (PICK,)) == (words, actions)
    assert chat.read(tokens[:-1], (PICK,)) == (words, actions)  # cut off just before its end


@every_family
def test_the_conversation_goes_on_from_the_tokens_that_were_written(family: str) -> None:
    chat = template(family)
    prompt = chat.prompt(ASKED)
    written = chat.answer(ASKED, "", (ACTION,))
    found = Message(role="tool", text="it is empty")
    plain = chat.prompt(told(None, found))
    segment = answered(prompt, written)
    assert chat.prompt(told(segment, found)) == plain

    # The same call, spaced as no template would: kept to the letter.
    spaced = text(family, written).replace('"drawer"', ' "drawer"  ')
    words = small_hf.tokenizer(family, TEXTS)
    odd = answered(prompt, tuple(words.encode(spaced, add_special_tokens=False)))
    for fresh in (True, False):  # remembered, or found out anew from a log
        other = chat if fresh else template(family)
        if fresh:
            other.remember(ASKED, odd)
        longer = other.prompt(told(odd, found))
        assert longer[: len(odd.token_ids)] == odd.token_ids
        assert longer[len(odd.token_ids) :] == plain[len(segment.token_ids) :]


@every_family
def test_a_changed_past_is_written_anew(family: str) -> None:
    chat = template(family)
    found = Message(role="tool", text="it is empty")
    segment = answered(chat.prompt(ASKED), chat.answer(ASKED, "", (ACTION,)))
    chat.remember(ASKED, segment)
    forgot = told(segment, found).messages[1:]
    changed = msgspec.structs.replace(ASKED, messages=forgot)  # without the system's words
    plain = msgspec.structs.replace(
        changed, messages=tuple(msgspec.structs.replace(m, segment=None) for m in forgot)
    )
    assert chat.prompt(changed) == template(family).prompt(plain)
    assert "Be brief." not in text(family, chat.prompt(changed))
    cut = answered(chat.prompt(ASKED), chat.answer(ASKED, "", (ACTION,))[:-1])
    chat.remember(ASKED, cut)
    assert chat.prompt(told(cut, found)) == chat.prompt(told(None, found))


def test_a_template_without_tools_is_refused() -> None:
    words = small_hf.tokenizer("qwen", TEXTS)
    words.chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    with pytest.raises(ConfigError, match="calls of tools"):
        ChatTemplate(words, frozenset({1}))
    words.chat_template = small_hf.QWEN.replace("<tool_call>", "[call]")
    with pytest.raises(ConfigError, match=r"not known: \[call\]"):
        ChatTemplate(words, frozenset({2}))


@pytest.mark.parametrize(
    ("read", "written", "expected"),
    [
        (tagged_json, '<think>\nred?\n</think>\n\n<tool_call>\n{"name": "pick", "arguments": '
         '{"drawer": "red", "times": 2}}\n</tool_call>', ("", (ACTION,))),
        (tagged_json, 'Yes.<tool_call>{"name": "pick", "arguments": "{\\"drawer\\": \\"red\\", '
         '\\"times\\": 2}"}</tool_call>', ("Yes.", (ACTION,))),
        (tagged_json, '<tool_call>{"name": "pick", "arguments": {"drawer"', ("", (Action(
            tool="pick", arguments={MALFORMED: '{"name": "pick", "arguments": {"drawer"'}),))),
        (tagged_json, "no call at all", ("no call at all", ())),
        (tagged_parameters, "<tool_call>\n<function=pick>\n<parameter=drawer>\nred\n</parameter>\n"
         "<parameter=times>\n2\n</parameter>\n</function>\n</tool_call>", ("", (ACTION,))),
        (bare_json, '<|python_tag|>{"name": "pick", "parameters": {"drawer": "red", "times": 2}}',
         ("", (ACTION,))),
        (bare_json, '{"name": "Ann", "age": 3}', ('{"name": "Ann", "age": 3}', ())),
        (channels, "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>commentary "
         'to=functions.pick <|constrain|>json<|message|>{"drawer": "red", "times": 2}<|call|>',
         ("", (ACTION,))),
        (channels, "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final"
         "<|message|>In the red one.", ("In the red one.", ())),
    ],
)  # fmt: skip
def test_each_manner_of_writing_calls(read, written, expected) -> None:
    assert read(written, (PICK,)) == expected


@given(st.text(alphabet=st.sampled_from('{}"<>/|=:,; \npicktool_callfunction')) | st.text())
def test_nothing_that_is_written_breaks_a_reader(written: str) -> None:
    for probe in ("<|channel|>", "<function=", "<tool_call>", "{"):
        for wrapped in (written, f"<tool_call>{written}</tool_call>", f"<|channel|>{written}"):
            words, actions = reader(probe)(wrapped, (PICK,))
            assert isinstance(words, str)
            assert all(isinstance(action.tool, str) for action in actions)
