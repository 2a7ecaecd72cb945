import math
from pathlib import Path
from typing import get_args

import pytest
import torch
from toy_pages import row, toy

from doer.errors import ConfigError, ModelError
from doer.models.local.optimizers import Kind
from doer.models.local.pointer.learner import PointerLearner
from doer.models.local.pointer.vocabulary import Vocabulary
from doer.models.local.weights import Row, Scores, StepReport
from doer.records.completion import Segment

PLAIN = Vocabulary()
KINDS = get_args(Kind)
ROWS = [row(*toy(seed), PLAIN) for seed in range(6)]


def likelihood(scores: Scores, old_R_T: torch.Tensor, advantage_R: torch.Tensor) -> torch.Tensor:
    return -(scores.logp_R_T * scores.mask_R_T * advantage_R[:, None]).sum()


def learned(learner: PointerLearner, steps: int) -> list[StepReport]:
    return [learner.step(ROWS, likelihood, 10.0, 1e-3) for _ in range(steps)]


def with_logprobs(row: Row, logprobs: tuple[float, ...]) -> Row:
    segment = row.segment
    kept = Segment(token_ids=segment.token_ids, mask=segment.mask, logprobs=logprobs)
    return Row(kept, row.advantage)


def added(change: float, row: Row, logprobs: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(x + change * bit for x, bit in zip(logprobs, row.segment.mask, strict=True))


def test_log_probs_stand_under_their_tokens_in_the_order_of_the_rows() -> None:
    learner = PointerLearner(PLAIN)
    found = learner.log_probs(ROWS)
    for one, logprobs in zip(ROWS, found, strict=True):
        assert len(logprobs) == len(one.segment.mask)
        chosen = one.segment.mask.index(1)
        assert not any(logprobs[:chosen])
        assert logprobs[chosen] < 0
        assert logprobs[chosen + 1] < 0
        assert learner.log_probs([one])[0] == pytest.approx(logprobs, abs=1e-5)


def test_a_step_reports_what_was_before_it() -> None:
    learner = PointerLearner(PLAIN)
    before = learner.log_probs(ROWS)
    tokens = sum(sum(one.segment.mask) for one in ROWS)
    shifted = [
        with_logprobs(one, added(0.1, one, logprobs))
        for one, logprobs in zip(ROWS, before, strict=True)
    ]
    report = learner.step(shifted, likelihood, 10.0, 1e-3)
    assert report.loss == pytest.approx(-sum(map(sum, before)) / 10.0, rel=1e-4)
    assert report.kl == pytest.approx(0.1, abs=1e-4)
    assert report.moved == 0.0
    assert 0 < report.entropy < math.log(PLAIN.size)
    assert report.grad_norm > 0
    assert report.tokens == tokens
    assert learner.version == 1


def test_what_has_moved_far_is_counted() -> None:
    learner = PointerLearner(PLAIN)
    before = learner.log_probs(ROWS[:2])
    rows = [
        with_logprobs(one, added(change, one, logprobs))
        for one, logprobs, change in zip(ROWS, before, (0.3, -0.3), strict=False)
    ]
    assert learner.step(rows, likelihood, 1.0, 0.0).moved == 1.0


def test_the_advantage_and_the_old_log_probabilities_reach_the_loss() -> None:
    seen: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []

    def spy(scores: Scores, old_R_T: torch.Tensor, advantage_R: torch.Tensor) -> torch.Tensor:
        seen.append((scores.mask_R_T, old_R_T, advantage_R))
        return likelihood(scores, old_R_T, advantage_R)

    one = ROWS[0].segment
    logprobs = tuple(-0.5 * bit for bit in one.mask)
    kept = Segment(token_ids=one.token_ids, mask=one.mask, logprobs=logprobs)
    PointerLearner(PLAIN).step([Row(kept, -2.0)], spy, 1.0, 0.0)
    ((mask, old, advantage),) = seen
    assert old.tolist() == [[-0.5] * sum(one.mask)]
    assert mask.tolist() == [[1] * sum(one.mask)]
    assert advantage.tolist() == [-2.0]


@pytest.mark.parametrize("optimizer", KINDS)
def test_steps_make_demonstrations_likelier(optimizer: Kind) -> None:
    reports = learned(PointerLearner(PLAIN, optimizer=optimizer), 5)
    assert reports[-1].loss < 0.8 * reports[0].loss


def test_the_cut_into_chunks_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, cut = PointerLearner(PLAIN), PointerLearner(PLAIN)
    (one,) = learned(whole, 1)
    monkeypatch.setattr("doer.models.local.pointer.learner._CHUNK", 2)
    (other,) = learned(cut, 1)
    assert other == pytest.approx(one, rel=1e-4)


def test_the_seed_makes_the_net_and_nothing_else_does() -> None:
    torch.rand(3)
    one, same, other = (PointerLearner(PLAIN, seed=seed) for seed in (1, 1, 2))
    assert one.log_probs(ROWS) == same.log_probs(ROWS) != other.log_probs(ROWS)


def test_a_gradient_that_is_not_finite_changes_nothing() -> None:
    learner = PointerLearner(PLAIN)
    before = learner.log_probs(ROWS)
    with pytest.raises(ModelError, match="finite"):
        learner.step(ROWS, lambda *args: likelihood(*args) * math.nan, 1.0, 1e-3)
    assert learner.log_probs(ROWS) == before
    assert learner.version == 0


def test_weights_of_another_version_are_gone() -> None:
    learner = PointerLearner(PLAIN)
    learned(learner, 1)
    assert learner.weights(1)
    with pytest.raises(ModelError, match="version 1"):
        learner.weights(0)


@pytest.mark.parametrize("optimizer", KINDS)
def test_a_saved_learner_goes_on_bit_equal(tmp_path: Path, optimizer: Kind) -> None:
    learner = PointerLearner(PLAIN, optimizer=optimizer)
    learned(learner, 2)
    learner.save(tmp_path)
    expected = learned(learner, 2), learner.log_probs(ROWS)
    fresh = PointerLearner(PLAIN, seed=9, optimizer=optimizer)
    fresh.load(tmp_path)
    assert fresh.version == 2
    assert (learned(fresh, 2), fresh.log_probs(ROWS)) == expected
    learner.load(tmp_path)  # going back
    assert (learned(learner, 2), learner.log_probs(ROWS)) == expected


def test_going_back_before_the_first_step_forgets_the_optimizer(tmp_path: Path) -> None:
    learner = PointerLearner(PLAIN)
    learner.save(tmp_path)
    expected = learned(learner, 2)
    learner.load(tmp_path)
    assert learned(learner, 2) == expected


def test_saving_over_a_checkpoint_replaces_it(tmp_path: Path) -> None:
    learner = PointerLearner(PLAIN)
    learner.save(tmp_path)
    learned(learner, 1)
    learner.save(tmp_path)
    fresh = PointerLearner(PLAIN)
    fresh.load(tmp_path)
    assert fresh.version == 1
    assert not list(tmp_path.glob("*.partial"))


def test_a_checkpoint_with_another_vocabulary_is_refused(tmp_path: Path) -> None:
    PointerLearner(Vocabulary((("a", "##b"),))).save(tmp_path)
    with pytest.raises(ConfigError, match="vocabulary"):
        PointerLearner(PLAIN).load(tmp_path)


def test_a_checkpoint_for_use_only_cannot_be_trained_on(tmp_path: Path) -> None:
    PointerLearner(PLAIN).save(tmp_path)
    (tmp_path / "learner.safetensors").unlink()
    with pytest.raises(ConfigError, match="learner"):
        PointerLearner(PLAIN).load(tmp_path)
