"""A checkpoint of the pointer policy: a folder with config.json, vocabulary.json and
model.safetensors for use, and learner.safetensors to go on training from.

Every file is written whole or not at all. The learner's file holds the weights as well, so that a
crash between two files cannot mix versions.
"""

# safetensors leaves this out of its annotations.
# pyright: reportUnknownMemberType=false

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from doer.disk import write_whole
from doer.errors import ConfigError
from doer.models.local.pointer.net import NetConfig
from doer.models.local.pointer.vocabulary import Vocabulary

_FORMAT = 1

Tensors = Mapping[str, Tensor]


class _Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """config.json. `version` counts optimiser steps."""

    format: int
    version: int
    net: NetConfig


@dataclass(frozen=True)
class Checkpoint:
    """What sampling needs."""

    config: NetConfig
    vocabulary: Vocabulary
    weights: Tensors
    version: int


def write(folder: Path, checkpoint: Checkpoint, learner: Tensors | None = None) -> None:
    """Write a checkpoint, and what its learner remembers if it is to go on."""
    folder.mkdir(parents=True, exist_ok=True)
    if learner is not None:
        write_whole(folder / "learner.safetensors", safetensors.torch.save(dict(learner)))
    write_whole(folder / "model.safetensors", safetensors.torch.save(dict(checkpoint.weights)))
    write_whole(folder / "vocabulary.json", checkpoint.vocabulary.to_json().encode())
    config = _Config(_FORMAT, checkpoint.version, checkpoint.config)
    write_whole(folder / "config.json", msgspec.json.format(msgspec.json.encode(config)))


def read(folder: Path) -> Checkpoint:
    """Raises `ConfigError` when the folder holds no checkpoint of this format."""
    try:
        config = msgspec.json.decode((folder / "config.json").read_bytes(), type=_Config)
        vocabulary = Vocabulary.from_json((folder / "vocabulary.json").read_text())
        weights = safetensors.torch.load_file(folder / "model.safetensors")
    except (OSError, msgspec.MsgspecError, SafetensorError) as wrong:
        raise ConfigError(f"{folder} is not a checkpoint of the pointer policy: {wrong}") from wrong
    if config.format != _FORMAT:
        raise ConfigError(f"{folder} has format {config.format}; this Doer reads {_FORMAT}")
    return Checkpoint(config.net, vocabulary, weights, config.version)


def read_learner(folder: Path) -> Tensors:
    """Raises `ConfigError` when the checkpoint cannot be trained on."""
    try:
        return safetensors.torch.load_file(folder / "learner.safetensors")
    except (OSError, SafetensorError) as wrong:
        raise ConfigError(f"{folder} has no state of a learner: {wrong}") from wrong
