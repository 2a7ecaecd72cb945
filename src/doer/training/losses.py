"""Losses over tokens: plain functions of log-probabilities, shared by every method.

Shapes: R rows (one decision each), T tokens, padded; `mask_R_T` is 1 on tokens the policy chose.
Each returns a SUM over chosen tokens; the learner divides by a constant, never by a row's own
length, so long rollouts weigh as much a token as short ones (AsyncWebRL, arXiv 2606.05597).
"""

import math
from functools import partial

import torch
from torch import Tensor

from doer.models.local.weights import Loss, Scores

RATIO_BOUND = 5.0  # of the log-ratio, against overflow


def imitation(scores: Scores, old_logp_R_T: Tensor, advantages_R: Tensor) -> Tensor:
    """Negative log-likelihood of the demonstrated tokens, weighted a row by its advantage."""
    del old_logp_R_T
    return -(scores.logp_R_T * scores.mask_R_T * advantages_R[:, None]).sum()


def preference(gap: float, beta: float) -> tuple[float, float]:
    """DPO's loss of one pair, -log sigmoid(beta * gap), and the weight with which its gradient
    imitates the chosen answer and unlearns the rejected one. `gap` is the pair's margin in nats
    less the reference's."""
    wrong = 1 / (1 + math.exp(max(-500.0, min(500.0, beta * gap))))
    return (math.log1p(math.exp(-abs(beta * gap))) + max(0.0, -beta * gap)), beta * wrong


def clipped_ratio(low: float, high: float, entropy: float) -> Loss:
    """PPO's clipped surrogate against the sampler's own log-probabilities, less an entropy bonus.

    Source: arXiv 1707.06347; the wider upper bound: DAPO, arXiv 2503.14476.
    """
    return partial(_clipped_ratio, low=low, high=high, entropy=entropy)


def _clipped_ratio(
    scores: Scores,
    old_logp_R_T: Tensor,
    advantages_R: Tensor,
    *,
    low: float,
    high: float,
    entropy: float,
) -> Tensor:
    log_ratio = (scores.logp_R_T - old_logp_R_T).clamp(-RATIO_BOUND, RATIO_BOUND)
    ratio = log_ratio.exp()
    advantages_R_T = advantages_R[:, None]
    gain = torch.minimum(ratio * advantages_R_T, ratio.clamp(1 - low, 1 + high) * advantages_R_T)
    return -((gain + entropy * scores.entropy_R_T) * scores.mask_R_T).sum()
