"""A Hugging Face model, wired to be asked and to be trained."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from doer.errors import ConfigError
from doer.models.local.hf.folder import Weights, read
from doer.models.local.hf.learner import HFLearner
from doer.models.local.hf.model import HFModel
from doer.models.local.hf.sampler import HFSampler
from doer.models.local.hf.template import ChatTemplate
from doer.models.local.lora import Lora
from doer.models.local.weights import demonstrated
from doer.models.model import Model
from doer.records.completion import Completion, Request, Segment

LONGEST = 512  # tokens of an answer
SLOTS = 64  # sequences whose keys and values are kept


class HFPolicy:
    """Implements `Policy`."""

    words = True

    def __init__(self, weights: Weights, name: str, longest: int = LONGEST) -> None:
        self.learner = HFLearner(weights)
        self._weights = weights
        self._template = ChatTemplate(weights.tokenizer, weights.ends)
        net = weights.sampling()
        parameters = dict(net.named_parameters())

        def fetch(version: int) -> None:
            self.learner.copy_to(parameters, version)

        self._sampler = HFSampler(net, weights.ends, weights.context, SLOTS, fetch)
        self.model: Model = HFModel(name, self._sampler, self._template, longest)

    @classmethod
    def fresh(cls, folder: Path, lora: Lora | None, longest: int = LONGEST, seed: int = 0) -> Self:
        """The weights in a folder, to be trained. Raises `ConfigError`."""
        return cls(read(folder, lora, trained=True, seed=seed), folder.name, longest)

    @classmethod
    def resumed(cls, folder: Path, longest: int = LONGEST) -> Self:
        """From a checkpoint of the learner. Raises `ConfigError` when it is not one."""
        policy = cls(read(folder, trained=True), folder.name, longest)
        policy.learner.load(folder)
        policy.refresh()
        return policy

    def practice(self, instructions: Iterable[str], share: float) -> Model:
        del instructions
        if share:
            raise ConfigError("renaming is for the pointer policy; set rl.renaming = 0")
        return self.model

    def demonstration(self, request: Request, answer: Completion) -> Segment:
        prompt = self._template.prompt(request)
        return demonstrated(prompt, self._template.answer(request, answer.text, answer.actions))

    def refresh(self) -> None:
        self._sampler.load(self.learner.version)

    def save(self, folder: Path) -> None:
        self._weights.save_merged(folder)


def load_hf(folder: Path) -> HFModel:
    """The model in this folder, to be asked. Raises `ConfigError` when there is none."""
    weights = read(folder)
    sampler = HFSampler(weights.sampling(), weights.ends, weights.context, SLOTS)
    return HFModel(folder.name, sampler, ChatTemplate(weights.tokenizer, weights.ends), LONGEST)
