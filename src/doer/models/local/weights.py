"""What a trainer needs of a policy's weights: a Sampler that draws from them, a Learner that moves
them. Token ids are the only interface: whatever else a net needs, it derives from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from torch import Tensor

from doer.records.completion import Sampling, Segment


@dataclass(frozen=True)
class Row:
    """One segment to learn from, and the advantage of all its chosen tokens."""

    segment: Segment
    advantage: float = 1.0


def demonstrated(prefix: tuple[int, ...], answer: tuple[int, ...]) -> Segment:
    """A segment whose answer was given by somebody else: its log-probabilities are not known."""
    return Segment(
        token_ids=prefix + answer,
        mask=(0,) * len(prefix) + (1,) * len(answer),
        logprobs=(0.0,) * (len(prefix) + len(answer)),
    )


class Scores(NamedTuple):
    """What the net says now about R rows with up to T chosen tokens each, padded on the right.

    `logp` is the natural logarithm of the chosen token's probability, `entropy` (nats) that of
    the distribution it was drawn from; both count only where `mask` is 1.
    """

    logp_R_T: Tensor
    entropy_R_T: Tensor
    mask_R_T: Tensor


Loss = Callable[[Scores, Tensor, Tensor], Tensor]
"""(scores, logp_old_R_T, advantage_R) -> the loss summed over the masked tokens."""


class StepReport(NamedTuple):
    """One optimiser step, over the N chosen tokens of its rows, as they were before the step."""

    loss: float  # the loss divided by the normaliser
    kl: float  # mean of logp_old - logp_new: an estimate of KL(old || new), in nats
    entropy: float  # mean, in nats
    moved: float  # share of tokens whose probability ratio new / old lies outside 0.8 .. 1.25
    grad_norm: float  # before clipping
    tokens: int  # N


class Sampler(Protocol):
    """Draws answers from the weights."""

    async def sample(
        self, prefixes: Sequence[tuple[int, ...]], sampling: Sampling
    ) -> list[Segment]:
        """One segment a prefix, in order. With a seed, row i depends on (seed, i, prefix) alone.
        Raises `ModelError`."""
        ...

    def load(self, version: int) -> None:
        """Draw from this version of the weights from now on."""
        ...


class Learner(Protocol):
    """Holds the weights that are being trained. `version` counts its optimiser steps."""

    @property
    def version(self) -> int: ...

    def log_probs(self, rows: Sequence[Row]) -> list[tuple[float, ...]]:
        """Per row, one number a token as in `Segment.logprobs`, under the weights of now."""
        ...

    def step(self, rows: Sequence[Row], loss: Loss, normaliser: float, lr: float) -> StepReport:
        """One optimiser step on loss / normaliser, summed over all rows."""
        ...

    def save(self, folder: Path) -> None:
        """Write a checkpoint from which `load` goes on bit-equal, optimiser included."""
        ...

    def load(self, folder: Path) -> None:
        """Go back to what `save` wrote. Raises `ConfigError` when the folder does not fit."""
        ...
