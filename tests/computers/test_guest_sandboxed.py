"""The daemon where it belongs: in the sandbox of the local backend, as the user `agent`."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from functools import partial

import pytest
import pytest_asyncio

from doer.computers.home import Home
from doer.computers.link import Link
from doer.computers.local.backend import LocalBackend
from doer.computers.shell import Shell
from doer.computers.terminal import Terminals
from doer.errors import ToolError
from doer.records.computer import Spec

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def link(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Link]:
    backend = LocalBackend(tmp_path_factory.mktemp("sandboxed") / "computers")
    if not (await backend.probe()).works:
        pytest.skip("this machine cannot run the local backend; `doer doctor` says why")
    await backend.create("one", Spec(memory_mb=1024, processes=200, disk_mb=256))
    try:
        await backend.start("one")
        yield Link(partial(backend.dial, "one"))
    finally:
        await backend.destroy("one")


async def test_commands_are_the_agents_in_its_home(link):
    result = await Shell(link).run("id -un; id -u; pwd; touch mine; ls")
    assert result.stdout.text() == "agent\n1000\n/home/agent\nmine\n"
    assert result.stderr.total == 0


async def test_a_terminal_has_job_control(link):
    terminals = Terminals(link)
    await terminals.open("a", ["bash", "--norc", "--noprofile", "-i"], env={"PS1": "ready> "})
    await terminals.read("a", until="ready> $", timeout_s=30)
    await terminals.write("a", "tty; set -o | grep monitor\n")
    text = (await terminals.read("a", until="ready> $", timeout_s=30)).text()
    assert "/dev/pts/" in text
    assert "monitor        \ton" in text
    assert "no job control" not in text
    await terminals.close("a")


async def test_the_home_is_one_for_shell_and_host(link):
    home = Home(link)
    await home.write("notes/a.txt", "from the host")
    result = await Shell(link).run("cat notes/a.txt; echo from inside > notes/b.txt")
    assert result.stdout.kept == b"from the host"
    assert await home.read("/home/agent/notes/b.txt") == "from inside\n"
    with pytest.raises(ToolError, match="outside the home"):
        await home.read("/etc/passwd")


async def test_a_fork_bomb_holds_up_nobody_and_leaves_nothing(link):
    shell = Shell(link)
    bomb = asyncio.create_task(shell.run(":(){ :|:& };:; sleep 1000", timeout_s=3))
    assert (await link.ping(timeout_s=20)).pids > 0
    assert (await bomb).timed_out
    assert (await shell.run("echo alive")).stdout.kept == b"alive\n"
    there = await link.processes()
    assert not [one for one in there if one.name in ("bash", "sleep") and one.state != "Z"]


async def test_a_full_disk_is_told_and_the_computer_goes_on(link):
    shell, home = Shell(link), Home(link)
    result = await shell.run("head -c 1000M /dev/zero > big; ls -s big | cut -d' ' -f1")
    assert result.stderr.total > 0  # it was stopped, by the quota or by the limit on files
    assert (await shell.run("rm big && echo gone")).stdout.kept == b"gone\n"
    await home.write("after.txt", "x")
    assert await home.read("after.txt") == "x"


async def test_the_browser_runs_on_the_screen_in_its_own_sandbox(link):
    argv = ["/usr/lib/chromium/chromium", "--remote-debugging-pipe", "--no-first-run"]
    argv += ["--disable-gpu", "--user-data-dir=/home/agent/profile", "about:blank"]
    _, pipe = await link.browser(argv, "profile")
    loop = asyncio.get_running_loop()
    with pipe:
        async with asyncio.timeout(60):
            await loop.sock_sendall(pipe, b'{"id":1,"method":"Target.getTargets"}\0')
            data = b""
            while not data.endswith(b"\0"):
                data += await loop.sock_recv(pipe, 1 << 16)
        assert b"about:blank" in data
        there = await link.processes()
        (renderer, *_) = [one.pid for one in there if "--type=renderer" in one.command]
        # One filter of system calls is the computer's, the second Chromium's own.
        filters = await Shell(link).run(f"grep Seccomp_filters /proc/{renderer}/status")
        assert int(filters.stdout.text().split()[1]) >= 2
        assert not [one for one in there if "--no-sandbox" in one.command]
