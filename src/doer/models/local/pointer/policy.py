"""The pointer policy, wired to be asked and to be trained."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from doer.models.local.optimizers import Kind
from doer.models.local.pointer.encoding import encode, encode_action
from doer.models.local.pointer.folder import Checkpoint, read, write
from doer.models.local.pointer.learner import PointerLearner
from doer.models.local.pointer.model import PointerModel
from doer.models.local.pointer.net import NetConfig
from doer.models.local.pointer.renaming import Renamer
from doer.models.local.pointer.sampler import PointerSampler
from doer.models.local.pointer.vocabulary import Vocabulary
from doer.models.local.pointer.widening import widened
from doer.models.local.weights import demonstrated
from doer.records.completion import Completion, Request, Segment

HEAD = 32  # width of a head of attention


class PointerPolicy:
    """Implements `Policy`."""

    words = False

    def __init__(
        self,
        vocabulary: Vocabulary,
        seed: int,
        config: NetConfig | None = None,
        optimizer: Kind = "adamw",
        threads: int = 1,
    ) -> None:
        self.learner = PointerLearner(
            vocabulary, config=config, seed=seed, optimizer=optimizer, threads=threads
        )
        self._vocabulary = vocabulary
        self._sampler = PointerSampler(self.learner.config, vocabulary, self.learner.weights)
        self.model = PointerModel(self._sampler, vocabulary)

    @classmethod
    def fresh(
        cls,
        texts: Iterable[str],
        seed: int,
        width: int = 128,
        layers: int = 3,
        merges: int = 700,
        wide: bool = False,
        optimizer: Kind = "adamw",
        threads: int = 1,
    ) -> Self:
        """New weights, and a vocabulary of so many merges learnt from `texts`."""
        words = Vocabulary.learn(texts, merges, wide)
        first, hidden = words.first_place, 4 * width
        config = NetConfig(words.size, first, width, layers, width // HEAD, hidden, facts=wide)
        return cls(words, seed, config, optimizer, threads)

    @classmethod
    def begun(cls, folder: Path, seed: int, optimizer: Kind = "adamw", threads: int = 1) -> Self:
        """From the weights in a folder, widened if they are not: a new start of their training.
        Raises `ConfigError` when there are none."""
        kept = read(folder)
        if not kept.vocabulary.wide:
            kept = widened(kept, seed)
        policy = cls(kept.vocabulary, seed, kept.config, optimizer, threads)
        policy.learner.begin(kept.weights)
        policy.refresh()
        return policy

    @classmethod
    def resumed(cls, folder: Path, optimizer: Kind = "adamw", threads: int = 1) -> Self:
        """From a checkpoint of the learner. Raises `ConfigError` when it is not one."""
        kept = read(folder)
        policy = cls(kept.vocabulary, 0, kept.config, optimizer, threads)
        policy.learner.load(folder)
        policy.refresh()
        return policy

    def practice(self, instructions: Iterable[str], share: float) -> PointerModel:
        renamer = Renamer(self._vocabulary, instructions, share)
        return PointerModel(self._sampler, self._vocabulary, renamer)

    def demonstration(self, request: Request, answer: Completion) -> Segment:
        if len(answer.actions) != 1:
            raise ValueError(f"the policy takes one action a step, not {len(answer.actions)}")
        prefix = encode(request, self._vocabulary)
        return demonstrated(prefix, encode_action(answer.actions[0], request, self._vocabulary))

    def refresh(self) -> None:
        self._sampler.load(self.learner.version)

    def save(self, folder: Path) -> None:
        version = self.learner.version
        weights = self.learner.weights(version)
        write(folder, Checkpoint(self.learner.config, self._vocabulary, weights, version))
