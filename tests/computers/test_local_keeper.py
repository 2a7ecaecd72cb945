"""A local computer and its keeper: who survives whom, what can be forged from inside, and
Chromium's own sandbox within ours."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from doer.computers.browser.cdp import Connection
from doer.computers.link import Link
from doer.computers.local.backend import LocalBackend
from doer.computers.local.sockets import call
from doer.computers.network.client import ProxyClient
from doer.errors import ComputerError
from doer.records.computer import NetworkRules, Route, Spec

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]
CHROMIUM = "/usr/lib/chromium/chromium"
START = """
import asyncio, sys
from pathlib import Path
from doer.computers.local.backend import LocalBackend
asyncio.run(LocalBackend(Path(sys.argv[1])).start("one"))
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Generator[Path]:
    """One folder of computers for all tests, so that they share a network proxy."""
    folder = tmp_path_factory.mktemp("local") / "computers"
    yield folder
    asyncio.run(_end_proxy(folder))


async def _end_proxy(folder: Path) -> None:
    with contextlib.suppress(ComputerError):
        os.kill(await ProxyClient(folder / ".proxy").pid(), signal.SIGTERM)


@pytest.fixture
async def backend(root):
    made = LocalBackend(root)
    await made.create("one", Spec(memory_mb=2048))
    yield made
    for name in made.names():
        await made.destroy(name)


@pytest.fixture
async def running(backend):
    await backend.start("one")
    return backend


class _Ran(msgspec.Struct):
    exit: int | None = None


async def sh(backend: LocalBackend, script: str) -> str:
    said = b""
    fields = {"argv": ["bash", "-c", script], "timeout_s": 60}
    async with Link(partial(backend.dial, "one")).call("run", fields, 70) as running:
        while True:
            kind, payload = await running.receive()
            if kind == 0:
                assert running.decode(payload, _Ran).exit == 0, said
                return said.decode()
            said += payload


def keeper(backend: LocalBackend) -> int:
    folders = backend._folders
    told = call(folders.of("one") / "host", folders.owner.uid, {"op": "ping"}).told
    return int(told["pid"])


def descendants(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def is_alive(pid: int) -> bool:
    """A dead process that nobody waits for yet has no descriptors."""
    return Path(f"/proc/{pid}/fd/0").exists()


def status_of(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()


def belongings(pid: int) -> tuple[list[str], list[str]]:
    """What a process has open, and its environment."""
    names = [str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()]
    words = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return names, [word for word in words if word]


async def until_stopped(backend: LocalBackend) -> None:
    async with asyncio.timeout(30):
        while await backend.state("one") != "stopped":  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_computer_outlives_the_process_that_started_it(backend):
    starting = [sys.executable, "-c", START, str(backend._folders.root)]
    await asyncio.to_thread(subprocess.run, starting, check=True, timeout=60)
    assert await backend.state("one") == "running"
    assert await sh(backend, "echo alive") == "alive\n"
    assert os.getsid(keeper(backend)) != os.getsid(0)


async def test_two_processes_that_start_it_at_once_start_one(backend):
    starting = [sys.executable, "-c", START, str(backend._folders.root)]
    both = [await asyncio.create_subprocess_exec(*starting) for _ in range(2)]
    assert [await one.wait() for one in both] == [0, 0]
    assert await sh(backend, "pgrep -c bwrap") == "1\n"


async def test_with_the_keeper_everything_in_the_computer_dies(running):
    await sh(running, "setsid sleep 1000 >/dev/null 2>&1 &")
    everyone = descendants(keeper(running))
    assert len(everyone) >= 5
    os.kill(everyone[0], signal.SIGKILL)
    await until_stopped(running)
    async with asyncio.timeout(20):
        while any(map(is_alive, everyone)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await running.start("one")
    assert await sh(running, "pgrep sleep || echo none") == "none\n"


async def test_with_the_computer_its_keeper_ends_and_says_so(running):
    pid = keeper(running)
    os.kill(descendants(pid)[2], signal.SIGKILL)
    await until_stopped(running)
    assert [one.what for one in running.incidents("one")] == ["ended"]


async def test_a_computer_whose_folder_was_deleted_ends(running):
    everyone = descendants(keeper(running))
    shutil.rmtree(running._folders.of("one"))
    async with asyncio.timeout(30):
        while any(map(is_alive, everyone)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_keeper_that_hangs_is_ended(running):
    pid = keeper(running)
    os.kill(pid, signal.SIGSTOP)
    await running.stop("one")
    assert await running.state("one") == "stopped"
    assert not is_alive(pid)


async def test_a_keeper_holds_nothing_of_its_starter_open(running):
    open_files, environment = belongings(keeper(running))
    assert not [name for name in open_files if name.startswith(("/dev/pts", "/dev/tty"))]
    assert {word.partition("=")[0] for word in environment} <= {"PATH", "LD_LIBRARY_PATH"}


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user has no rights to give up")
async def test_a_roots_computer_is_nobodys_in_particular(running):
    for pid in descendants(keeper(running)):
        status = status_of(pid)
        assert "Uid:\t210000\t210000\t210000\t210000" in status
        assert "Gid:\t210000\t210000\t210000\t210000" in status
        assert "Groups:\t \n" in status
    await sh(running, "touch file")
    upper = running._folders.of("one") / "upper"
    assert (upper / "file").stat().st_uid == 210_000


async def test_a_socket_forged_from_inside_is_not_called(running, tmp_path):
    await sh(running, "cd /run/vm; ln -s ../host/control.sock rfb.sock")
    with pytest.raises(ComputerError, match="rfb"):
        await running.dial("one", "screen")
    await sh(running, "cd /run/vm; rm rfb.sock; mkdir rfb.sock")
    with pytest.raises(ComputerError, match="belongs"):
        await running.dial("one", "screen")


async def test_a_working_computer_is_exported_with_all_its_layers(running, tmp_path):
    await sh(running, "echo old > old; echo x > gone")
    await running.stop("one")
    await running.snapshot("one")  # now they lie in a layer
    await running.start("one")
    await sh(running, "rm gone; echo new > new; chmod 0 new")
    await running.export("one", tmp_path / "one.tar.gz")
    await running.import_from(tmp_path / "one.tar.gz", "three")
    await running.destroy("one")
    await running.fork("three", "one")
    await running.start("one")
    assert await sh(running, "stat -c '%n %a %U' *") == "new 0 agent\nold 644 agent\n"


async def test_an_image_that_is_none_is_refused(backend, tmp_path):
    await backend.destroy("one")
    await backend.create("one", Spec(image=str(tmp_path)))
    with pytest.raises(ComputerError, match="image"):
        await backend.start("one")
    assert await backend.state("one") == "stopped"


async def test_the_probe_names_the_package_that_is_missing(backend, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    probe = await backend.probe()
    assert not probe.works
    (missing,) = [one for one in probe.ingredients if one.name == "bubblewrap"]
    assert "apt-get install bubblewrap" in missing.fix
    with pytest.raises(ComputerError, match="apt-get install bubblewrap"):
        await backend.start("one")


async def test_no_file_of_the_host_can_be_written_through_a_process(running):
    """Whatever processes inside hold open can be reached through /proc, and opened anew."""
    reach = """
    for file in /proc/[0-9]*/fd/*; do
        case $(readlink $file) in /home/agent*|/dev/*|/run/vm/*|"") continue;; esac
        [ -d $file ] && touch $file/reached 2>/dev/null && echo $file
        [ -f $file ] && { chmod 777 $file || : >> $file; } 2>/dev/null && readlink $file
    done; true"""
    assert await sh(running, reach) == ""


async def test_what_is_left_in_the_run_folder_does_not_stop_the_next_start(running):
    await sh(running, "cd /run/vm; mkdir -p a/b; chmod 0 a; ln -s /etc/passwd link")
    await running.stop("one")
    await running.start("one")
    assert await sh(running, "ls /run/vm") == "daemon.sock\n"


async def test_a_fork_of_a_working_computer_is_of_one_moment(running):
    """A writer appends to two files by turns: a copy of one moment has them equally long."""
    script = "i=0; while :; do i=$((i+1)); echo $i >> a; echo $i >> b; done"
    await sh(running, f"setsid bash -c '{script}' >/dev/null 2>&1 & until [ -s b ]; do :; done")
    for number in range(3):
        await running.fork("one", f"child{number}")
        layers = running._layers.home(f"child{number}").layers
        folder = running._folders.layers / layers[0]
        a, b = (len((folder / name).read_text().split("\n")) for name in "ab")
        assert a - b in (0, 1)
    assert await running.state("one") == "running"


@pytest.mark.parametrize("living", [True, False])
async def test_forks_of_forks_do_not_pile_up(backend, monkeypatch, living):
    monkeypatch.setattr("doer.computers.local.backend.MAX_DEPTH", 2)
    await backend.start("one")
    for number in range(6):
        await sh(backend, f"echo {number} > file{number}; rm -f file{number - 2}")
        if not living:
            await backend.stop("one")
        await backend.fork("one", "next")
        await backend.destroy("one")
        await backend.fork("next", "one")
        await backend.destroy("next")
        assert len(backend._layers.home("one").layers) <= 3
        await backend.start("one")
    assert await sh(backend, "cat *") == "4\n5\n"


class _Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"shop")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def shop():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Shop) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Debian's Chromium is not installed")
async def test_chromium_keeps_its_sandbox_and_trusts_a_routed_site(running, shop):
    rules = NetworkRules(routes=(Route(host="shop.test", to=shop),))
    await running.set_network("one", rules)
    assert await sh(running, "curl -sS https://shop.test/") == "shop"
    argv = [CHROMIUM, "--headless=new", "--remote-debugging-pipe", "--disable-gpu"]
    argv += ["--no-first-run", "--proxy-server=http://127.0.0.1:3128", "about:blank"]
    profile = "/home/agent/.config/chromium"
    link = Link(partial(running.dial, "one"))
    _, pipe = await link.browser([*argv, f"--user-data-dir={profile}"], profile, headless=True)
    chromium = await Connection.open_socket(pipe)
    try:
        assert await page(chromium, "https://shop.test/", "shop")
        told = await page(chromium, "chrome://sandbox/", "sandboxed")
        assert "You are adequately sandboxed" in told
    finally:
        chromium.close()


async def page(chromium: Connection, url: str, awaited: str) -> str:
    """The text of a page, as soon as it holds what is awaited."""
    target = (await chromium.call("Target.createTarget", {"url": url}, timeout_s=30))["targetId"]
    attach = {"targetId": target, "flatten": True}
    session = (await chromium.call("Target.attachToTarget", attach, timeout_s=30))["sessionId"]
    asked = {"expression": "document.body ? document.body.innerText : ''"}
    async with asyncio.timeout(60):
        while True:
            got = await chromium.call("Runtime.evaluate", asked, session, timeout_s=30)
            if awaited in (text := got["result"]["value"]):
                return text
            await asyncio.sleep(0.05)
