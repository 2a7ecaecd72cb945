"""What every Policy keeps, with its Sampler and its Learner: small ones of our own, and any causal
language model, all of its weights or an adapter trained."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import small_hf
from toy_pages import toy

from doer.errors import ConfigError
from doer.models.local.hf.policy import HFPolicy, load_hf
from doer.models.local.lora import Lora
from doer.models.local.pointer.checkpoint import load_pointer
from doer.models.local.pointer.policy import PointerPolicy
from doer.models.local.policy import Policy
from doer.models.local.weights import Row
from doer.models.model import Model
from doer.records.completion import Completion, Request, Sampling, Segment, ToolSpec
from doer.training.losses import imitation

CLICK = ToolSpec(
    name="click",
    description="Click an element.",
    parameters={"type": "object", "properties": {"ref": {"type": "integer"}}},
)
TEXTS = ['Click button link {"name": "click", "arguments": {"ref": 7}} user assistant'] * 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_hf.write(tmp_path_factory.mktemp("hf") / "small", "qwen", TEXTS)


Kind = tuple[Callable[[Path], Policy], Callable[[Path], Policy], Callable[[Path], Model]]
KINDS: dict[str, Kind] = {
    "pointer": (
        lambda _: PointerPolicy.fresh(TEXTS, seed=1),
        PointerPolicy.resumed,
        load_pointer,
    ),
    "hf": (
        lambda folder: HFPolicy.fresh(folder, None, longest=8),
        lambda folder: HFPolicy.resumed(folder, longest=8),
        load_hf,
    ),
    "hf-lora": (
        lambda folder: HFPolicy.fresh(folder, Lora(rank=4, alpha=8), longest=8),
        lambda folder: HFPolicy.resumed(folder, longest=8),
        load_hf,
    ),
}
every_policy = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def policy(kind: str, folder: Path) -> Policy:
    return KINDS[kind][0](folder)


def asked(seed: int, temperature: float = 1.0) -> Request:
    request = toy(seed, Sampling(seed=seed, temperature=temperature, max_tokens=8))[0]
    return msgspec.structs.replace(request, tools=(CLICK,))


def right(seed: int) -> Completion:
    return Completion(actions=(toy(seed)[1],))


def rows(policy: Policy, count: int = 4) -> list[Row]:
    return [Row(policy.demonstration(asked(seed), right(seed))) for seed in range(count)]


def taught(policy: Policy, steps: int = 3) -> list[float]:
    some = rows(policy)
    return [policy.learner.step(some, imitation, 8.0, 1e-2).loss for _ in range(steps)]


async def segments(model: Model, requests: list[Request]) -> list[Segment]:
    said = await asyncio.gather(*(model.respond(request) for request in requests))
    return [answer.segment for answer in said if answer.segment is not None]


@every_policy
async def test_sampled_and_recomputed_log_probabilities_agree(policy: Policy) -> None:
    drawn = await segments(policy.model, [asked(seed) for seed in range(8)])
    assert len(drawn) == 8
    again = policy.learner.log_probs([Row(segment) for segment in drawn])
    for segment, logprobs in zip(drawn, again, strict=True):
        assert segment.logprobs == pytest.approx(logprobs, abs=1e-4)
        assert any(logprobs)


@every_policy
async def test_an_answer_depends_on_its_own_seed_only(policy: Policy) -> None:
    requests = [asked(seed) for seed in range(6)]
    together = await segments(policy.model, requests)
    alone = [(await segments(policy.model, [request]))[0] for request in reversed(requests)]
    assert [s.token_ids for s in together] == [s.token_ids for s in reversed(alone)]
    other = msgspec.structs.replace(requests[0], sampling=Sampling(seed=77, max_tokens=8))
    assert len({(await segments(policy.model, [r]))[0].token_ids for r in (requests[0], other)}) > 1


@every_policy
async def test_greedy_needs_no_seed(policy: Policy) -> None:
    one, other = [
        msgspec.structs.replace(asked(3), sampling=Sampling(temperature=0.0, seed=s, max_tokens=8))
        for s in (None, 5)
    ]
    first, second = await segments(policy.model, [one, other])
    assert first.token_ids == second.token_ids


@every_policy
async def test_a_cancelled_question_does_not_hold_up_the_others(policy: Policy) -> None:
    lost = asyncio.create_task(policy.model.respond(asked(1)))
    kept = asyncio.create_task(policy.model.respond(asked(2)))
    await asyncio.sleep(0)  # both have started
    lost.cancel()
    assert (await kept).segment is not None
    with pytest.raises(asyncio.CancelledError):
        await lost


@every_policy
def test_a_demonstration_marks_the_answer(policy: Policy) -> None:
    segment = policy.demonstration(asked(1), right(1))
    given = segment.mask.index(1)
    assert 0 < given < len(segment.mask)
    assert all(segment.mask[given:])


@every_policy
async def test_training_reaches_the_model_when_it_is_refreshed(policy: Policy) -> None:
    greedy = asked(1, temperature=0.0)
    before = (await segments(policy.model, [greedy]))[0]
    losses = taught(policy, 12)
    assert losses[-1] < 0.95 * losses[0]
    assert (await segments(policy.model, [greedy]))[0].token_ids == before.token_ids
    policy.refresh()
    after = (await segments(policy.model, [greedy]))[0]
    assert after.policy_version == policy.learner.version == 12
    again = policy.learner.log_probs([Row(after)])[0]
    assert after.logprobs == pytest.approx(again, abs=1e-4)
    assert after.logprobs != before.logprobs


@every_policy
def test_a_saved_learner_goes_on_bit_equal(policy: Policy, kind: str, tmp_path: Path) -> None:
    taught(policy)
    policy.learner.save(tmp_path / "kept")
    resumed = KINDS[kind][1](tmp_path / "kept")
    assert resumed.learner.version == policy.learner.version
    assert taught(resumed, 2) == taught(policy, 2)
    policy.learner.load(tmp_path / "kept")
    resumed.learner.load(tmp_path / "kept")
    assert policy.learner.log_probs(rows(policy)) == resumed.learner.log_probs(rows(policy))


@every_policy
async def test_what_is_saved_answers_the_same(policy: Policy, kind: str, tmp_path: Path) -> None:
    taught(policy, 6)
    policy.refresh()
    policy.save(tmp_path / "model")
    policy.learner.save(tmp_path / "learner")
    requests = [asked(seed, temperature=0.0) for seed in range(4)]
    expected = await segments(policy.model, requests)
    for folder in ("model", "learner"):
        found = await segments(KINDS[kind][2](tmp_path / folder), requests)
        assert [s.token_ids for s in found] == [s.token_ids for s in expected]
        for one, other in zip(found, expected, strict=True):
            assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


@every_policy
def test_what_is_no_checkpoint_is_refused(policy: Policy, kind: str, tmp_path: Path) -> None:
    for load in (policy.learner.load, *KINDS[kind][1:]):
        reading: Callable[[Path], Any] = load
        with pytest.raises(ConfigError):
            reading(tmp_path)
