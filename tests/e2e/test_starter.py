"""The model that ships with Doer, on seeds that it was not trained on."""

import os
import subprocess
import sys

import msgspec
import pytest

from doer.worlds.build import SHIPPED

MAIN = "from doer.cli.main import main; main()"
SEEDS = "500000-500009"
MIB = 1 << 20


class Told(msgspec.Struct):
    success: float
    n: int


def test_it_is_small_and_has_a_card() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 20 * MIB
    assert {path.name for path in SHIPPED.iterdir()} == {
        "README.md",
        "config.json",
        "model.safetensors",
        "vocabulary.json",
    }


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "suite", ["miniwob/click-button,click-option,enter-text,login-user", "practice/train-accordion"]
)
def test_it_does_web_tasks_it_never_saw(suite: str, tmp_path) -> None:
    command = ["eval", suite, "--model", "starter", "--seeds", SEEDS, "--json"]
    ran = subprocess.run(
        [sys.executable, "-c", MAIN, *command],
        env={**os.environ, "DOER_HOME": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    told = msgspec.json.decode(ran.stdout, type=Told)
    assert told.n >= 10
    assert told.success >= 0.8
