"""From a folder to a policy that can be asked or trained further."""

from pathlib import Path

from doer.models.local.pointer.folder import read
from doer.models.local.pointer.model import PointerModel
from doer.models.local.pointer.sampler import PointerSampler


def load_pointer(folder: Path) -> PointerModel:
    """The policy in this folder. Raises `ConfigError` when there is none."""
    saved = read(folder)
    sampler = PointerSampler(saved.config, saved.vocabulary, lambda _: saved.weights, saved.version)
    return PointerModel(sampler, saved.vocabulary)
