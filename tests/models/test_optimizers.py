import torch
from torch import nn

from doer.models.local.optimizers import Muon, optimizers


def test_muon_moves_as_that_of_torch_but_for_rounding() -> None:
    start = torch.randn(24, 60, generator=torch.manual_seed(0))
    for shape in (start, start.T):
        mine, theirs = (nn.Parameter(shape.clone()) for _ in range(2))
        ours = Muon([{"params": [mine]}], weight_decay=0.1)
        torchs = torch.optim.Muon([theirs], lr=0.05, weight_decay=0.1)
        for group in ours.param_groups:
            group["lr"] = 0.05
        for seed in range(4):
            gradient = torch.randn(shape.shape, generator=torch.manual_seed(seed))
            mine.grad, theirs.grad = gradient, gradient.clone()
            ours.step()
            torchs.step()
        moved = (theirs - shape).norm()
        assert (mine - theirs).norm() < 0.01 * moved


def test_each_weight_has_one_optimizer() -> None:
    net = nn.Sequential(nn.Embedding(3, 4), nn.Linear(4, 2))
    adamw, muon = optimizers(net, "muon", (0.9, 0.95), 0.0)
    assert [len(o.param_groups[0]["params"]) for o in (adamw, muon)] == [2, 1]
