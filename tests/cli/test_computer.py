"""`doer computer` and `doer doctor` as people type them."""

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys

import pytest

MAIN = "from doer.cli.main import main; main()"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]


@pytest.fixture
def doer(tmp_path):
    environ = {**os.environ, "DOER_HOME": str(tmp_path), "COLUMNS": "100"}

    def call(*arguments: str, code: int = 0, backend: str = "", **more):
        done = subprocess.run(
            [sys.executable, "-c", MAIN, *arguments],
            env={**environ, "DOER_BACKEND": backend},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            **more,
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done

    yield call
    listed = call("computer", "list").stdout.splitlines()[1:]
    if names := [line.split()[0] for line in listed]:
        call("computer", "remove", *names)
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        proxy = (tmp_path / "computers" / ".proxy" / "node.lock").read_text()
        os.kill(int(proxy), signal.SIGTERM)


def test_a_computer_from_its_start_to_its_end(doer, tmp_path):
    assert "no computer yet" in doer("computer", "list").stderr
    doer("computer", "start", "one")
    assert "running" in doer("computer", "list").stdout
    done = doer("computer", "run", "one", "--", "sh", "-c", "cat; echo $0 >&2; exit 7", code=7)
    assert (done.stdout, done.stderr) == ("", "sh\n")
    doer("computer", "run", "one", "--", "sh", "-c", "echo kept > file")

    id = doer("computer", "snapshot", "one").stdout.strip()
    assert id in doer("computer", "snapshots").stdout
    doer("computer", "fork", "one", "two")
    doer("computer", "run", "one", "rm", "file")
    assert doer("computer", "run", "two", "cat", "file").stdout == "kept\n"
    doer("computer", "restore", "one", id)
    assert doer("computer", "run", "one", "cat", "file").stdout == "kept\n"

    doer("computer", "export", "two", "two.tar.gz")
    doer("computer", "import", "two.tar.gz", "three")
    assert doer("computer", "run", "three", "cat", "file").stdout == "kept\n"
    doer("computer", "stop", "three")
    assert "stopped" in doer("computer", "list").stdout
    doer("computer", "remove", "one", "two", "three", "--snapshot", id)
    assert doer("computer", "snapshots").stdout == ""


def test_rules_of_the_network_are_set_and_shown(doer, tmp_path):
    (tmp_path / "rules.toml").write_text('mode = "allowlist"\nallow = [{ host = "*.debian.org" }]')
    (tmp_path / "spec.toml").write_text("memory_mb = 1024\ndisk_mb = 256")
    (tmp_path / "wrong.toml").write_text('mode = "sometimes"')
    doer("computer", "create", "one", "--spec", "spec.toml")
    assert json.loads(doer("computer", "network", "one").stdout)["mode"] == "off"
    shown = json.loads(doer("computer", "network", "one", "rules.toml").stdout)
    assert shown["allow"][0]["host"] == "*.debian.org"
    assert json.loads(doer("computer", "network", "one", "open").stdout)["mode"] == "open"
    assert "sometimes" in doer("computer", "network", "one", "wrong.toml", code=1).stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["run", "nowhere", "true"], "nowhere"),
        (["remove", "nowhere"], "nowhere"),
        (["remove"], "say what to delete"),
        (["start", "../x"], "name"),
        (["create", "x", "--snapshot", "none"], "no snapshot"),
        (["create", "x", "--spec", "none.toml"], "none.toml"),
        (["import", "none.tar.gz", "x"], "none.tar.gz"),
        (["shell", "x"], "no terminal here"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(doer, arguments, why):
    said = doer("computer", *arguments, code=1).stderr
    assert said.startswith("doer: ")
    assert why in said
    assert said.count("\n") == 1


@pytest.mark.timeout(120)
def test_a_shell_is_left_and_entered_again(doer, tmp_path):
    doer("computer", "start", "one")
    for typed, seen in (
        ("COLOUR=blue; echo is $((6 * 7))\r", "is 42"),
        ("echo $COLOUR!\r", "blue!"),
    ):
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-c", MAIN, "computer", "shell", "one"],
            env={**os.environ, "DOER_HOME": str(tmp_path)},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        ) as shell:
            os.close(theirs)
            os.write(ours, typed.encode())
            output = b""
            while seen.encode() not in output:
                try:
                    output += os.read(ours, 4096)
                except OSError:
                    pytest.fail(output.decode())
            os.write(ours, b"\x1d")
            assert shell.wait(60) == 0
        os.close(ours)


def test_another_backend_is_chosen_by_the_environment(doer):
    assert "no backend 'cloud'" in doer("computer", "list", code=1, backend="cloud").stderr
    assert "no computer yet" in doer("computer", "list", backend="local").stderr


def test_the_doctor_tells_what_works(doer):
    told = doer("doctor")
    assert "local: works" in told.stdout
    assert "bubblewrap" in told.stdout
    lines = [json.loads(line) for line in doer("doctor", "--json").stdout.splitlines()]
    assert lines[0]["backend"] == "local"
