"""Harbor task folders: the old and the new schema read alike, and mistakes are told by file."""

import base64
import gzip
import io
import random
import tarfile
from pathlib import Path

import msgspec
import pytest

from doer.errors import ConfigError
from doer.models.scripted import ScriptedModel
from doer.records.action import Element
from doer.records.completion import Completion
from doer.records.task import Limits
from doer.tools.shell import MAX_NAME
from doer.worlds.build import chosen, taskset
from doer.worlds.command import listed
from doer.worlds.harbor.folder import Start
from doer.worlds.harbor.solution import PIECE, Solution
from doer.worlds.rollout import Runner

OLD = """\
version = "1.0"

[metadata]
author_name = "Ann"
difficulty = "easy"
category = "programming"
tags = ["trivial", 7]

[verifier]
timeout_sec = 120

[environment]
build_timeout_sec = 300.0
cpus = 2
memory = "4G"
storage = "512M"
allow_internet = false
"""
NEW = """\
schema_version = "1.4"
artifacts = ["/tmp/answer.json"]

[task]
name = "acme/count-words"
description = "Count words."
authors = [{ name = "Ann", email = "ann@example.com" }]
keywords = ["text", "shell"]

[metadata]
difficulty = 3

[verifier]
timeout_sec = 45.5
user = "root"
env = { TOKEN = "${TOKEN:-none}" }
environment_mode = "separate"

[agent]
timeout_sec = 300.0
user = "agent"
network_mode = "allowlist"
allowed_hosts = ["pypi.example"]

[environment]
docker_image = "example/words:1"
cpus = 1.5
memory_mb = 4096
storage_mb = 8192
gpus = 1
network_mode = "no-network"
workdir = "/app"
env = { MODE = "test" }
"""
NAMELESS = """\
[environment]
allowed_hosts = ["a.example", "b.example"]
"""
SCRIPT = "#!/bin/bash\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def tasks(tmp_path):
    """Three tasks, and things that are none."""
    old = {"task.toml": OLD, "instruction.md": "\nSay hello.\n", "tests/test.sh": SCRIPT}
    old |= {"environment/Dockerfile": "FROM debian\n", "solution/solve.sh": SCRIPT}
    new = {"task.toml": NEW, "instruction.md": "Count the words.", "tests/test.sh": SCRIPT}
    plain = {"task.toml": NAMELESS, "instruction.md": "Begin.", "tests/test.sh": SCRIPT}
    plain |= {"environment/docker-compose.yaml": "services: {}\n"}
    write(tmp_path / "hello", old)
    write(tmp_path / "count-words", new)
    write(tmp_path / "compose", plain)
    write(tmp_path / "shared", {"notes.txt": "no task"})
    return write(tmp_path, {"README.md": "no task either"})


def start(task) -> Start:
    return msgspec.convert(task.start, Start)


def test_an_old_task_with_a_dockerfile_and_a_solution(tasks):
    task = taskset(f"harbor:{tasks}").task("hello", 5)
    assert (task.id, task.instruction) == (f"harbor:{tasks}/hello#5", "Say hello.")
    assert task.limits == Limits(steps=100, step_s=660.0, total_s=600.0)
    folder = str(tasks / "hello")
    assert start(task) == Start(
        folder=folder,
        environment=f"{folder}/environment",
        image=None,
        build=f"{folder}/environment/Dockerfile",
        tests=f"{folder}/tests/test.sh",
        solution=f"{folder}/solution/solve.sh",
        schema="1.0",
        os="linux",
        workdir=None,
        user=None,
        environ={},
        cpus=2.0,
        memory_mb=4096.0,
        storage_mb=512.0,
        gpus=0,
        network="no-network",
        hosts=(),
        build_s=300.0,
        verifier_s=120.0,
        verifier_environ={},
        verifier_user=None,
        package="",
        difficulty="easy",
        category="programming",
        tags=("trivial", "7"),
    )


def test_a_new_task_with_an_image_and_no_solution(tasks):
    task = taskset(f"harbor:{tasks}").task("count-words", 0)
    assert task.limits == Limits(steps=100, step_s=360.0, total_s=300.0)
    folder = str(tasks / "count-words")
    assert start(task) == Start(
        folder=folder,
        environment=None,
        image="example/words:1",
        build=None,
        tests=f"{folder}/tests/test.sh",
        solution=None,
        schema="1.4",
        os="linux",
        workdir="/app",
        user="agent",
        environ={"MODE": "test"},
        cpus=1.5,
        memory_mb=4096.0,
        storage_mb=8192.0,
        gpus=1,
        network="allowlist",
        hosts=("pypi.example",),
        build_s=600.0,
        verifier_s=45.5,
        verifier_environ={"TOKEN": "${TOKEN:-none}"},
        verifier_user="root",
        package="acme/count-words",
        difficulty="3",
        category="",
        tags=("text", "shell"),
    )


def test_what_a_task_does_not_say_has_defaults(tasks):
    task = taskset(f"harbor:{tasks}").task("compose", 0)
    assert task.limits == Limits(steps=100, step_s=1860.0, total_s=1800.0)
    begun = start(task)
    assert (begun.schema, begun.cpus, begun.memory_mb, begun.storage_mb) == ("1.1", 1, 2048, 10240)
    assert (begun.network, begun.hosts) == ("allowlist", ("a.example", "b.example"))
    assert begun.build == f"{begun.environment}/docker-compose.yaml"


def test_a_folder_is_a_taskset_and_so_is_one_task(tasks, monkeypatch):
    world, names = chosen(f"harbor:{tasks}")
    assert names == world.names() == ("compose", "count-words", "hello")
    assert listed(world.name) == {world.name: [(name, name == "hello") for name in names]}
    monkeypatch.chdir(tasks)
    one, names = chosen("harbor:hello")
    assert (one.name, names) == (world.name, ("hello",))
    assert one.task("hello", 0) == world.task("hello", 0)
    with pytest.raises(ConfigError, match="no task 'compose'; it has hello"):
        one.task("compose", 0)


@pytest.mark.parametrize(
    ("settings", "files", "said"),
    [
        ('docker_image = "debian:13"', {}, "only the image debian:13 is given"),
        ("gpus = 2", {"Dockerfile": "FROM x"}, "2 GPUs: the computer is Linux without a GPU"),
        ("", {"Dockerfile": "FROM x", "docker-compose.yaml": ""}, "may ask for several containers"),
        ("", {"Dockerfile": "FROM x\nRUN yum install jq"}, "line 2 .*yum needs root"),
        ('workdir = "/usr/src"', {"Dockerfile": "FROM x"}, "environment.workdir: /usr/src"),
        ('env = { A = "b${SECRET}" }', {"Dockerfile": "FROM x"}, "asks for SECRET of this machine"),
    ],
)
async def test_what_cannot_run_here_is_told_and_unscored(tmp_path, settings, files, said):
    files = {f"environment/{name}": text for name, text in files.items()}
    folder = write(tmp_path / "one", {**GOOD, "task.toml": f"[environment]\n{settings}\n"} | files)
    world = taskset(f"harbor:{folder}")
    with pytest.raises(ConfigError, match=said) as told:
        await world.prepare(world.task("one", 0))
    assert str(told.value).startswith(f"{folder}: ")
    model = ScriptedModel("nobody", lambda _: Completion(text="done"))
    done = await Runner(taskset=world, model=model).rollout(world.task("one", 0))
    assert (done.end, done.scored, done.grade) == ("computer_fault", False, None)
    assert done.fault == str(told.value)


async def test_an_environment_that_leads_elsewhere_is_not_copied_from(tmp_path):
    write(tmp_path / "mine", {"Dockerfile": "FROM x\nCOPY . /app\n", "secret": "s"})
    folder = write(tmp_path / "one", {**GOOD, "task.toml": ""})
    (folder / "environment").symlink_to(tmp_path / "mine")
    world = taskset(f"harbor:{folder}")
    with pytest.raises(ConfigError, match="leads out of the task's folder"):
        await world.prepare(world.task("one", 0))


def test_a_large_solution_goes_in_by_pieces_and_links_stay_links(tmp_path):
    folder = write(tmp_path / "solution", {"solve.sh": SCRIPT, "sub/noise": "x"})
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "noise").write_bytes(random.Random(0).randbytes(2 * PIECE))
    solution, seen, commands = Solution(folder), (), []
    while (action := solution("Go.", seen)) is not None:
        commands.append(action.arguments["command"])
        assert len(commands[-1]) < 128 << 10
        seen = (Element(1, "log", commands[-1][:MAX_NAME], ""),)
    pieces = [one.rpartition(" ")[2] for one in commands[:-1]]
    assert len(pieces) == 3
    packed = gzip.decompress(b"".join(map(base64.b64decode, pieces)))
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        found = {member.name: member for member in archive}
    assert set(found) == {f"solution{x}" for x in ("", "/solve.sh", "/sub", "/sub/noise")} | {
        "solution/link",
        "solution/noise",
    }
    assert found["solution/link"].issym()
    assert solution("Go.", (Element(1, "log", "ls", ""),)) == solution("Go.", ())


NO_MODE = '[agent]\nallowed_hosts = ["a.example"]\nnetwork_mode = "public"\n'
IMAGE = '[environment]\ndocker_image = "x"\n'
GOOD = {"task.toml": IMAGE, "instruction.md": "Go.", "tests/test.sh": SCRIPT}


@pytest.mark.parametrize(
    ("change", "file", "said"),
    [
        ({"task.toml": None}, "task.toml", "there is no file"),
        ({"instruction.md": None}, "instruction.md", "there is no file"),
        ({"instruction.md": " \n"}, "instruction.md", "is empty"),
        ({"tests/test.sh": None}, "task.toml", "no tests/test.sh"),
        ({"task.toml": IMAGE + 'os = "windows"\n'}, "task.toml", "no tests/test.bat"),
        ({"task.toml": ""}, "task.toml", "environment.docker_image, or environment/Dockerfile"),
        ({"task.toml": "cpus = "}, "task.toml", "at line 1|at end of document"),
        ({"task.toml": 'schema_version = "2.0"\n' + IMAGE}, "task.toml", "version 2.0 is not"),
        ({"task.toml": "version = 1\n" + IMAGE}, "task.toml", "Expected `str | null`, got `int`"),
        ({"task.toml": IMAGE + "cpus = 0\n"}, "task.toml", r"`float` > 0.* `\$.environment.cpus`"),
        ({"task.toml": IMAGE + 'memory = "much"\n'}, "task.toml", "write environment.memory_mb"),
        ({"task.toml": IMAGE + NO_MODE}, "task.toml", "agent.allowed_hosts needs"),
        ({"task.toml": '[[steps]]\nname = "a"\n' + IMAGE}, "task.toml", "several steps"),
        ({"task.toml": '[agent]\ntimeout_sec = "1h"\n'}, "task.toml", r"\$.agent.timeout_sec"),
    ],
)
def test_a_malformed_folder_says_which_file_and_what(tmp_path, change, file, said):
    good = write(tmp_path / "good", GOOD)
    assert taskset(f"harbor:{good}").task("good", 0).instruction == "Go."
    changed = {name: text for name, text in (GOOD | change).items() if text is not None}
    bad = write(tmp_path / "bad", changed)
    with pytest.raises(ConfigError, match=said) as told:
        taskset(f"harbor:{bad}").task("bad", 0)
    assert str(bad / file) in str(told.value)


def test_an_instruction_that_is_no_text_is_told(tmp_path):
    bad = write(tmp_path / "bad", GOOD)
    (bad / "instruction.md").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"instruction.md cannot be read"):
        taskset(f"harbor:{bad}").task("bad", 0)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("harbor", "say which folder"),
        ("harbor:", "say which folder"),
        ("harbor:{}/nowhere", "there is no folder"),
        ("harbor:{}/shared", "holds no task folders"),
        ("docks", "harbor:PATH"),
    ],
)
def test_a_folder_without_tasks_is_told(tasks, name, said):
    with pytest.raises(ConfigError, match=said):
        chosen(name.format(tasks))
