"""Probabilities of the next token: one softmax over [vocabulary ; prefix positions] under the
grammar's mask. A token's probability is that of writing it plus that of copying it from anywhere.

Shapes as in `net`.
"""

import torch
from torch import Tensor

from doer.models.local.pointer.net import Prefixes

_NEVER = -1e9  # becomes probability 0 exactly, and unlike -inf no NaN where nothing is allowed


def masked(scores_R_A_S: Tensor, written_R_A_V: Tensor, copies_R_A_P: Tensor) -> Tensor:
    """The scores with everything that the grammar forbids at impossibly low values."""
    return scores_R_A_S.masked_fill(~torch.cat((written_R_A_V, copies_R_A_P), 2), _NEVER)


def probabilities(scores_R_S: Tensor, page: Prefixes) -> Tensor:
    """probabilities_R_V of every token, copies included."""
    joint = scores_R_S.softmax(1)
    size = joint.shape[1] - page.tokens_R_P.shape[1]
    return joint[:, :size].scatter_add(1, page.tokens_R_P, joint[:, size:])


def scored(scores_R_A_S: Tensor, targets_R_A: Tensor, page: Prefixes) -> tuple[Tensor, Tensor]:
    """Log-probability of each target, and the entropy of the joint distribution."""
    joint = scores_R_A_S.log_softmax(2)
    size = joint.shape[2] - page.tokens_R_P.shape[1]
    written = joint[..., :size].gather(2, targets_R_A[..., None])
    copies = page.tokens_R_P[:, None] == targets_R_A[..., None]
    copied = joint[..., size:].masked_fill(~copies, _NEVER)
    logp = torch.cat((written, copied), 2).logsumexp(2)
    return logp, -(joint.exp() * joint).sum(2)
