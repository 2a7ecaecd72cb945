"""A small recipe from end to end with a real browser: it can be killed, goes on, and reports."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

MAIN = "from doer.cli.main import main; main()"
RECIPE = """
name = "small"
model = "pointer"
taskset = "miniwob"
concurrency = 4

[[kinds]]
name = "click-option"
seeds = 6
demonstrations = [0]

[[kinds]]
name = "enter-text"
seeds = 6
demonstrations = [0]

[sft]
steps = 12
check_every = 6

[rl]
iterations = 4
tasks = 4
group = 4
rows = 8
rounds = 1
validate_every = 2

[check]
validation = 2
test = 3
"""


@pytest.fixture
def doer(tmp_path):
    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", MAIN, *arguments],
            env={**os.environ, "DOER_HOME": str(tmp_path / "home")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def wait_for(path, process, seconds=120):
    """Until the file is there; the process must not end before."""
    until = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < until
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            raise AssertionError(process.communicate())


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_run_survives_a_kill_and_ends_in_a_report(doer, tmp_path):
    recipe = tmp_path / "small.toml"
    recipe.write_text(RECIPE)
    run = tmp_path / "home" / "runs" / "small-1"
    first = doer("train", str(recipe))
    wait_for(run / "checkpoints" / "rl" / "LATEST", first)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert not (run / "report.html").exists()

    told, said = (second := doer("train", str(recipe))).communicate(timeout=300)
    assert second.returncode == 0, said
    assert "goes on after iteration" in said
    assert told.strip() == str(run / "report.html")
    lines = (run / "progress.jsonl").read_text().splitlines()
    numbers = [json.loads(line).get("number") for line in lines]
    assert [number for number in numbers if number] == [1, 2, 3, 4]
    report = json.loads((run / "report.json").read_text())
    assert report["after"]["total"]["n"] + sum(report["after"]["total"]["unscored"].values()) == 6
    page = (run / "report.html").read_text()
    assert page.count("data:image/jpeg;base64,") >= 2
    assert list((run / "tensorboard").iterdir())

    model = str(run / "model")
    done = doer(
        "eval", "miniwob/click-option", "--model", model, "--seeds", "500000-500001", "--json"
    )
    told, said = done.communicate(timeout=120)
    assert done.returncode == 0, said
    assert json.loads(told)["n"] == 2
    shown = doer("run", "--task", "miniwob/enter-text", "--seed", "7", "--model", model)
    told, said = shown.communicate(timeout=120)
    assert "step 1:" in said
    assert shown.returncode in (0, 1)

    third = doer("train", str(recipe))
    wait_for(tmp_path / "home" / "runs" / "small-2" / "recipe.json", third)
    third.kill()
    third.communicate()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_preferences_out_of_graded_rollouts(doer, tmp_path):
    begun, _, rest = RECIPE.partition("[rl]")
    checked = rest[rest.index("[check]") :]
    dpo = "[dpo]\nsteps = 6\ncheck_every = 3\ngroup = 6\nlearning_rate = 3e-4\n"
    recipe = tmp_path / "preferred.toml"
    recipe.write_text(begun.replace('"small"', '"preferred"') + dpo + checked)
    told, said = (run := doer("train", str(recipe))).communicate(timeout=300)
    assert run.returncode == 0, said
    folder = tmp_path / "home" / "runs" / "preferred-1"
    pairs = re.search(r"Preference fine-tuning on (\d+) pairs", said)
    assert pairs is not None
    assert int(pairs[1]) > 0
    assert (folder / "dpo" / "model.safetensors").exists()
    assert (folder / "model" / "model.safetensors").exists()
    lines = (folder / "progress.jsonl").read_text().splitlines()
    phases = [json.loads(line)["phase"] for line in lines]
    assert phases == ["sft", "sft", "dpo", "dpo"]
    assert "after preference fine-tuning" in (folder / "report.html").read_text()
    assert told.strip() == str(folder / "report.html")
