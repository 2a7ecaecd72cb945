"""The Learner of the pointer policy: gradients from chunks of rows of like length, then AdamW."""

# torch leaves these out of its annotations.
# pyright: reportUnknownMemberType=false

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from doer.errors import ConfigError, ModelError
from doer.models.local.optimizers import Kind, optimizers
from doer.models.local.pointer.batch import Batcher, alike
from doer.models.local.pointer.choice import masked, scored
from doer.models.local.pointer.folder import Checkpoint, read, read_learner, write
from doer.models.local.pointer.grammar import Rules
from doer.models.local.pointer.net import NetConfig, fitted, fresh
from doer.models.local.pointer.vocabulary import Vocabulary
from doer.models.local.stepping import one_thread, take_step
from doer.models.local.weights import Loss, Row, Scores, StepReport

_CHUNK = 48
_KEPT = ("step", "exp_avg", "exp_avg_sq", "momentum_buffer")  # by optimizers, of each weight


class PointerLearner:
    """A Learner. It draws no random numbers; only a fresh net does, from `seed`."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        *,
        config: NetConfig | None = None,
        seed: int = 0,
        optimizer: Kind = "adamw",
        threads: int = 1,
        betas: tuple[float, float] = (0.9, 0.95),
        weight_decay: float = 0.0,
    ) -> None:
        # Only one thread may have a team of several. If another has one too, libgomp lets all of
        # them sleep at every wait, and a step on two threads takes longer than on one.
        one_thread()
        self.vocabulary = vocabulary
        first = vocabulary.first_place
        self.config = config or NetConfig(vocabulary.size, first, facts=vocabulary.wide)
        self._version = 0
        self._threads = threads
        self._batcher = Batcher(vocabulary)
        self._net = fresh(self.config, seed)
        self._optimizers = optimizers(self._net, optimizer, betas, weight_decay)

    @property
    def version(self) -> int:
        return self._version

    def weights(self, version: int) -> Mapping[str, Tensor]:
        """The weights as they are. Raises `ModelError` when they are no longer that version."""
        if version != self._version:
            raise ModelError(f"the weights are at version {self._version}, not {version}")
        return self._net.state_dict()

    @torch.no_grad()
    def log_probs(self, rows: Sequence[Row]) -> list[tuple[float, ...]]:
        one_thread()
        found: dict[int, tuple[float, ...]] = {}
        for chunk in self._chunks(rows):
            scores = self._scores([rows[at] for at in chunk])
            for at, logp_T in zip(chunk, scores.logp_R_T, strict=True):
                ahead, chosen = _split(rows[at])
                found[at] = (0.0,) * len(ahead) + tuple(map(float, logp_T[: len(chosen)]))
        return [found[at] for at in range(len(rows))]

    def step(self, rows: Sequence[Row], loss: Loss, normaliser: float, lr: float) -> StepReport:
        chunks = [[rows[at] for at in chunk] for chunk in self._chunks(rows)]
        torch.set_num_threads(self._threads)
        try:
            report = take_step(self._optimizers, chunks, self._scores, loss, normaliser, lr)
        finally:
            one_thread()
        self._version += 1
        return report

    def save(self, folder: Path) -> None:
        weights = self._net.state_dict()
        state = {f"weights.{name}": tensor for name, tensor in weights.items()}
        state["version"] = torch.tensor(self._version)
        names: dict[Tensor, str] = {p: name for name, p in self._net.named_parameters()}
        for optimizer in self._optimizers:
            for parameter, kept in optimizer.state.items():
                for key, value in kept.items():
                    state[f"{key}.{names[parameter]}"] = value
        write(folder, Checkpoint(self.config, self.vocabulary, weights, self._version), state)

    def begin(self, weights: Mapping[str, Tensor]) -> None:
        """Take over these weights, and nothing that an optimizer knew of them."""
        self._net.load_state_dict(fitted(self.config, weights).state_dict())

    def load(self, folder: Path) -> None:
        state = read_learner(folder)
        if read(folder).vocabulary != self.vocabulary:
            raise ConfigError(f"{folder} was trained with another vocabulary")
        self._net.load_state_dict(fitted(self.config, _under("weights", state)).state_dict())
        names: dict[Tensor, str] = {p: name for name, p in self._net.named_parameters()}
        kept = {key: _under(key, state) for key in _KEPT}
        for optimizer in self._optimizers:
            optimizer.state.clear()
            for parameter in (p for group in optimizer.param_groups for p in group["params"]):
                for key, values in kept.items():
                    if names[parameter] in values:
                        optimizer.state[parameter][key] = values[names[parameter]]
        self._version = int(state["version"])

    @staticmethod
    def _chunks(rows: Sequence[Row]) -> list[list[int]]:
        return alike([len(row.segment.token_ids) for row in rows], _CHUNK)

    def _scores(self, rows: Sequence[Row]) -> Scores:
        prefixes, actions = zip(*(_split(row) for row in rows), strict=True)
        rules = [Rules(self._batcher.grammar, prefix) for prefix in prefixes]
        answers = self._batcher.answers(rules, actions)
        page = self._batcher.prefixes(prefixes)
        raw, _ = self._net.write(answers.inputs, self._net.read(page))
        choices = [rule.all(action) for rule, action in zip(rules, actions, strict=True)]
        scores = masked(raw, *self._batcher.allowed(choices, page.there_R_P.shape[1]))
        return Scores(*scored(scores, answers.targets_R_A, page), answers.mask_R_A)


def _under(key: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    start = f"{key}."
    return {name.removeprefix(start): x for name, x in state.items() if name.startswith(start)}


def _split(row: Row) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Prefix and action of a segment."""
    at = row.segment.mask.index(1)
    return row.segment.token_ids[:at], row.segment.token_ids[at:]
