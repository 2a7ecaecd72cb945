"""Speaking with an engine: finding it, understanding it, and what is said when it fails."""

import contextlib
import os
import socket
import tempfile
import threading
from pathlib import Path

import pytest
from docker_engine import BREAK, HANG, DockerEngine
from hypothesis import given
from hypothesis import strategies as st

from doer.computers.docker import running
from doer.computers.docker.backend import DockerBackend
from doer.computers.docker.engine import Engine, Kind, decode, places
from doer.computers.docker.image import RECIPE, build, image
from doer.computers.local.image import PACKAGES
from doer.errors import ComputerError
from doer.records.computer import Spec

pytestmark = pytest.mark.slow  # real processes and sockets

USER = 12345


@pytest.fixture
def folder():
    """With a short path, as sockets need."""
    with tempfile.TemporaryDirectory(prefix="doer-engine-") as made:
        yield Path(made)


@pytest.fixture
def small(folder):
    engine = DockerEngine(folder / "engine.sock", {image()})
    yield engine
    engine.close()
    assert engine.faults == []


@pytest.fixture
def engine(small):
    return Engine(small.environ)


def test_the_engine_is_where_the_environment_says_or_where_engines_usually_are():
    assert places({"DOCKER_HOST": "unix:///a/b.sock"}) == [Path("/a/b.sock")]
    usual = places({"XDG_RUNTIME_DIR": "/run/user/7"})
    assert usual[0] == Path("/var/run/docker.sock")
    assert Path("/run/user/7/podman/podman.sock") in usual
    assert Path("/run/podman/podman.sock") in places({})
    with pytest.raises(ComputerError, match="this machine"):
        places({"DOCKER_HOST": "tcp://elsewhere:2375"})


@pytest.mark.parametrize("podman", [False, True])
@pytest.mark.parametrize("options", [[], ["name=rootless"], ["name=selinux", "name=userns"]])
def test_an_engine_tells_what_it_is(small, engine, podman, options):
    small.podman, small.options = podman, options
    rootless = "name=rootless" in options
    assert engine.kind() == Kind(
        podman=podman,
        version="27.5.1",
        rootless=rootless,
        selinux="name=selinux" in options,
        remapped="name=userns" in options or (rootless and not podman),
    )
    engine.kind()
    assert len(small.asked("GET", "/info")) == 1


def test_an_engine_that_answers_is_taken_before_one_that_is_only_installed(folder):
    environ = {"XDG_RUNTIME_DIR": str(folder)}
    (folder / "podman").mkdir()
    if any(path.exists() for path in places(environ)):
        pytest.skip("there is an engine on this machine")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "podman" / "podman.sock"))
    alive = DockerEngine(folder / "docker.sock", set())
    assert Engine(environ).find() == alive.path
    alive.close()


def test_a_socket_without_anybody_behind_it_names_how_to_start_one(folder):
    path = folder / "dead.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(ComputerError, match="systemctl start docker"):
        Engine({"DOCKER_HOST": f"unix://{path}"}).kind()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not")
def test_a_socket_of_others_names_the_group_to_join(folder):
    folder.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind(str(folder / "theirs.sock"))
        theirs.listen()
        (folder / "theirs.sock").chmod(0o600)
        os.seteuid(USER)
        try:
            with pytest.raises(ComputerError, match="usermod -aG docker"):
                Engine({"DOCKER_HOST": f"unix://{folder}/theirs.sock"}).find()
        finally:
            os.seteuid(0)


@pytest.mark.parametrize("status", [400, 404, 409, 500])
@pytest.mark.parametrize(
    ("answer", "words"),
    [({"message": "no room left"}, "no room left"), (b"<html>", "<html>"), (b"", "refused")],
)
def test_what_an_engine_refuses_is_told_in_its_words(small, engine, status, answer, words):
    small.instead["POST", "/containers/create"] = (status, answer)
    with pytest.raises(ComputerError, match=words) as told:
        running.make(engine, "one", {})
    assert str(status) in str(told.value)


DEEP = b'{"x":' + b"[" * 100_000


@pytest.mark.parametrize("answer", [b"", b"{", b"[]", b'{"State": 7}', b"\xff\xfe", DEEP])
def test_an_answer_that_makes_no_sense_is_an_error_of_the_engine(small, engine, answer):
    small.instead["GET", "/containers/one/json"] = (200, answer)
    with pytest.raises(ComputerError, match="cannot be read"):
        running.state(engine, "one")


def test_an_engine_that_breaks_off_is_told_and_asked_anew(small, engine):
    small.instead["GET", "/containers/one/json"] = BREAK
    with pytest.raises(ComputerError, match="broke off"):
        running.state(engine, "one")
    small.instead.clear()
    assert running.state(engine, "one") == "stopped"


def test_an_engine_that_hangs_is_waited_for_until_a_deadline(small, engine):
    small.instead["GET", "/containers/one/json"] = HANG
    with pytest.raises(ComputerError, match="did not answer"):
        engine.ask("GET", "/containers/one/json", wait_s=0.1)


def test_an_engine_that_has_gone_is_an_error_and_found_when_it_is_back(folder, engine, small):
    assert engine.kind().version
    small.close()
    with pytest.raises(ComputerError, match="DOCKER_HOST"):
        running.state(engine, "one")
    again = DockerEngine(small.path, set())
    assert running.state(engine, "one") == "stopped"
    again.close()
    small._server.server_close()


@pytest.mark.parametrize("state", ["dead", "restarting", "unheard of", ""])
def test_a_state_that_no_computer_should_be_in_is_broken(small, engine, state):
    small.instead["GET", "/containers/one/json"] = (200, {"State": {"Status": state}})
    assert running.state(engine, "one") == "broken"


def test_what_a_container_said_is_read_with_and_without_frames(small, engine):
    path = ("GET", "/containers/one/logs")
    small.instead[path] = (200, b"\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x04 err")
    assert running.said(engine, "one") == "out err"
    small.instead[path] = (200, b"plain words")
    assert running.said(engine, "one") == "plain words"
    small.instead[path] = (404, {"message": "gone"})
    assert "gone" in running.said(engine, "one")


@given(st.lists(st.tuples(st.integers(0, 2), st.binary(min_size=1, max_size=40)), min_size=1))
def test_frames_of_outputs_are_put_together(frames):
    framed = b"".join(bytes([of, 0, 0, 0]) + len(data).to_bytes(4) + data for of, data in frames)
    assert running.unframed(framed) == b"".join(data for _, data in frames)


@given(st.binary(max_size=60))
def test_wild_bytes_are_words_or_an_error_of_the_engine(told):
    assert len(running.unframed(told)) <= len(told)
    for what in (running.Used, running.Status, list[int]):
        with contextlib.suppress(ComputerError):
            decode(told, what, "/somewhere")


def test_measures_leave_out_files_that_could_be_read_again(small, engine):
    for stats in ({"inactive_file": 300}, {"total_inactive_file": 300}):
        told = {"memory_stats": {"usage": 1000, "stats": stats}, "name": "x"}
        small.instead["GET", "/containers/one/stats"] = (200, told)
        assert running.used(engine, "one").memory == 700
    small.instead["GET", "/containers/one/stats"] = (200, {"memory_stats": {}})
    assert running.used(engine, "one").memory == 0


def test_the_image_has_what_a_local_image_has():
    words = set(RECIPE.read_text().split())
    assert {*PACKAGES, "tini"} <= words


def test_an_image_is_built_of_the_recipe(small, engine):
    small.images.clear()
    assert build(engine) == image()
    ((query, body),) = small.asked("POST", "/build")
    assert query["t"] == image()
    assert RECIPE.read_bytes() in body
    small.images.clear()
    small.instead["POST", "/build"] = (200, b'{"stream":"Step 2"}\n{"error":"no network"}\n')
    with pytest.raises(ComputerError, match="no network: Step 2"):
        build(engine)
    small.instead["POST", "/build"] = (200, b'{"stream":"half"}\nnonsense')
    with pytest.raises(ComputerError, match="half"):
        build(engine)


async def test_probing_names_what_is_missing(small, folder):
    backend = DockerBackend(folder / "computers", small.environ)
    small.images.clear()
    probe = await backend.probe()
    assert not probe.works
    missing = probe.ingredients[-1]
    assert (missing.name, missing.works) == ("image", False)
    assert f"docker build -t {image()}" in missing.fix
    small.options = ["name=userns"]
    probe = await DockerBackend(folder / "computers", small.environ).probe()
    assert (probe.works, probe.ingredients[-1].name) == (False, "users")


async def test_no_engine_is_absent_and_one_that_fails_is_not(folder):
    missing = {"XDG_RUNTIME_DIR": str(folder)}
    if any(path.exists() for path in places(missing)):
        pytest.skip("there is an engine on this machine")
    probe = await DockerBackend(folder / "computers", missing).probe()
    (one,) = probe.ingredients
    assert (probe.works, one.works, one.needed) == (False, False, False)
    assert "install Docker or Podman" in one.fix
    named = {"DOCKER_HOST": f"unix://{folder}/none.sock"}
    probe = await DockerBackend(folder / "computers", named).probe()
    assert probe.ingredients[0].needed
    assert not (folder / "computers").exists()


async def test_a_computer_without_its_image_says_how_to_build_it(small, folder):
    backend = DockerBackend(folder / "computers", small.environ)
    small.images.clear()
    await backend.create("one", Spec())
    with pytest.raises(ComputerError, match="docker build"):
        backend._make("one")
    assert small.containers == {}


def test_one_answer_at_a_time_is_not_needed(small, engine):
    told: list[str] = []
    threads = [
        threading.Thread(target=lambda: told.append(running.state(engine, "one")))
        for _ in range(16)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert told == ["stopped"] * 16
