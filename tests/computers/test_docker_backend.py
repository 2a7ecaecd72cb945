"""Computers in containers, run by an engine of our own that makes them of bubblewrap."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import tempfile
from functools import partial
from pathlib import Path

import msgspec
import pytest
from docker_engine import BREAK, DockerEngine
from happenings import gone
from shop import shop

from doer.computers.docker.backend import DockerBackend
from doer.computers.docker.container import called
from doer.computers.docker.image import image
from doer.computers.docker.networking import listen
from doer.computers.link import Link
from doer.computers.local.backend import LocalBackend
from doer.computers.network.client import FOLDER, ProxyClient, ensure
from doer.computers.shell import Shell
from doer.errors import ComputerError
from doer.records.computer import NetworkRules, Route, Spec

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]
SPEC = Spec(memory_mb=512, disk_mb=300)
ASK = "curl -s -m 20 -o /dev/null -w '%{http_code}' http://shop.test/"


@pytest.fixture(scope="module")
def small():
    with tempfile.TemporaryDirectory(prefix="doer-engine-") as folder:
        engine = DockerEngine(Path(folder, "engine.sock"), {image()})
        yield engine
        engine.close()
        assert engine.faults == []


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """In a folder whose name engines would take apart, if it came to them as one text."""
    root = tmp_path_factory.mktemp("docker") / "a:b c"
    yield root
    with contextlib.suppress(ComputerError):
        os.kill(asyncio.run(ProxyClient(root / FOLDER).pid()), signal.SIGTERM)


@pytest.fixture
async def backend(small, root):
    made = DockerBackend(root, small.environ)
    yield made
    small.instead.clear()
    for name in made.names():
        await made.destroy(name)
    assert small.containers == {}


async def sh(backend, name: str, script: str) -> str:
    done = await Shell(Link(partial(backend.dial, name))).run(script, timeout_s=60)
    assert done.exit_code == 0, done
    return done.stdout.text()


async def test_a_whole_computer_is_tried_by_the_probe(backend, small):
    probe = await backend.probe()
    assert probe.works
    assert probe.isolation == "container"
    assert small.containers == {}
    assert not list(backend._folders.root.glob(".probe-*"))
    small.instead["POST", "/containers/[^/]+/start"] = (500, {"message": "no cgroups for you"})
    probe = await backend.probe()
    assert not probe.works
    assert "no cgroups for you" in probe.ingredients[-1].said
    assert small.containers == {}


async def test_what_leaves_goes_through_the_proxy_which_may_come_anew(backend):
    with shop() as address:
        rules = NetworkRules(routes=(Route(host="shop.test", to=address),))
        await backend.create("one", msgspec.structs.replace(SPEC, network=rules))
        assert await backend.start("one") == ()
        assert await sh(backend, "one", ASK) == "200"
        many = f"for i in $(seq 40); do {ASK} & done; wait"
        assert await sh(backend, "one", many) == "200" * 40
        proxy = await ProxyClient(backend._folders.root / FOLDER).pid()
        os.kill(proxy, signal.SIGKILL)
        await gone(proxy)
        assert await sh(backend, "one", f"{ASK} || true") == "000"
        assert [heal.part for heal in await backend.start("one")] == ["network"]
        assert await sh(backend, "one", ASK) == "200"
        await backend.set_network("one", NetworkRules())
        assert await sh(backend, "one", ASK) == "403"
        await backend.stop("one")
        assert "one" not in await (await ensure(backend._folders.root)).ping()


BIG = 6 << 20
SEND_AND_STOP = f"""python3 -c '
import socket
sock = socket.create_connection(("127.0.0.1", 3128), 60)
sock.sendall(bytes({BIG}))
sock.shutdown(socket.SHUT_WR)
total = 0
while data := sock.recv(65536):
    total += len(data)
print(total)'"""


async def test_much_passes_both_ways_and_the_end_of_one_is_not_that_of_the_other(backend):
    """In the proxy's place stands somebody who answers when all has been said."""
    heard: list[int] = []

    async def answer(reader, writer):
        heard.append(len(await reader.read(-1)))
        writer.write(bytes(2 * BIG))
        await writer.drain()
        writer.close()

    await backend.create("one", SPEC)
    await backend.start("one")
    listener = socket.socket(fileno=listen(backend._folders.of("one") / "proxy"))
    async with await asyncio.start_unix_server(answer, sock=listener):
        assert await sh(backend, "one", SEND_AND_STOP) == f"{2 * BIG}\n"
    assert heard == [BIG]
    said = await sh(backend, "one", f"{ASK} || true")  # nobody stands there any more
    assert said == "000"


async def test_there_is_no_other_way_out(backend):
    await backend.create("one", SPEC)
    await backend.start("one")
    assert (await sh(backend, "one", "ls /sys/class/net 2>/dev/null || echo lo")) == "lo\n"
    script = "curl -s -m 5 --noproxy '*' http://192.0.2.1/ && echo out || echo kept"
    assert await sh(backend, "one", script) == "kept\n"
    script = "rm -f /run/vm-proxy/proxy.sock && echo gone || echo kept"
    assert "kept" in await sh(backend, "one", f"{script} 2>&1")


async def test_a_daemon_that_does_not_start_says_why_and_leaves_nothing(backend, small):
    await backend.create("one", SPEC)
    (backend._folders.of("one") / "home").rmdir()
    (backend._folders.of("one") / "home").touch()
    with pytest.raises(ComputerError, match="one ended while starting"):
        await backend.start("one")
    assert small.containers == {}
    (backend._folders.of("one") / "home").unlink()
    with pytest.raises(ComputerError, match="bind source path"):
        await backend.start("one")
    assert small.containers == {}


@pytest.mark.parametrize(
    ("method", "part", "answer"),
    [
        ("POST", "/containers/create", (409, {"message": "in use"})),
        ("POST", "/containers/.*/start", (500, {"message": "OCI runtime create failed"})),
        ("POST", "/containers/.*/start", BREAK),
        ("GET", "/images/.*", (200, b"")),
    ],
)
async def test_an_engine_that_fails_while_starting_leaves_nothing(
    backend, small, method, part, answer
):
    await backend.create("one", SPEC)
    small.instead[method, part] = answer
    if answer == (200, b""):  # there is no such image after all
        small.images.clear()
    try:
        with pytest.raises(ComputerError):
            await backend.start("one")
    finally:
        small.images.add(image())
        small.instead.clear()
    assert small.containers == {}
    await backend.start("one")
    assert await sh(backend, "one", "echo fine") == "fine\n"


async def test_a_container_of_the_same_name_that_was_left_behind_is_cleared_away(backend, small):
    await backend.create("one", SPEC)
    await backend.start("one")
    container = small.containers[called(backend._folders, "one")]
    os.kill(container.pid, signal.SIGKILL)
    await gone(container.pid)
    container.wait()
    assert await backend.state("one") == "stopped"
    with pytest.raises(ComputerError, match="start it first"):
        await backend.dial("one", "daemon")
    await backend.start("one")
    assert [one.what for one in backend.incidents("one")] == ["ended"]
    assert backend.incidents("one", backend.incidents("one")[0].at) == ()


async def test_memory_that_ran_out_is_told_once(backend, small):
    await backend.create("one", SPEC)
    await backend.start("one")
    pid = small.containers[called(backend._folders, "one")].pid
    state = {"State": {"Status": "running", "Pid": pid, "OOMKilled": True}}
    small.instead["GET", "/containers/.*/json"] = (200, state)
    for _ in range(2):
        await backend.start("one")
        assert [one.what for one in backend.incidents("one")] == ["memory"]


async def test_a_copy_is_of_one_moment_and_shares_nothing(backend, small):
    await backend.create("one", SPEC)
    await backend.start("one")
    writing = "(while :; do date +%s%N | tee a > b; done) >/dev/null 2>&1 &"
    await sh(backend, "one", f"mkdir d; echo x > d/f; ln d/f d/g; chmod 0 d/f; mkfifo p; {writing}")
    before = len(small.requests)
    snapshot = await backend.snapshot("one")
    asked = [one[1].rpartition("/")[2] for one in small.requests[before:] if one[0] == "POST"]
    assert asked == ["pause", "unpause"]
    assert await backend.state("one") == "running"
    await backend.pause("one")
    await backend.fork("one", "two")
    assert await backend.state("one") == "paused"
    one, two = (backend._folders.of(name) / "home" for name in ("one", "two"))
    kept = backend._homes.of_snapshot(snapshot)
    files = [folder / "d" / "f" for folder in (one, two, kept)]
    assert len({file.stat().st_ino for file in files}) == 3
    assert {file.stat().st_nlink for file in files} == {2}
    assert {file.stat().st_mode & 0o777 for file in files} == {0}
    assert (two / "a").read_bytes() == (one / "a").read_bytes()
    await backend.forget(snapshot)
    assert snapshot not in backend.snapshots()
    with pytest.raises(ComputerError, match="no snapshot"):
        await backend.forget(snapshot)
    with pytest.raises(ComputerError, match="no snapshot"):
        await backend.create("three", SPEC, "../one/home")


async def test_computers_move_between_backends(backend, tmp_path):
    local = LocalBackend(tmp_path / "local")
    await backend.create("one", SPEC)
    await backend.start("one")
    await sh(backend, "one", "mkdir d; echo kept > d/file; chmod 750 d; ln -s d/file link")
    await backend.export("one", tmp_path / "one.tar.gz")
    assert await backend.state("one") == "running"
    await local.import_from(tmp_path / "one.tar.gz", "there")
    await local.export("there", tmp_path / "there.tar.gz")
    await backend.import_from(tmp_path / "there.tar.gz", "back")
    await local.destroy("there")
    await backend.start("back")
    assert await sh(backend, "back", "cat link; stat -c '%a %U' d") == "kept\n750 agent\n"


async def test_folders_beside_the_home_are_kept_with_it(backend):
    await backend.create("one", msgspec.structs.replace(SPEC, folders=("/app", "/data/in")))
    await backend.start("one")
    await sh(backend, "one", "echo 1 > /app/file; echo 2 > /data/in/file; ! touch /data/x")
    await backend.fork("one", "two")
    await backend.start("two")
    assert (
        await sh(backend, "two", "cat /app/file /data/in/file; stat -c %U /app") == "1\n2\nagent\n"
    )
    await sh(backend, "two", "rm -r ~/.folders/data/in; ln -s /etc ~/.folders/data/in")
    await backend.stop("two")
    with pytest.raises(ComputerError, match="/data/in"):
        await backend.start("two")
    with pytest.raises(ComputerError, match="belongs to the system"):
        await backend.create("three", msgspec.structs.replace(SPEC, folders=("/usr",)))


async def test_an_archive_that_is_not_there_is_said(backend, tmp_path):
    with pytest.raises(ComputerError, match="cannot be read"):
        await backend.import_from(tmp_path / "none.tar.gz", "one")
    assert backend.names() == ()


async def test_two_backends_on_one_folder_see_the_same(backend, small, root):
    other = DockerBackend(root, small.environ)
    await backend.create("one", SPEC)
    await asyncio.gather(backend.start("one"), other.start("one"))
    assert await other.state("one") == "running"
    assert await sh(other, "one", "echo same") == "same\n"
    assert len(small.containers) == 1


async def test_the_proxy_takes_listeners_of_unix_sockets(tmp_path):
    """Through a folder with a long path, and again in the place of one that was there."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    proxy = await ensure(tmp_path)
    for _ in range(2):
        with socket.socket(fileno=listen(folder)) as listener:
            await proxy.register("one", listener, NetworkRules(), tmp_path)
        inner = os.open(folder, os.O_PATH)
        reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{inner}/proxy.sock")
        os.close(inner)
        writer.write(b"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n")
        async with asyncio.timeout(20):
            assert (await reader.readline()).startswith(b"HTTP/1.1 403")
        writer.close()
    os.kill(await proxy.pid(), signal.SIGTERM)
    await proxy.lost()
