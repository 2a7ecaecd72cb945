import asyncio

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_pages import asked, toy

from doer.errors import ModelError
from doer.models.local.pointer.encoding import encode
from doer.models.local.pointer.grammar import LONGEST_ACTION, Grammar, Rules
from doer.models.local.pointer.learner import PointerLearner
from doer.models.local.pointer.model import PointerModel
from doer.models.local.pointer.sampler import PointerSampler
from doer.models.local.pointer.vocabulary import Vocabulary
from doer.models.local.weights import Row
from doer.records.completion import Message, Request, Sampling, Segment

PLAIN = Vocabulary()
LEARNER = PointerLearner(PLAIN)
SAMPLER = PointerSampler(LEARNER.config, PLAIN, LEARNER.weights)
MODEL = PointerModel(SAMPLER, PLAIN)


def seeded(count: int, temperature: float = 1.0) -> list[Request]:
    return [toy(n, Sampling(seed=n, temperature=temperature))[0] for n in range(count)]


async def segments(requests: list[Request]) -> list[Segment]:
    answers = await asyncio.gather(*(MODEL.respond(request) for request in requests))
    return [answer.segment for answer in answers if answer.segment is not None]


async def test_an_answer_is_one_action_on_the_page_with_its_tokens() -> None:
    request = seeded(1)[0]
    answer = await MODEL.respond(request)
    (action,) = answer.actions
    assert action.arguments["ref"] in [element.ref for element in request.messages[1].elements]
    assert answer.segment is not None
    prefix = encode(request, PLAIN)
    assert answer.segment.token_ids[: len(prefix)] == prefix  # a rollout encodes to the same again
    assert answer.usage.input_tokens == len(prefix)
    assert answer.usage.output_tokens == sum(answer.segment.mask)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
async def test_recorded_log_probabilities_are_those_of_the_learner(temperature: float) -> None:
    drawn = await segments(seeded(24, temperature))
    again = LEARNER.log_probs([Row(segment) for segment in drawn])
    for segment, logprobs in zip(drawn, again, strict=True):
        assert segment.logprobs == pytest.approx(logprobs, abs=1e-4)
        assert min(segment.logprobs) < 0.0


async def test_an_answer_does_not_depend_on_what_else_is_asked() -> None:
    requests = seeded(16)
    together = await segments(requests)
    alone = [(await segments([request]))[0] for request in requests]
    assert [s.token_ids for s in together] == [s.token_ids for s in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


async def test_the_seed_decides() -> None:
    request = seeded(1)[0]
    prefix = encode(request, PLAIN)
    once, again = [await SAMPLER.sample([prefix] * 8, Sampling(seed=3)) for _ in range(2)]
    assert once == again
    assert len({segment.token_ids for segment in once}) > 1  # rows of one call differ
    other = await SAMPLER.sample([prefix] * 8, Sampling(seed=4))
    assert other != once


async def test_greedy_takes_the_likeliest_and_needs_no_seed() -> None:
    prefix = encode(seeded(1)[0], PLAIN)
    greedy = await SAMPLER.sample([prefix] * 4, Sampling(temperature=0.0))
    assert len({segment.token_ids for segment in greedy}) == 1
    drawn = await SAMPLER.sample([prefix] * 64, Sampling(seed=1))
    at = len(prefix)  # the first token: it has the same distribution in all
    assert greedy[0].logprobs[at] == pytest.approx(max(s.logprobs[at] for s in drawn), abs=1e-4)


async def test_a_low_temperature_sharpens() -> None:
    prefix = encode(seeded(1)[0], PLAIN)
    (mild,), (sharp,) = [
        await SAMPLER.sample([prefix], Sampling(temperature=t, seed=5)) for t in (1.0, 0.05)
    ]
    (greedy,) = await SAMPLER.sample([prefix], Sampling(temperature=0.0))
    at = len(prefix)
    assert sharp.token_ids[at] == greedy.token_ids[at]
    assert sharp.logprobs[at] > mild.logprobs[at]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1 << 30))
def test_nothing_forbidden_is_ever_drawn(seed: int) -> None:
    request, _ = toy(seed)
    prefix = encode(request, PLAIN)
    rules = Rules(Grammar(PLAIN), prefix)
    drawn = asyncio.run(SAMPLER.sample([prefix] * 8, Sampling(seed=seed)))
    for segment in drawn:
        action = segment.token_ids[len(prefix) :]
        assert rules.allow(action)
        assert all(logprob > -100 for logprob in segment.logprobs)
        words = {word for _, word in PLAIN.words(prefix)}
        assert {word for _, word in PLAIN.words(action)} <= words or len(action) == LONGEST_ACTION


async def test_only_the_request_at_fault_fails() -> None:
    good, empty = seeded(1)[0], Request(messages=(Message(role="user", text="Go"),))
    broken = (*encode(good, PLAIN)[:-1], PLAIN.size + 7)  # the net has no such token
    broken = (broken[0], PLAIN.size + 7, *broken[2:])
    answers = await asyncio.gather(
        MODEL.respond(good),
        MODEL.respond(empty),
        SAMPLER.sample([broken], Sampling()),
        MODEL.respond(good),
        return_exceptions=True,
    )
    assert [isinstance(answer, ModelError) for answer in answers] == [False, True, True, False]


async def test_a_cancelled_request_does_not_hold_up_the_others() -> None:
    requests = seeded(12)
    tasks = [asyncio.create_task(MODEL.respond(request)) for request in requests]
    await asyncio.wait(tasks[:1], return_when=asyncio.FIRST_COMPLETED)
    tasks[-1].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert not any(isinstance(answer, Exception) for answer in answers[:-1])


async def test_new_weights_are_used_from_the_next_request_on() -> None:
    learner = PointerLearner(PLAIN)
    sampler = PointerSampler(learner.config, PLAIN, learner.weights)
    prefix = encode(seeded(1)[0], PLAIN)
    (old,) = await sampler.sample([prefix], Sampling(seed=1))

    def push(scores: object, *_: torch.Tensor) -> torch.Tensor:
        return -scores.logp_R_T.sum()

    learner.step([Row(old)], push, 1.0, 1e-3)
    (still,) = await sampler.sample([prefix], Sampling(seed=1))
    assert still == old  # the learner moves its own copy
    sampler.load(learner.version)
    (new,) = await sampler.sample([prefix], Sampling(seed=1))
    assert (old.policy_version, new.policy_version) == (0, 1)
    assert new.logprobs != old.logprobs


async def test_a_page_without_elements_can_only_be_left() -> None:
    with pytest.raises(ModelError, match="nothing"):
        await MODEL.respond(asked("Go", (), Sampling()))
