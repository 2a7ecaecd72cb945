"""A recipe may begin with weights that are there."""

from pathlib import Path

import pytest

from doer.errors import ConfigError
from doer.models.local.pointer.folder import read
from doer.models.local.pointer.policy import PointerPolicy
from doer.training.build import fresh_policy
from doer.training.recipe import SFT, Pointer, Recipe


def beginning(start: str) -> Recipe:
    sft = SFT(steps=0, check_every=1)
    return Recipe(
        name="on", model="pointer", pointer=Pointer(start=start), taskset="check", kinds=(), sft=sft
    )


def test_a_policy_begins_with_the_weights_in_a_folder_made_wide(tmp_path: Path) -> None:
    PointerPolicy.fresh(["click the button"] * 9, seed=4, layers=1).save(tmp_path / "old")
    policy = fresh_policy(beginning(str(tmp_path / "old")), texts=["other words"])
    policy.save(tmp_path / "new")
    old, new = read(tmp_path / "old"), read(tmp_path / "new")
    assert new.config.layers == 1
    assert new.config.facts
    assert new.vocabulary.merges == old.vocabulary.merges
    assert (new.weights["matches.weight"] == old.weights["matches.weight"]).all()


def test_a_start_that_is_not_there_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a checkpoint"):
        fresh_policy(beginning(str(tmp_path / "none")), texts=[])
