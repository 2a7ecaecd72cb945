"""Which optimizer moves which weights."""

# torch leaves these out of its annotations.
# pyright: reportUnknownMemberType=false

from typing import Literal

import torch
from torch import nn
from torch.optim import Optimizer

Kind = Literal["adamw", "muon"]

MUON_RATE = 2.5  # times the learning rate that is asked for, which is AdamW's


def optimizers(
    net: nn.Module, kind: Kind, betas: tuple[float, float], weight_decay: float
) -> list[Optimizer]:
    """AdamW for all weights; or Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon) for
    the matrices of linear layers and AdamW for the others. A group's `scale` is to be multiplied
    with the learning rate."""
    matrices = [m.weight for m in net.modules() if isinstance(m, nn.Linear)]
    matrices = matrices if kind == "muon" else []
    known = {id(weight) for weight in matrices}
    others = [weight for weight in net.parameters() if id(weight) not in known]
    adamw = torch.optim.AdamW(
        others,
        lr=0.0,
        betas=betas,
        weight_decay=weight_decay,
        fused=True,
    )
    if not matrices:
        return [adamw]
    group = [{"params": matrices, "scale": MUON_RATE}]
    return [adamw, torch.optim.Muon(group, lr=0.0, weight_decay=weight_decay)]
