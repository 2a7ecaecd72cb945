"""One optimiser step over rows, the same for every net: gradients a chunk at a time, then AdamW."""

# torch leaves these out of its annotations.
# pyright: reportUnknownMemberType=false

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer

from doer.errors import ModelError
from doer.models.local.weights import Loss, Row, Scores, StepReport

_LONGEST_GRADIENT = 1.0
_SMALL = 20_000_000  # weights; below, the work of a second thread is mostly waiting


def one_thread() -> None:
    """Keep torch, here and in this thread, to one core. More threads wait for each other by
    spinning, which takes the cores from the browsers and slows all down many times on a busy
    machine."""
    torch.set_num_threads(1)


def few_threads(weights: int) -> None:
    """One thread for a net of few weights, as many as torch likes for a larger one."""
    if weights < _SMALL:
        one_thread()


def take_step(
    optimizers: Sequence[Optimizer],
    chunks: Iterable[Sequence[Row]],
    scored: Callable[[Sequence[Row]], Scores],
    loss: Loss,
    normaliser: float,
    lr: float,
) -> StepReport:
    """Move the optimizers' weights down the gradient of loss / normaliser, summed over all chunks.
    Raises `ModelError`, and moves nothing, when the gradient is not finite."""
    for optimizer in optimizers:
        optimizer.zero_grad()
    sums = torch.zeros(5, dtype=torch.float64)
    for rows in chunks:
        scores = scored(rows)
        old_R_T = _old(rows, scores.mask_R_T)
        advantage_R = torch.tensor([row.advantage for row in rows], device=old_R_T.device)
        value = loss(scores, old_R_T, advantage_R) / normaliser
        value.backward()
        sums += _sums(value.detach(), scores, old_R_T).cpu()
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    weights = [weight for group in groups for weight in group["params"]]
    norm = float(torch.nn.utils.clip_grad_norm_(weights, _LONGEST_GRADIENT))
    if not norm < float("inf"):
        raise ModelError("the gradient is not finite")
    for group in groups:
        group["lr"] = lr * group.get("scale", 1.0)
    for optimizer in optimizers:
        optimizer.step()
    total, kl, entropy, moved, tokens = map(float, sums)
    return StepReport(total, kl / tokens, entropy / tokens, moved / tokens, norm, int(tokens))


def _old(rows: Sequence[Row], mask_R_T: Tensor) -> Tensor:
    """The log-probabilities that the rows came with, of their chosen tokens."""
    old = torch.zeros(mask_R_T.shape)
    for to, row in zip(old, rows, strict=True):
        segment = row.segment
        chosen = [logp for logp, own in zip(segment.logprobs, segment.mask, strict=True) if own]
        to[: len(chosen)] = torch.tensor(chosen)
    return old.to(mask_R_T.device)


def _sums(value: Tensor, scores: Scores, old_R_T: Tensor) -> Tensor:
    """Loss, and over the masked tokens: KL, entropy, moved, and their number."""
    mask = scores.mask_R_T
    change = (scores.logp_R_T.detach() - old_R_T) * mask
    moved = (change.exp() < 0.8) | (change.exp() > 1.25)
    entropy = scores.entropy_R_T.detach() * mask
    return torch.stack((value, -change.sum(), entropy.sum(), moved.sum(), mask.sum()))
