"""Every number here was worked out by hand."""

import math

import pytest
import torch

from doer.models.local.weights import Scores
from doer.training.advantages import group_advantages, rewards
from doer.training.losses import clipped_ratio, imitation


def scores(logp, entropy=None, mask=None) -> Scores:
    logp = torch.tensor(logp, requires_grad=True)
    entropy = torch.zeros_like(logp) if entropy is None else torch.tensor(entropy)
    mask = torch.ones_like(logp) if mask is None else torch.tensor(mask)
    return Scores(logp, entropy, mask)


def test_imitation_is_the_summed_negative_log_likelihood_of_chosen_tokens():
    found = scores([[-1.0, -2.0], [-4.0, -8.0]], mask=[[1.0, 1.0], [1.0, 0.0]])
    loss = imitation(found, torch.zeros(2, 2), torch.tensor([1.0, 0.5]))
    assert loss.item() == pytest.approx(1 + 2 + 0.5 * 4)


@pytest.mark.parametrize(
    ("ratio", "advantage", "surrogate"),
    [
        (1.0, 2.0, 2.0),  # on policy: the advantage itself
        (1.1, 2.0, 2.2),  # inside the band: not clipped
        (1.5, 2.0, 1.28 * 2),  # too far up with a gain: clipped at 1 + high
        (0.5, 2.0, 0.5 * 2),  # too far down with a gain: the smaller, unclipped one
        (1.5, -1.0, -1.5),  # too far up with a loss: the smaller, unclipped one
        (0.5, -1.0, -0.8),  # too far down with a loss: clipped at 1 - low
    ],
)
def test_the_ratio_is_clipped_on_the_side_that_would_gain(ratio, advantage, surrogate):
    found = scores([[math.log(ratio) - 3.0]])
    loss = clipped_ratio(0.2, 0.28, 0.0)(found, torch.tensor([[-3.0]]), torch.tensor([advantage]))
    assert loss.item() == pytest.approx(-surrogate, rel=1e-5)


def test_a_clipped_token_has_no_gradient_and_an_unclipped_one_has():
    found = scores([[math.log(1.5), math.log(1.1)]])
    clipped_ratio(0.2, 0.28, 0.0)(found, torch.zeros(1, 2), torch.tensor([2.0])).backward()
    assert found.logp_R_T.grad.tolist()[0] == pytest.approx([0.0, -2.2])


def test_entropy_counts_only_where_the_policy_chose():
    found = scores([[0.0, 0.0]], entropy=[[2.0, 5.0]], mask=[[1.0, 0.0]])
    loss = clipped_ratio(0.2, 0.28, 0.1)(found, torch.zeros(1, 2), torch.tensor([0.0]))
    assert loss.item() == pytest.approx(-0.2)


def test_a_wild_ratio_stays_finite():
    found = scores([[0.0]])
    loss = clipped_ratio(0.2, 0.28, 0.0)(found, torch.tensor([[-1000.0]]), torch.tensor([-1.0]))
    assert loss.item() == pytest.approx(math.exp(5), rel=1e-5)


def test_group_advantages_by_hand():
    # mean .25, population deviation sqrt(3)/4 = .4330
    found = group_advantages([1.0, 0.0, 0.0, 0.0])
    assert found == pytest.approx([0.75 / 0.48301, *[-0.25 / 0.48301] * 3], abs=1e-4)
    assert sum(found) == pytest.approx(0.0)


@pytest.mark.parametrize("agreed", [0.0, 1.0])
def test_a_group_that_agrees_teaches_nothing(agreed):
    assert group_advantages([agreed] * 8) == [0.0] * 8


def test_rewards_without_efficiency_are_success():
    assert rewards([True, False, True], [2, 2, 9], 0.0) == [1.0, 0.0, 1.0]
    assert rewards([False, False], [1, 1], 0.5) == [0.0, 0.0]


def test_only_successes_are_paid_for_being_short():
    # successes took 2 and 6 steps: mean 4, so +-.5 of the mean
    assert rewards([True, True, False], [2, 6, 1], 0.1) == pytest.approx([1.05, 0.95, 0.0])


def test_no_success_however_long_falls_to_a_failure():
    found = rewards([True] * 3 + [False], [1, 1, 100, 1], 0.3)
    assert min(found[:3]) == pytest.approx(0.7)
    assert found[3] == 0.0
