"""The screen and the browser that the daemon starts: real ones, without a sandbox around them."""

import asyncio
import json
import os
import shutil
import signal
import socket
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
from guest_daemon import GuestDaemon
from happenings import gone

from doer.computers.home import Home
from doer.computers.link import Screen
from doer.computers.terminal import Terminals
from doer.errors import ToolError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("Xvnc"), reason="Xvnc is not installed"),
    pytest.mark.skipif(not shutil.which("openbox"), reason="openbox is not installed"),
]
CHROMIUM = "/usr/lib/chromium/chromium"
SIZE = (800, 600)


@pytest.fixture
def named(guest: GuestDaemon, descendants: Callable[[int], dict[int, str]]) -> Callable:
    """A function: name of a program, and how many there are to be -> its processes below the
    daemon, as soon as there are that many: one may be ending, or about to become another."""

    async def named(name: str, count: int = 1) -> list[int]:
        async with asyncio.timeout(30):
            while True:
                below = descendants(guest.process.pid)
                pids = [n for n, said in below.items() if Path(said.split(" ")[0]).name == name]
                if len(pids) == count:
                    return pids
                await guest.link.ping()

    return named


async def greeting(guest: GuestDaemon) -> bytes:
    """What the screen's socket says first."""
    sock = await guest.dial("screen")
    with sock:
        async with asyncio.timeout(20):
            return await asyncio.get_running_loop().sock_recv(sock, 12)


async def healed(guest: GuestDaemon) -> Screen:
    """The screen once the daemon, after its next turn, knows what has died."""
    await guest.link.ping()
    return await guest.link.screen(*SIZE)


async def test_a_screen_stands_when_the_call_returns(guest, named):
    screen = await guest.link.screen(*SIZE)
    assert (screen.width, screen.height, screen.display) == (*SIZE, f":{guest.display}")
    assert await greeting(guest) == b"RFB 003.008\n"
    assert (guest.folder / "rfb.sock").stat().st_mode & 0o777 == 0o600
    # One that stands keeps its size, and there is only one.
    assert (await guest.link.screen(640, 480)).width == SIZE[0]
    assert await named("Xvnc")


def listens(pid: int) -> list[str]:
    """The inet sockets of a process, whatever their state."""
    sockets = {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()}
    tables = [Path(f"/proc/{pid}/net/{name}") for name in ("tcp", "tcp6", "udp", "udp6")]
    rows = [row for table in tables for row in table.read_text().splitlines()[1:]]
    return [row for row in rows if f"socket:[{row.split()[9]}]" in sockets]


async def test_no_port_is_opened_for_the_screen(guest, named):
    await guest.link.screen(*SIZE)
    (xvnc,) = await named("Xvnc")
    assert listens(xvnc) == []


async def test_a_dead_screen_is_started_again(guest, named):
    before = (await guest.link.screen(*SIZE)).restarts
    (xvnc,) = await named("Xvnc")
    os.kill(xvnc, signal.SIGKILL)
    await gone(xvnc)
    assert (await healed(guest)).restarts > before  # the manager dies with it
    assert await greeting(guest) == b"RFB 003.008\n"
    (again,) = await named("Xvnc")
    assert again != xvnc


async def test_a_dead_window_manager_is_started_again(guest, named):
    before = (await guest.link.screen(*SIZE)).restarts
    (manager,) = await named("openbox")
    (xvnc,) = await named("Xvnc")
    os.kill(manager, signal.SIGKILL)
    await gone(manager)
    assert (await healed(guest)).restarts == before + 1
    assert await named("Xvnc") == [xvnc]


async def test_what_the_agent_put_in_its_place_does_not_keep_the_screen_away(tmp_path):
    for name in ("daemon.sock", "rfb.sock", "xvnc.log", "openbox.xml"):
        (tmp_path / name / "full").mkdir(parents=True)
    (tmp_path / "openbox.log").symlink_to(tmp_path / "elsewhere")
    guest = GuestDaemon(tmp_path)
    try:
        await guest.link.screen(*SIZE)
        assert await greeting(guest) == b"RFB 003.008\n"
        assert not (tmp_path / "elsewhere").exists()
    finally:
        guest.end()


async def test_told_to_stop_it_ends_what_it_started(tmp_path, descendants):
    guest = GuestDaemon(tmp_path)
    await guest.link.screen(*SIZE)
    await Terminals(guest.link).open("a", ["sleep", "1000"])
    below = descendants(guest.process.pid)
    assert len(below) >= 3  # Xvnc, openbox, sleep
    guest.end()
    for pid in below:
        await gone(pid)


async def test_what_cannot_be_opened_is_told(guest):
    with pytest.raises(ToolError, match="ended at once with exit code 3"):
        await guest.link.open(argv=["sh", "-c", "exit 3"])
    with pytest.raises(ToolError, match="no program"):
        await guest.link.open(argv=["no-such-program"])


@pytest.mark.skipif(not shutil.which("xterm"), reason="xterm is not installed")
async def test_a_window_stays_when_its_caller_has_gone(guest):
    pid = await guest.link.open("terminal", args=["-e", "sleep", "1000"])
    await guest.link.ping()
    os.kill(pid, 0)
    os.kill(pid, signal.SIGTERM)
    await gone(pid)


class Pipe:
    """The browser's debugging pipe."""

    def __init__(self, pid: int, sock: socket.socket) -> None:
        self.pid, self.sock = pid, sock

    async def call(self, method: str, **params: object) -> dict:
        loop = asyncio.get_running_loop()
        message = {"id": 1, "method": method, "params": params}
        async with asyncio.timeout(40):
            await loop.sock_sendall(self.sock, json.dumps(message).encode() + b"\0")
            data = b""
            while not data.endswith(b"\0"):
                more = await loop.sock_recv(self.sock, 1 << 16)
                assert more, "the browser has gone away"
                data += more
        return json.loads(data[:-1])["result"]

    async def ended(self) -> None:
        async with asyncio.timeout(40):
            while await asyncio.get_running_loop().sock_recv(self.sock, 1 << 16):
                pass


async def started(guest: GuestDaemon) -> Pipe:
    profile = guest.home / "profile"
    argv = [CHROMIUM, "--remote-debugging-pipe", f"--user-data-dir={profile}", "--disable-gpu"]
    argv += ["--no-first-run", "--no-sandbox", "about:blank"]
    return Pipe(*await guest.link.browser(argv, "profile"))


@pytest.fixture
async def pipe(guest: GuestDaemon) -> AsyncGenerator[Pipe]:
    if not shutil.which(CHROMIUM):
        pytest.skip("Chromium is not installed")
    pipe = await started(guest)
    yield pipe
    pipe.sock.close()
    await gone(pipe.pid)


async def test_the_browser_speaks_on_the_very_connection(guest, pipe):
    assert "Chrome/" in (await pipe.call("Browser.getVersion"))["product"]
    assert (await guest.link.ping()).browser


async def test_stale_locks_are_cleared_away(guest, pipe):
    await pipe.call("Browser.getVersion")
    os.kill(pipe.pid, signal.SIGKILL)
    await pipe.ended()
    await gone(pipe.pid)
    lock = guest.home / "profile/SingletonLock"
    lock.unlink(missing_ok=True)
    lock.symlink_to("another-machine-4711")
    again = await started(guest)
    assert "Chrome/" in (await again.call("Browser.getVersion"))["product"]
    again.sock.close()
    await gone(again.pid)


async def test_a_browser_that_somebody_else_started_makes_room(guest):
    home = Home(guest.link)
    await home.make_folder("profile")
    async with home.watch("profile") as changes, asyncio.timeout(40):
        argv = [CHROMIUM, "--no-sandbox", f"--user-data-dir={guest.home}/profile", "--disable-gpu"]
        theirs = await guest.link.open(argv=[*argv, "--no-first-run"])
        async for change in changes:
            if change.path == "profile/SingletonSocket":
                break
    ours = await started(guest)
    await gone(theirs)
    assert "Chrome/" in (await ours.call("Browser.getVersion"))["product"]
    ours.sock.close()
    await gone(ours.pid)


async def test_the_end_of_the_browser_is_heard_at_once(guest, pipe):
    await pipe.call("Browser.getVersion")
    os.kill(pipe.pid, signal.SIGKILL)
    await pipe.ended()
    assert not (await guest.link.ping()).browser


async def test_the_end_of_the_connection_ends_the_browser(guest, named, pipe):
    await pipe.call("Browser.getVersion")
    pipe.sock.close()
    await gone(pipe.pid)
    assert await named("chromium", 0) == []


async def test_a_second_browser_takes_the_place_of_the_first(guest, pipe):
    await pipe.call("Browser.getVersion")
    second = await started(guest)
    await pipe.ended()
    await gone(pipe.pid)
    assert "Chrome/" in (await second.call("Browser.getVersion"))["product"]
    second.sock.close()
    await gone(second.pid)
