"""Earlier weights as a start for a net that is told more and can do more."""

from dataclasses import replace

from torch import Tensor

from doer.models.local.pointer.folder import Checkpoint
from doer.models.local.pointer.net import fresh


def widened(narrow: Checkpoint, seed: int) -> Checkpoint:
    """The same policy with a wide vocabulary and facts. What it did not know begins as in a fresh
    net: vectors of new tokens drawn from `seed`, those of facts at zero."""
    vocabulary = replace(narrow.vocabulary, wide=True)
    config = replace(narrow.config, tokens=vocabulary.size, facts=True)
    weights: dict[str, Tensor] = dict(fresh(config, seed).state_dict())
    for name, old in narrow.weights.items():
        weights[name] = _longer(old, weights[name])
    return Checkpoint(config, vocabulary, weights, narrow.version)


def _longer(old: Tensor, new: Tensor) -> Tensor:
    """The old rows, then those of the new tensor that are beyond them."""
    out = new.clone()
    out[: len(old)] = old
    return out
