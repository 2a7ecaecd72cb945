"""The command as people type it."""

import json
import os
import subprocess
import sys

import pytest

MAIN = "from doer.cli.main import main; main()"


@pytest.fixture
def doer(tmp_path):
    def call(*arguments: str, check: bool = True, **environ: str):
        return subprocess.run(
            [sys.executable, "-c", MAIN, *arguments],
            env={**os.environ, "DOER_HOME": str(tmp_path), "COLUMNS": "100", **environ},
            capture_output=True,
            text=True,
            check=check,
        )

    return call


def test_help_loads_neither_torch_nor_a_client(doer):
    code = f"import sys; sys.argv = ['doer', '--help']\ntry:\n    {MAIN}\nfinally:\n"
    code += "    print([m for m in ('torch', 'openai', 'numpy', 'doer.computers.browser.browser') "
    code += "if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "learns your job" in out.stdout
    assert out.stdout.strip().endswith("[]")


def test_tasks_are_listed(doer):
    lines = doer("tasks", "list").stdout.split("\n")
    assert "files/set-value *" in lines
    assert sum(line.startswith("miniwob/") for line in lines) == 130


def test_a_task_is_shown(doer):
    shown = doer("tasks", "show", "files/set-value", "--seed", "3").stdout
    assert shown.startswith("files/set-value#3, at most 6 steps")


def test_tasks_are_checked(doer):
    assert "of 12 sound" in doer("tasks", "check", "files", "--seeds", "0-1").stdout


def test_an_eval_ends_with_one_line_of_json(doer):
    done = doer("eval", "files/set-value,move-line", "--model", "oracle", "--json")
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert (found["success"], found["n"]) == (1.0, 40)
    assert set(found["by_task"]) == {"set-value", "move-line"}
    assert found["interval"][0] < 1.0 <= found["interval"][1]


def test_two_models_are_compared(doer):
    done = doer("eval", "files/set-value", "--model", "oracle", "--against", "oracle")
    assert "cannot tell: all 20 pairs alike" in " ".join(done.stdout.split())


def test_a_run_answers_on_stdout_and_tells_on_stderr(doer):
    done = doer("run", "--task", "files/set-value", "--model", "oracle")
    assert done.stdout == "done\n"
    assert "write_file" in done.stderr
    assert "passed" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--task", "files/fly", "--model", "oracle"], "files has no task 'fly'"),
        (["run", "--task", "nowhere/x", "--model", "oracle"], "no taskset 'nowhere'"),
        (["run", "--model", "oracle"], "say what is to be done"),
        (["run", "--task", "files/set-value"], "say which model"),
        (["run", "--task", "files/set-value", "--model", "./missing"], "no checkpoint ./missing"),
        (["eval", "files", "--model", "oracle", "--seeds", "0,500000"], "must be of one split"),
        (["eval", "files", "--model", "gpt-9"], "OPENAI_API_KEY"),
        (["train", "missing.toml"], "there is no file missing.toml"),
    ],
)
def test_mistakes_are_told_in_one_line(doer, arguments, said):
    failed = doer(*arguments, check=False, OPENAI_API_KEY="", OPENAI_BASE_URL="")
    assert failed.returncode == 1
    assert said in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_wrong_recipe_names_the_entry(doer, tmp_path):
    recipe = tmp_path / "bad.toml"
    recipe.write_text('name = "x"\nmodel = "pointer"\ntaskset = "files"\nspeed = 3\n')
    failed = doer("train", str(recipe), check=False)
    assert "bad.toml" in failed.stderr
    assert "speed" in failed.stderr


def test_a_session_is_told_again_and_done_again(doer):
    doer("run", "--task", "files/set-value", "--model", "oracle")
    (session,) = doer("replay").stdout.split()
    assert "write_file" in doer("replay", session).stderr
    assert doer("replay", session, "--again").stdout == "the same came out\n"
    failed = doer("replay", "nobody", check=False)
    assert "there is no session 'nobody'" in failed.stderr
