"""Which optimizer moves which weights."""

# torch leaves these out of its annotations.
# pyright: reportUnknownMemberType=false

import math
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

Kind = Literal["adamw", "muon"]

MUON_RATE = 2.5  # times the learning rate that is asked for, which is AdamW's

_MOMENTUM = 0.95
_PUSHES = 5
_PUSH = (3.4445, -4.7750, 2.0315)  # of the odd polynomial that drives singular values to 1
_SMALL = 1e-7


class Muon(Optimizer):
    """Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon) in 32 bits: torch's own works in
    bfloat16, which processors without an instruction for it do at a tenth of the speed."""

    def __init__(self, groups: Sequence[dict[str, Any]], weight_decay: float) -> None:
        super().__init__(groups, {"lr": 0.0, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, weight.grad, group["lr"], group["weight_decay"])

    def _move(self, weight: Tensor, gradient: Tensor, lr: float, decay: float) -> None:
        kept = self.state[weight]
        if not kept:
            kept["momentum_buffer"] = torch.zeros_like(gradient)
        momentum = kept["momentum_buffer"].lerp_(gradient, 1 - _MOMENTUM)
        update = _orthogonal(gradient.lerp(momentum, _MOMENTUM))
        rows, columns = weight.shape
        weight.mul_(1 - lr * decay)
        weight.add_(update, alpha=-lr * math.sqrt(max(1.0, rows / columns)))


def _orthogonal(matrix: Tensor) -> Tensor:
    """About the nearest matrix with singular values of 1."""
    upright = matrix.shape[0] > matrix.shape[1]
    x: Tensor = matrix.T if upright else matrix
    x = x / (x * x).sum().sqrt().clamp(min=_SMALL)
    linear, cubic, quintic = _PUSH
    for _ in range(_PUSHES):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=cubic, alpha=quintic), x, beta=linear)
    return x.T if upright else x


def optimizers(
    net: nn.Module, kind: Kind, betas: tuple[float, float], weight_decay: float
) -> list[Optimizer]:
    """AdamW for all weights; or Muon for the matrices of linear layers and AdamW for the others. A
    group's `scale` is to be multiplied with the learning rate."""
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
    return [adamw, Muon([{"params": matrices, "scale": MUON_RATE}], weight_decay)]
