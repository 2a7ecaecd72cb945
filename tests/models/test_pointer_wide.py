"""A wide vocabulary: verbs and texts beyond clicking and copying, and earlier weights made wide."""

from pathlib import Path

import pytest
import torch
from msgspec import structs
from toy_pages import asked, toy

from doer.models.local.pointer.encoding import decode, encode, encode_action
from doer.models.local.pointer.folder import read
from doer.models.local.pointer.learner import PointerLearner
from doer.models.local.pointer.model import PointerModel
from doer.models.local.pointer.policy import PointerPolicy
from doer.models.local.pointer.sampler import PointerSampler
from doer.models.local.pointer.vocabulary import Vocabulary
from doer.records.action import Action, Element
from doer.records.completion import Message, Request, Sampling, ToolSpec

PLAIN, WIDE = Vocabulary(), Vocabulary(wide=True)
LONG = "Integer et ante. Condimentum mus amet "
PAGE = (
    Element(1, "text", "Q"),
    Element(2, "text", "u"),
    Element(3, "text", "Q"),
    Element(7, "textbox", "from", LONG),
    Element(8, "textbox", "to", ""),
)
OFFERED = tuple(
    ToolSpec(name=n, description="", parameters={}) for n in ("press", "drag", "scroll")
)


def request() -> Request:
    return asked('Type "Ann Lee" so', PAGE, Sampling(), OFFERED)


def written(text: str) -> str:
    action = Action(tool="type", arguments={"ref": 8, "text": text})
    tokens = encode_action(action, request(), WIDE)
    assert decode(tokens, request(), WIDE) == action
    return " ".join(WIDE.tokens[token] for token in tokens[2:-1])


def test_texts_that_cannot_be_copied_as_they_stand() -> None:
    assert written("Ann Lee") == "A ##n ##n L ##e ##e"
    assert written("ANN LEE") == "<upper> A ##n ##n L ##e ##e"
    assert written("lee") == "<lower> L ##e ##e"
    assert written("QuQ") == "<joined> Q u Q"
    assert written("41") == "41"
    assert written(LONG) == "<whole> [3]"


@pytest.mark.parametrize("text", ["Bo", "100", "-3", "QQ"])
def test_other_texts_are_beyond_it(text: str) -> None:
    with pytest.raises(ValueError, match="cannot do type"):
        written(text)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("press", {"keys": "ArrowUp"}),
        ("scroll", {"ref": 3, "dy": 10_000}),
        ("scroll", {"ref": 3, "dy": 0}),
        ("drag", {"ref": 3, "to": 1}),
    ],
)
def test_further_verbs_are_there_when_they_are_offered(
    tool: str, arguments: dict[str, str | int]
) -> None:
    action = Action(tool=tool, arguments=arguments)
    assert decode(encode_action(action, request(), WIDE), request(), WIDE) == action
    for other, vocabulary in ((asked("Go", PAGE, Sampling()), WIDE), (request(), PLAIN)):
        with pytest.raises(ValueError, match="cannot do"):
            encode_action(action, other, vocabulary)


@pytest.mark.parametrize("keys", ["F1", "a"])
def test_other_keys_are_beyond_it(keys: str) -> None:
    with pytest.raises(ValueError, match="cannot do press"):
        encode_action(Action(tool="press", arguments={"keys": keys}), request(), WIDE)


def test_a_vocabulary_says_that_it_is_wide_and_keeps_its_ids() -> None:
    assert Vocabulary.from_json(WIDE.to_json()) == WIDE
    assert "wide" not in PLAIN.to_json()
    assert WIDE.tokens[: PLAIN.size] == PLAIN.tokens
    assert WIDE.end_text == PLAIN.size == PLAIN.end_text


def test_earlier_weights_made_wide_say_the_same_of_what_both_can_do(tmp_path: Path) -> None:
    narrow = PointerLearner(PLAIN, seed=3)
    narrow.save(tmp_path)
    wide = PointerPolicy.begun(tmp_path, seed=0)
    asked_of, action = toy(1)
    page = encode(asked_of, PLAIN)
    assert encode(asked_of, WIDE) == page
    told = wide.learner.weights(0)
    for name, weight in narrow.weights(0).items():
        torch.testing.assert_close(told[name][: len(weight)], weight, rtol=0, atol=0)
    assert not told["told.facts"].any()
    assert not told["told.places"].any()
    assert encode_action(action, asked_of, WIDE) == encode_action(action, asked_of, PLAIN)


async def test_a_wide_policy_is_saved_begun_again_and_asked(tmp_path: Path) -> None:
    policy = PointerPolicy.fresh(["type text now"] * 9, seed=1, wide=True)
    policy.save(tmp_path)
    assert read(tmp_path).config.facts
    again = PointerPolicy.begun(tmp_path, seed=5)
    for seed in range(8):
        seeded = asked('Type "Ann Lee" so', PAGE, Sampling(seed=seed), OFFERED)
        answer = await policy.model.respond(seeded)
        assert answer.actions == (await again.model.respond(seeded)).actions


async def test_asked_for_the_likeliest_action_it_does_not_repeat_one_that_changed_nothing() -> None:
    greedy = asked('Type "Ann Lee" so', PAGE, Sampling(temperature=0.0), OFFERED)
    for vocabulary, repeats in ((PLAIN, True), (WIDE, False)):
        learner = PointerLearner(vocabulary, seed=1)
        sampler = PointerSampler(learner.config, vocabulary, learner.weights)
        model = PointerModel(sampler, vocabulary)
        first = (await model.respond(greedy)).actions
        again = greedy.messages + (
            Message(role="assistant", actions=first),
            Message(role="tool", elements=PAGE),
        )
        second = (await model.respond(structs.replace(greedy, messages=again))).actions
        assert (first == second) == repeats
