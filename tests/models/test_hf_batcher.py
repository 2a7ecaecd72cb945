"""Continuous batching, beside what transformers computes by itself."""

import random
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_hf
import torch
from transformers import AutoModelForCausalLM

from doer.errors import ConfigError, ModelError
from doer.models.local.hf.attention import Attention
from doer.models.local.hf.batcher import Batcher, Order
from doer.models.local.hf.sampler import HFSampler
from doer.records.completion import Sampling

TEXTS = ["a small text about nothing much, said twice, said twice"]
VOCABULARY = 280


FAMILIES = ["qwen", *(pytest.param(one, marks=pytest.mark.slow) for one in ("llama", "harmony"))]


@pytest.fixture(scope="module", params=FAMILIES)
def net(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = small_hf.write(tmp_path_factory.mktemp("hf"), request.param, TEXTS)
    return AutoModelForCausalLM.from_pretrained(folder).eval()


def prompts(count: int, shared: int = 0, seed: int = 0) -> list[tuple[int, ...]]:
    dice = random.Random(seed)
    start = [dice.randrange(20, VOCABULARY) for _ in range(shared)]
    return [
        (*start, *(dice.randrange(20, VOCABULARY) for _ in range(dice.randrange(3, 60))))
        for _ in range(count)
    ]


def order(prompt: tuple[int, ...], seed: int = 0, limit: int = 6, heat: float = 1.0) -> Order:
    return Order(prompt, heat, limit, np.random.default_rng(seed))


def run(batcher: Batcher, orders: list[Order]) -> None:
    for one in orders:
        batcher.add(one)
    while not all(one.answer.done() for one in orders):
        batcher.step()


class Counted:
    """A net that counts the tokens it is given, padding included."""

    def __init__(self, net: Any) -> None:
        self._net, self.tokens, self.passes = net, 0, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._net, name)

    def __call__(self, **given: Any) -> Any:
        self.tokens += given["input_ids"].numel()
        self.passes += 1
        return self._net(**given)


def test_greedy_is_what_transformers_generates(net: Any) -> None:
    orders = [order(prompt, limit=8, heat=0.0) for prompt in prompts(7)]
    run(Batcher(net, frozenset(), slots=4), orders)  # three of them have to wait
    for one in orders:
        prompt = torch.tensor([one.prefix])
        whole = net.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=8, do_sample=False,
            eos_token_id=None,
        )  # fmt: skip
        assert one.answer.result()[0] == tuple(whole[0, len(one.prefix) :].tolist())


def test_log_probabilities_are_those_of_one_plain_pass(net: Any) -> None:
    orders = [order(p, seed) for seed, p in enumerate(prompts(9, shared=40))]
    run(Batcher(net, frozenset(), slots=9), orders)
    for one in orders:
        tokens, logprobs = one.answer.result()
        with torch.no_grad():
            logits = net(torch.tensor([one.prefix + tokens])).logits[0].float()
        plain = logits.log_softmax(-1)[len(one.prefix) - 1 : -1]
        expected = [float(row[token]) for row, token in zip(plain, tokens, strict=True)]
        assert logprobs == pytest.approx(expected, abs=1e-4)


def test_an_answer_stops_at_an_end_or_at_its_limit(net: Any) -> None:
    free = order(prompts(1)[0], limit=30)
    run(Batcher(net, frozenset(), slots=2), [free])
    tokens = free.answer.result()[0]
    assert len(tokens) == 30
    end = tokens[4]
    ended = order(prompts(1)[0], limit=30)
    run(Batcher(net, frozenset({end}), slots=2), [ended])
    assert ended.answer.result()[0] == tokens[: tokens.index(end) + 1]


def test_what_is_shared_is_computed_once(net: Any) -> None:
    counted = Counted(net)
    batcher = Batcher(counted, frozenset(), slots=8)
    group = [order(prompts(1)[0] * 8, seed) for seed in range(8)]
    run(batcher, group)
    length = len(group[0].prefix)
    # Once the prompt; of it the last token for seven others; then 5 tokens each.
    assert counted.tokens == length + 7 + 8 * 5

    counted.tokens = 0
    first = group[3]
    written, _ = first.answer.result()
    seen = (30, 31, 32)
    run(batcher, [order(first.prefix + written + seen, limit=1)])
    assert counted.tokens == 1 + len(seen)  # the last token written, and what came back

    counted.tokens = 0
    batcher.forget()
    run(batcher, [order(first.prefix, limit=1)])
    assert counted.tokens == length


def test_sequences_join_while_others_are_under_way(net: Any) -> None:
    counted = Counted(net)
    batcher = Batcher(counted, frozenset(), slots=4)
    early, late = order(prompts(2)[0], limit=20), order(prompts(2)[1], limit=4)
    batcher.add(early)
    for _ in range(10):
        batcher.step()
    run(batcher, [late])
    assert not early.answer.done()
    alone = order(late.prefix, limit=4)
    run(Batcher(net, frozenset(), slots=1), [alone])
    assert alone.answer.result()[0] == late.answer.result()[0]
    passes = counted.passes
    while not early.answer.done():
        batcher.step()
    assert counted.passes - passes == 6


def test_who_gives_up_makes_room(net: Any) -> None:
    batcher = Batcher(net, frozenset(), slots=1)
    lost, kept = order(prompts(2)[0], limit=1000), order(prompts(2)[1], limit=2)
    batcher.add(lost)
    batcher.step()
    batcher.add(kept)
    batcher.step()
    assert lost.answer.cancel()
    run(batcher, [kept])
    with pytest.raises(CancelledError):
        lost.answer.result()


class Failing(Counted):
    def __call__(self, **given: Any) -> Any:
        if self.passes == 2:
            self.passes += 1
            raise RuntimeError("out of memory")
        return super().__call__(**given)


async def test_a_failed_pass_fails_its_calls_and_no_later_ones(net: Any) -> None:
    sampler = HFSampler(Failing(net), frozenset(), context=200, slots=4)
    prompt = prompts(1)[0]
    sampling = Sampling(seed=1, max_tokens=5)
    with pytest.raises(ModelError, match="out of memory"):
        await sampler.sample([prompt, prompt], sampling)
    one, other = await sampler.sample([prompt, prompt], sampling)
    (again, _) = await HFSampler(net, frozenset(), 200, 1).sample([prompt, prompt], sampling)
    assert one.token_ids == again.token_ids
    assert one.token_ids != other.token_ids  # rows of one call have seeds of their own


async def test_a_conversation_that_is_too_long_is_told(net: Any) -> None:
    sampler = HFSampler(net, frozenset(), context=20, slots=1)
    (short,) = await sampler.sample([tuple(range(20, 38))], Sampling(max_tokens=50))
    assert len(short.token_ids) == 20
    with pytest.raises(ModelError, match="the model reads 20"):
        await sampler.sample([tuple(range(20, 40))], Sampling())


def test_layers_without_masks_are_refused(tmp_path: Path) -> None:
    config = small_hf.config("qwen", 300)
    config.layer_types = ["full_attention", "linear_attention"]
    with pytest.raises(ConfigError, match="linear_attention"):
        Attention.of(config)
