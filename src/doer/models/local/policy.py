"""A policy: local weights wired both ways, to be asked and to be trained."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from doer.models.local.weights import Learner
from doer.models.model import Model
from doer.records.completion import Completion, Request, Segment


class Policy(Protocol):
    """All a trainer knows of a model. The same weights answer requests and are moved."""

    @property
    def words(self) -> bool:
        """Whether it can answer in words, and so end a turn by itself."""
        ...

    @property
    def model(self) -> Model: ...

    @property
    def learner(self) -> Learner: ...

    def practice(self, instructions: Iterable[str], share: float) -> Model:
        """The same weights for rollouts to learn from: a share of the requests is answered in a
        disguise in which the words that tell the tasks of `instructions` apart are others."""
        ...

    def demonstration(self, request: Request, answer: Completion) -> Segment:
        """The request and its right answer as a row to learn from. Raises ValueError when the
        policy could not give that answer."""
        ...

    def refresh(self) -> None:
        """Answer with the learner's weights of now."""
        ...

    def save(self, folder: Path) -> None:
        """Write the weights for use, without what only training needs."""
        ...
