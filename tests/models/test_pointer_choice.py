import math

import torch

from doer.models.local.pointer.choice import masked, probabilities, scored
from doer.models.local.pointer.net import Prefixes

# A vocabulary of 3 tokens: 0 is a place, 1 and 2 are words. The prefix reads 1 2 0 1, then padding.
TOKENS = torch.tensor([[1, 2, 0, 1, 0]])
THERE = torch.tensor([[True, True, True, True, False]])
PAGE = Prefixes(TOKENS, TOKENS * 0, TOKENS * 0, THERE, THERE, TOKENS[..., None] * 0)
# Weights of the joint softmax: written 0, 1, 2, then copied from positions 0 .. 4.
SCORES = torch.tensor([[[5.0, 2.0, 7.0, 1.0, 3.0, 9.0, 4.0, 8.0]]]).log()


def only(*allowed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Which of the eight may be chosen, as `masked` wants it."""
    mask = torch.zeros(1, 1, 8, dtype=torch.bool)
    mask[..., list(allowed)] = True
    return mask[..., :3], mask[..., 3:]


TEXT = masked(SCORES, *only(1, 3, 4, 6))
PLACE = masked(SCORES, *only(5))


def test_a_word_is_written_or_copied_from_all_its_places() -> None:
    # Allowed: writing 1 (2), copying 1 (1 + 4), copying 2 (3): 10 in all.
    shares = probabilities(TEXT[:, 0], PAGE)
    torch.testing.assert_close(shares, torch.tensor([[0.0, 0.7, 0.3]]))
    logp, entropy = scored(TEXT, torch.tensor([[1]]), PAGE)
    torch.testing.assert_close(logp, torch.tensor([[math.log(0.7)]]))
    parts = [0.2, 0.1, 0.4, 0.3]
    expected = -sum(part * math.log(part) for part in parts)
    torch.testing.assert_close(entropy, torch.tensor([[expected]]))


def test_a_word_that_may_not_be_written_can_be_copied() -> None:
    logp, _ = scored(TEXT, torch.tensor([[2]]), PAGE)
    torch.testing.assert_close(logp, torch.tensor([[math.log(0.3)]]))


def test_pointing_takes_the_place_that_is_there() -> None:
    assert probabilities(PLACE[:, 0], PAGE).tolist() == [[1.0, 0.0, 0.0]]
    logp, entropy = scored(PLACE, torch.tensor([[0]]), PAGE)
    assert logp.item() == entropy.item() == 0.0


def test_the_forbidden_has_no_probability_at_all() -> None:
    assert probabilities(TEXT[:, 0], PAGE)[0, 0].item() == 0.0
    logp, _ = scored(PLACE, torch.tensor([[1]]), PAGE)
    assert logp.exp().item() == 0.0


def test_gradients_are_finite_where_nothing_is_allowed() -> None:
    scores = SCORES.clone().requires_grad_()
    logp, entropy = scored(masked(scores, *only()), torch.tensor([[0]]), PAGE)
    (logp + entropy).sum().backward()
    assert scores.grad is not None
    assert scores.grad.isfinite().all()
