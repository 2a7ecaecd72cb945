"""Which tokens may look at which, as the additive masks that transformers models take.

Models differ in their kinds of layers: full attention, or a sliding window, or both. Others
(recurrent, linear, chunked) have no such mask and are refused.
"""

# transformers leaves these out of its annotations.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PretrainedConfig

from doer.errors import ConfigError

FULL, SLIDING = "full_attention", "sliding_attention"


@dataclass(frozen=True)
class Attention:
    """How a model's layers attend."""

    kinds: frozenset[str]
    window: int
    layers: int

    @classmethod
    def of(cls, config: PretrainedConfig) -> "Attention":
        """Raises `ConfigError` for a model whose layers do something else."""
        own: Any = config.get_text_config()
        window = getattr(own, "sliding_window", None)
        layers = int(own.num_hidden_layers)
        kinds = frozenset(getattr(own, "layer_types", None) or [SLIDING if window else FULL])
        if other := kinds - {FULL, SLIDING}:
            found = ", ".join(sorted(other))
            raise ConfigError(f"models with layers of {found} are not supported")
        return cls(kinds, int(window or 0), layers)

    def masks(self, seen_B_T_L: Tensor, gap_B_T_L: Tensor, dtype: torch.dtype) -> Any:
        """`seen` is true where a token may look; `gap` is how many places it looks back. One mask
        (B, 1, T, L), or one for each kind of layer where a model has both."""
        masks: dict[str, Tensor] = {}
        for kind in self.kinds:
            near = seen_B_T_L & (gap_B_T_L < self.window) if kind == SLIDING else seen_B_T_L
            masks[kind] = _additive(near, dtype)[:, None]
        return masks if len(masks) > 1 else next(iter(masks.values()))


def _additive(seen: Tensor, dtype: torch.dtype) -> Tensor:
    mask = torch.zeros(seen.shape, dtype=dtype, device=seen.device)
    return mask.masked_fill_(~seen, torch.finfo(dtype).min)
