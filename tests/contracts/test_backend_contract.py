"""What every kind of computer must do, run over each backend.

A root runs it twice: as root, and as an ordinary user in a process of that user.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator
from functools import partial
from pathlib import Path

import msgspec
import pytest
from docker_engine import DockerEngine

from doer.computers.backend import Backend
from doer.computers.docker.backend import DockerBackend
from doer.computers.docker.engine import Engine
from doer.computers.docker.image import how_to_build, image, is_built
from doer.computers.link import Link
from doer.computers.local.backend import LocalBackend
from doer.computers.network.client import ProxyClient
from doer.errors import ComputerError, ToolError
from doer.records.computer import NetworkRules, Spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
USER = 12345
DAEMON = "'^[^ ]*python3 -I /opt/doer'"
SPEC = Spec(memory_mb=512, processes=200, disk_mb=256)


def local(folder: Path, _: DockerEngine) -> Backend:
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    return LocalBackend(folder)


def docker(folder: Path, _: DockerEngine) -> Backend:
    """On an engine of this machine, with the image built."""
    try:
        engine = Engine()
        if not is_built(engine, image()):
            pytest.skip(f"build the image first: {how_to_build(engine.kind().command)}")
    except ComputerError as none:
        pytest.skip(str(none))
    return DockerBackend(folder)


def small_engine(folder: Path, engine: DockerEngine) -> Backend:
    """The same on our own engine, whose containers are made of bubblewrap."""
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    return DockerBackend(folder, engine.environ)


BACKENDS: dict[str, Callable[[Path, DockerEngine], Backend]] = {
    "local": local,
    "docker": docker,
    "small_engine": small_engine,
}


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Generator[Path]:
    """One folder of computers for all tests of a kind, so that they share a network proxy."""
    folder = tmp_path_factory.mktemp("backend")
    yield folder
    for made in folder.glob("*/.proxy"):
        asyncio.run(_end_proxy(made.parent))


@pytest.fixture(scope="module")
def engine() -> Generator[DockerEngine]:
    with tempfile.TemporaryDirectory(prefix="doer-engine-") as folder:
        engine = DockerEngine(Path(folder, "engine.sock"), {image()})
        yield engine
        engine.close()
        assert engine.faults == []


async def _end_proxy(folder: Path) -> None:
    with contextlib.suppress(ComputerError):
        os.kill(await ProxyClient(folder / ".proxy").pid(), signal.SIGTERM)


@pytest.fixture(params=BACKENDS)
async def backend(request, root, engine) -> AsyncGenerator[Backend]:
    made = BACKENDS[request.param](root / request.param, engine)
    try:
        yield made
    finally:
        for name in made.names():
            await made.destroy(name)


class _Ran(msgspec.Struct):
    exit: int | None = None


async def sh(backend: Backend, name: str, script: str, timeout_s: float = 60) -> str:
    """What a script prints, both outputs together. Raises `AssertionError` when it fails."""
    link = Link(partial(backend.dial, name))
    said = b""
    fields = {"argv": ["bash", "-c", script], "timeout_s": timeout_s}
    async with link.call("run", fields, timeout_s + 10) as call:
        while True:
            kind, payload = await call.receive()
            if kind == 0:
                break
            said += payload
    assert call.decode(payload, _Ran).exit == 0, said
    return said.decode()


@pytest.fixture
async def running(backend):
    await backend.create("one", SPEC)
    await backend.start("one")
    return backend


async def test_a_computer_is_made_started_and_destroyed(backend):
    assert backend.names() == ()
    await backend.create("one", SPEC)
    assert backend.names() == ("one",)
    assert backend.spec("one") == SPEC
    assert await backend.state("one") == "stopped"
    await backend.start("one")
    assert await backend.state("one") == "running"
    assert (await Link(partial(backend.dial, "one")).ping()).pids >= 1
    await backend.destroy("one")
    assert backend.names() == ()
    with pytest.raises(ComputerError, match="one"):
        await backend.state("one")


async def test_a_name_is_taken_once_and_must_be_a_name(backend):
    await backend.create("one", SPEC)
    with pytest.raises(ComputerError, match="already"):
        await backend.create("one", SPEC)
    for wrong in ("", "..", "a/b", "x" * 65, "a b", ".layers", "ä"):
        with pytest.raises(ComputerError, match="name"):
            await backend.create(wrong, SPEC)
    with pytest.raises(ComputerError, match="two"):
        await backend.start("two")


async def test_it_runs_as_a_user_without_rights(running):
    told = await sh(running, "one", "id -un; pwd; cat /proc/self/status")
    assert told.splitlines()[:2] == ["agent", "/home/agent"]
    assert "NoNewPrivs:\t1" in told
    assert "Seccomp:\t2" in told
    assert "CapEff:\t0000000000000000" in told


async def test_files_outlive_a_stop_and_processes_do_not(running):
    await sh(
        running,
        "one",
        "echo kept > file; setsid sleep 1000 >/dev/null 2>&1 & echo lost > /tmp/file",
    )
    await running.stop("one")
    await running.stop("one")
    assert await running.state("one") == "stopped"
    with pytest.raises(ComputerError):
        await running.dial("one", "daemon")
    await running.start("one")
    assert await sh(running, "one", "cat file; ls /tmp; pgrep sleep || true") == "kept\n"


async def test_starting_twice_at_once_starts_one(backend):
    await backend.create("one", SPEC)
    await asyncio.gather(*(backend.start("one") for _ in range(3)))
    assert await sh(backend, "one", f"pgrep -fc {DAEMON}") == "1\n"


async def test_a_service_that_does_not_run_is_no_service(running):
    with pytest.raises(ComputerError, match="rfb"):
        await running.dial("one", "screen")


async def test_nothing_moves_while_it_is_paused(running):
    await sh(running, "one", "(while :; do echo x >> ticks; sleep 0.01; done) >/dev/null 2>&1 &")
    await running.pause("one")
    assert await running.state("one") == "paused"
    with pytest.raises(ComputerError):
        await Link(partial(running.dial, "one")).ping(timeout_s=0.5)
    await running.resume("one")
    assert await running.state("one") == "running"
    before = int(await sh(running, "one", "wc -l < ticks"))
    assert (
        int(
            await sh(
                running,
                "one",
                f"until [ $(wc -l < ticks) -gt {before} ]; do sleep 0.01; done; wc -l < ticks",
            )
        )
        > before
    )


async def test_stats_tell_what_is_used(running):
    await sh(running, "one", "head -c 20M /dev/urandom > big")
    stats = await running.stats("one")
    assert stats.state == "running"
    assert stats.processes >= 2
    assert 5 < stats.memory_mb < 500
    assert 20 <= stats.disk_mb < 40
    assert stats.cpu_s > 0
    await running.stop("one")
    assert (await running.stats("one")).processes == 0


@pytest.mark.parametrize("living", [True, False])
async def test_a_fork_has_the_files_and_goes_its_own_way(running, living):
    await sh(
        running,
        "one",
        "mkdir -p a/b; echo 1 > a/b/c; ln -s a/b/c link; echo old > changed; echo x > gone",
    )
    await running.fork("one", "before")
    await sh(
        running,
        "one",
        "rm gone; rm -r a; mkdir a; echo 2 > a/d; echo new > changed; chmod 700 changed",
    )
    if not living:
        await running.stop("one")
    await running.fork("one", "two")
    assert await running.state("two") == "stopped"
    await running.start("two")
    look = "cat changed; ls -R a; stat -c %a changed; readlink link; ls"
    assert await sh(running, "two", look) == "new\na:\nd\n700\na/b/c\na\nchanged\nlink\n"
    await sh(running, "two", "echo child > changed; rm -r a")
    await running.start("one")
    assert await sh(running, "one", "cat changed a/d") == "new\n2\n"
    await running.start("before")
    assert await sh(running, "before", "cat changed gone a/b/c") == "old\nx\n1\n"


async def test_a_snapshot_never_changes_and_outlives_its_computer(running):
    await sh(running, "one", "echo 1 > file")
    snapshot = await running.snapshot("one")
    await sh(running, "one", "echo 2 > file")
    await running.destroy("one")
    for name in ("two", "three"):
        await running.create(name, SPEC, snapshot)
        await running.start(name)
        assert await sh(running, name, "cat file; echo 3 > file") == "1\n"
    with pytest.raises(ComputerError, match="snapshot"):
        await running.create("four", SPEC, "nosuchsnapshot")


async def test_computers_do_not_see_each_other(running):
    await running.create("two", SPEC)
    await running.start("two")
    await sh(running, "one", "echo secret > /home/agent/mine; setsid sleep 4321 >/dev/null 2>&1 &")
    seen = await sh(running, "two", "ls -A ~; ls /run/vm; pgrep -x sleep || true")
    assert "mine" not in seen
    assert not [line for line in seen.splitlines() if line.isdigit()]


async def test_the_network_is_off_until_rules_allow(running):
    curl = "curl -s -m 5 -o /dev/null -w '%{http_code}' http://192.0.2.1/ || true"
    assert await sh(running, "one", curl) in ("000", "403")
    rules = NetworkRules(mode="allowlist")
    await running.set_network("one", rules)
    assert running.spec("one").network == rules


async def test_a_killed_daemon_is_noticed_and_a_start_repairs(running):
    with contextlib.suppress(ComputerError, ToolError, AssertionError):
        await sh(running, "one", f"echo kept > file; pkill -9 -f {DAEMON}; sleep 60", 20)
    async with asyncio.timeout(20):
        while await running.state("one") == "running":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await running.start("one")
    assert await sh(running, "one", "cat file") == "kept\n"


FLOODS = {
    "memory": "python3 -c 'x = [bytearray(b\"x\" * (16 << 20)) for _ in range(200)]'",
    "files in memory": """python3 -c '
import os
files = [os.memfd_create("x") for _ in range(20)]
for _ in range(150):
    for file in files:
        os.write(file, bytes(1 << 20))'""",
    "disk": "for i in $(seq 40); do head -c 40M /dev/zero > f$i || exit 1; done",
    "files without a name": """python3 -c '
import os
files = [open(f"x{i}", "wb") for i in range(20)]
for i in range(20):
    os.unlink(f"x{i}")
for _ in range(100):
    for file in files:
        file.write(bytes(1 << 20))'""",
    "one file": "head -c 2G /dev/zero > big",
    "shared memory": "head -c 2G /dev/zero > /dev/shm/big",
    "processes": ":(){ :|:& }; :; sleep 5; false",
}


NOT_HELD = {
    "small_engine": ("memory", "files in memory", "processes"),
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_is_held_back_and_the_computer_stays_usable(running, flood, request):
    if flood in NOT_HELD.get(request.node.callspec.params["backend"], ()):
        pytest.skip("nothing here limits this")
    await sh(running, "one", "echo kept > file")
    with pytest.raises((AssertionError, ToolError)):
        await sh(running, "one", FLOODS[flood], 100)
    async with asyncio.timeout(30):
        while "kept" not in await patiently(running, "cat file; rm -f f[0-9]* big /dev/shm/big"):
            pass
    stats = await running.stats("one")
    assert stats.memory_mb < SPEC.memory_mb
    assert stats.disk_mb < SPEC.disk_mb
    assert stats.processes < SPEC.processes


async def patiently(backend: Backend, script: str) -> str:
    """The same as `sh`, and nothing while no process can be started."""
    with contextlib.suppress(AssertionError, ToolError):
        return await sh(backend, "one", script)
    return ""


async def test_probing_says_that_it_works_or_what_to_do(backend):
    probe = await backend.probe()
    assert probe.works
    assert probe.isolation != "none"
    assert all(one.works or one.fix for one in probe.ingredients)


@pytest.fixture
def users_folder() -> Generator[Path]:
    """A folder that the ordinary user can reach; pytest's own are its user's alone."""
    with tempfile.TemporaryDirectory(prefix="doer-user-") as folder:
        os.chown(folder, USER, USER)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="this whole suite runs as an ordinary user already")
def test_all_of_it_holds_for_an_ordinary_user(users_folder):
    python, paths = _python_for_user()
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-x", "-m", "slow"]
    done = subprocess.run(
        [*command, f"--basetemp={users_folder}/pytest", __file__],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(users_folder), "PYTHONPATH": ":".join(paths)}
        | {"PYTHONDONTWRITEBYTECODE": "1"},
        user=USER,
        group=USER,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def _python_for_user() -> tuple[str, list[str]]:
    """A Python that an ordinary user may run, and where our packages lie for it."""
    paths = [str(ROOT / "src"), *(path for path in sys.path if path.endswith("site-packages"))]
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(
                [python, "-c", "import doer.computers.local.backend, pytest, pytest_asyncio"],
                env={"PYTHONPATH": ":".join(paths)},
                user=USER,
                group=USER,
                extra_groups=[],
                check=True,
                capture_output=True,
                timeout=60,
            )
            return python, paths
    pytest.skip("no Python and packages that an ordinary user of this machine may read")
