from pathlib import Path

import pytest
from toy_pages import toy

from doer.errors import ConfigError
from doer.models.local.pointer.checkpoint import load_pointer
from doer.models.local.pointer.learner import PointerLearner
from doer.models.local.pointer.model import PointerModel
from doer.models.local.pointer.sampler import PointerSampler
from doer.models.local.pointer.vocabulary import Vocabulary
from doer.records.completion import Sampling

LEARNED = Vocabulary.learn(["click enter text now"] * 20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    PointerLearner(LEARNED, seed=5).save(tmp_path)
    return tmp_path


async def test_what_is_loaded_answers_as_what_was_saved(folder: Path) -> None:
    learner = PointerLearner(LEARNED, seed=5)
    sampler = PointerSampler(learner.config, LEARNED, learner.weights)
    request, _ = toy(0, Sampling(seed=1))
    saved = await load_pointer(folder).respond(request)
    assert saved == await PointerModel(sampler, LEARNED).respond(request)


def damage(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


@pytest.mark.parametrize("name", ["config.json", "vocabulary.json", "model.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_a_broken_folder_is_a_config_error(folder: Path, name: str, content: bytes | None) -> None:
    damage(folder / name, content)
    with pytest.raises(ConfigError):
        load_pointer(folder)


def test_a_folder_of_another_format_is_refused(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(ConfigError, match="format 2"):
        load_pointer(folder)


def test_weights_of_another_size_are_refused(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(path.read_text().replace('"width": 128', '"width": 64'))
    with pytest.raises(ConfigError, match="weights"):
        load_pointer(folder)
