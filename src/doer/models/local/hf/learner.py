"""The Learner of a Hugging Face model: all weights, or LoRA's alone, with AdamW.

Weights that are trained are kept in 32 bits; on a GPU the passes run in bfloat16.
"""

# torch and transformers leave these out of their annotations.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Mapping, Sequence
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from doer.disk import write_whole
from doer.errors import ConfigError, ModelError
from doer.models.local.hf.attention import Attention
from doer.models.local.hf.folder import Weights
from doer.models.local.hf.trie import grouped, trie
from doer.models.local.stepping import few_threads, take_step
from doer.models.local.weights import Loss, Row, Scores, StepReport

_NODES = {"cpu": 2048, "cuda": 8192}  # tokens of one pass, shared ones counted once
_FILE = "learner.safetensors"
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


class HFLearner:
    """A Learner. Temperature 1: the log-probabilities of its rows must be of that, too."""

    def __init__(
        self,
        weights: Weights,
        betas: tuple[float, float] = (0.9, 0.95),
        weight_decay: float = 0.0,
    ) -> None:
        self._weights = weights
        self._net = weights.net
        self._attention = Attention.of(weights.net.config)
        self._version = 0
        self._trained = {n: p for n, p in self._net.named_parameters() if p.requires_grad}
        self._size = sum(weight.numel() for weight in self._net.parameters())
        self._optimizer = torch.optim.AdamW(
            self._trained.values(), lr=0.0, betas=betas, weight_decay=weight_decay, fused=True
        )

    @property
    def version(self) -> int:
        return self._version

    def copy_to(self, other: Mapping[str, Tensor], version: int) -> None:
        """The trained weights into parameters of the same names. Raises `ModelError` when the
        weights are no longer that version."""
        if version != self._version:
            raise ModelError(f"the weights are at version {self._version}, not {version}")
        with torch.no_grad():
            for name, weight in self._trained.items():
                other[name].copy_(weight)

    @torch.no_grad()
    def log_probs(self, rows: Sequence[Row]) -> list[tuple[float, ...]]:
        few_threads(self._size)
        found: dict[int, tuple[float, ...]] = {}
        for group in self._groups(rows):
            scores = self._scored([rows[at] for at in group])
            logps: list[list[float]] = scores.logp_R_T.tolist()
            for at, logp_T in zip(group, logps, strict=True):
                chosen = iter(logp_T)
                mask = rows[at].segment.mask
                found[at] = tuple(next(chosen) if own else 0.0 for own in mask)
        return [found[at] for at in range(len(rows))]

    def step(self, rows: Sequence[Row], loss: Loss, normaliser: float, lr: float) -> StepReport:
        few_threads(self._size)
        chunks = [[rows[at] for at in group] for group in self._groups(rows)]
        report = take_step((self._optimizer,), chunks, self._scored, loss, normaliser, lr)
        self._version += 1
        return report

    def save(self, folder: Path) -> None:
        """A folder that transformers loads (peft's form with LoRA), and the learner's own file,
        which alone says where training stands."""
        state = {f"weights.{name}": weight.detach() for name, weight in self._trained.items()}
        state["version"] = torch.tensor(self._version)
        for name, weight in self._trained.items():
            for key in _MOMENTS:
                if key in self._optimizer.state[weight]:
                    state[f"{key}.{name}"] = self._optimizer.state[weight][key]
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / _FILE, safetensors.torch.save(state))
        self._weights.save(folder)

    def load(self, folder: Path) -> None:
        try:
            state = safetensors.torch.load_file(folder / _FILE, device=str(self._net.device))
        except (OSError, SafetensorError) as wrong:
            raise ConfigError(f"{folder} has no state of a learner: {wrong}") from wrong
        here = {f"weights.{name}": weight.shape for name, weight in self._trained.items()}
        there = {name: x.shape for name, x in state.items() if name.startswith("weights.")}
        if here != there:
            raise ConfigError(f"{folder} was trained with other weights")
        self._optimizer.state.clear()
        with torch.no_grad():
            for name, weight in self._trained.items():
                weight.copy_(state[f"weights.{name}"])
                for key in _MOMENTS:
                    if f"{key}.{name}" in state:
                        self._optimizer.state[weight][key] = state[f"{key}.{name}"]
        self._version = int(state["version"])

    def _groups(self, rows: Sequence[Row]) -> list[list[int]]:
        return grouped([row.segment.token_ids for row in rows], _NODES[self._net.device.type])

    def _scored(self, rows: Sequence[Row]) -> Scores:
        """One pass over all rows. A token is scored at the node before it."""
        device = self._net.device
        laid = trie([row.segment.token_ids for row in rows])
        most = max(sum(row.segment.mask) for row in rows)
        before_R_T = torch.zeros(len(rows), most, dtype=torch.long)
        token_R_T = torch.zeros(len(rows), most, dtype=torch.long)
        mask_R_T = torch.zeros(len(rows), most)
        for at, (row, path) in enumerate(zip(rows, laid.paths, strict=True)):
            chosen = torch.tensor(row.segment.mask).nonzero()[:, 0]
            before_R_T[at, : len(chosen)] = torch.from_numpy(path)[chosen - 1]
            token_R_T[at, : len(chosen)] = torch.tensor(row.segment.token_ids)[chosen]
            mask_R_T[at, : len(chosen)] = 1
        needed, place_R_T = before_R_T.unique(return_inverse=True)
        depth_N = torch.from_numpy(laid.depth_N).to(device)
        above_N_N = torch.from_numpy(laid.above_N_N).to(device)
        gap_N_N = depth_N[:, None] - depth_N[None, :]
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            logits = self._net(
                input_ids=torch.from_numpy(laid.ids_N).to(device)[None],
                position_ids=depth_N[None],
                attention_mask=self._attention.masks(
                    above_N_N[None], gap_N_N[None], self._weights.dtype
                ),
                use_cache=False,
                logits_to_keep=needed.to(device),
            ).logits
        logp_U_V = logits[0].float().log_softmax(-1)
        entropy_U = -(logp_U_V.exp() * logp_U_V).sum(-1)
        place_R_T = place_R_T.to(device)
        logp_R_T = logp_U_V[place_R_T, token_R_T.to(device)]
        return Scores(logp_R_T, entropy_U[place_R_T], mask_R_T.to(device))
