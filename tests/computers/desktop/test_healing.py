"""Whatever dies in a computer, or around it: the next use finds it mended, and is told."""

import asyncio
import os
import signal

import pytest
import pytest_asyncio
from shop import shop

from doer.computers.network.client import FOLDER, ProxyClient
from doer.errors import ComputerError, ToolError
from doer.records.computer import NetworkRules, Route, Spec

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]
SPEC = Spec(memory_mb=2048, disk_mb=200, processes=300)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(fleet):
    """A computer of its own: what is killed here should hurt nobody else."""
    await fleet.create("mended", SPEC)
    async with fleet.opened("mended") as desk:
        with shop() as address:
            routes = (Route(host="shop.test", to=address),)
            await desk.network.set_rules(NetworkRules(routes=routes))
            await desk.ready("browser")
            await desk.browser.open("http://shop.test/")
            view = await desk.browser.read()
            user = next(e.ref for e in view.elements if e.role == "textbox")
            await desk.browser.type(user, "Ann")
            assert (await desk.browser.press("Enter")).title == "Home"
            yield desk


async def kill(desk, pattern: str) -> None:
    """Kill processes inside by their command, and wait until they are gone."""
    done = await desk.shell.run(
        f"pkill -9 -f {pattern!r}; while pgrep -f {pattern!r} | grep -v $$ >/dev/null; do :; done",
        timeout_s=30,
    )
    assert not done.timed_out


def told(heals) -> dict[str, str]:
    return {heal.part: heal.lost for heal in heals}


async def test_nothing_is_told_when_nothing_died(desk):
    assert await desk.ready("browser") == ()
    assert await desk.ready("shell") == ()


async def test_a_dead_browser_comes_back_logged_in_with_its_tabs(desk):
    await desk.browser.open("http://shop.test/")
    await desk.ready("browser")
    await kill(desk, "/chromium/chromium .*--remote-debugging-pipe")
    heals = told(await desk.ready("browser"))
    assert "lost" in heals["browser"]
    view = await desk.browser.read()
    assert (view.url, view.title) == ("http://shop.test/", "Home")
    assert await desk.ready("browser") == ()


async def test_tabs_that_could_not_be_brought_back_are_not_forgotten(desk, monkeypatch):
    async def fail(*_: object) -> str:
        raise ComputerError("not this time")

    await kill(desk, "/chromium/chromium .*--remote-debugging-pipe")
    with monkeypatch.context() as patched:
        patched.setattr("doer.computers.browser.browser.Browser.restore", fail)
        with pytest.raises(ComputerError, match="not this time"):
            await desk.ready("browser")
    await desk.ready("browser")
    assert (await desk.browser.read()).url == "http://shop.test/"


async def test_a_call_that_is_under_way_fails_when_the_browser_dies(desk):
    await desk.ready("browser")
    never = asyncio.create_task(desk.browser.evaluate("new Promise(() => {})"))
    await kill(desk, "/chromium/chromium .*--remote-debugging-pipe")
    with pytest.raises(ComputerError):
        await never
    assert "browser" in told(await desk.ready("browser"))


async def test_a_dead_renderer_is_a_tab_loaded_again(desk):
    await desk.browser.open("http://shop.test/")
    await kill(desk, "[-]-type=renderer")
    heals = told(await desk.ready("browser"))
    assert set(heals) == {"tab"}
    assert (await desk.browser.read()).title == "Home"


async def test_a_page_that_hangs_is_brought_back(desk):
    await desk.browser.open("http://shop.test/hang")
    view = await desk.browser.read()
    with pytest.raises(ComputerError):
        await desk.browser.click(next(e.ref for e in view.elements if e.role == "button"))
    assert set(told(await desk.ready("browser"))) == {"tab"}
    assert (await desk.browser.read()).title == "Hang"


async def test_a_dead_screen_comes_back_with_the_browser(desk):
    await desk.ready("browser")
    await desk.browser.open("http://shop.test/hang")
    await desk.screen.screenshot()
    await kill(desk, "Xvnc")
    heals = dict[str, str]()
    async with asyncio.timeout(60):
        while not {"screen", "browser"} <= set(heals):  # Chromium takes its time to notice
            heals |= told(await desk.ready("browser"))
    view = await desk.browser.read()
    assert (view.url, view.title) == ("http://shop.test/hang", "Hang"), heals
    assert (await desk.screen.screenshot()).size == (1280, 800)


async def test_a_dead_window_manager_comes_back(desk):
    await kill(desk, "openbox")
    await desk.ready("screen")
    done = await desk.shell.run("until pgrep openbox; do :; done", timeout_s=30)
    assert not done.timed_out


async def test_a_dead_daemon_takes_nothing_but_what_ran(desk):
    await desk.files.write("kept.txt", "kept")
    await desk.ready("browser")
    await desk.browser.open("http://shop.test/hang")
    with pytest.raises(ComputerError):
        await desk.shell.run("kill -9 $(pgrep -f '^/usr/bin/python3 -I /opt/doer'); sleep 30")
    heals = told(await desk.ready("shell"))
    assert "its files are kept" in heals["computer"]
    assert await desk.files.read("kept.txt") == "kept"
    assert "browser" in told(await desk.ready("browser"))
    assert (await desk.browser.read()).title == "Hang"


async def test_a_paused_computer_is_not_taken_for_a_dead_one(desk, fleet, monkeypatch):
    boot = (await desk.link.ping()).boot
    await fleet.backend.pause(desk.name)
    with monkeypatch.context() as patched:
        patched.setattr("doer.computers.desktop.PING_S", 0.2)
        with pytest.raises(ComputerError, match="is paused: resume it first"):
            await desk.ready("shell")
    await fleet.backend.resume(desk.name)
    assert (await desk.link.ping(30)).boot == boot


async def test_a_dead_proxy_comes_back(desk, fleet):
    client = ProxyClient(fleet.root / FOLDER)
    async with asyncio.timeout(30):
        os.kill(await client.pid(), signal.SIGKILL)
        while True:
            try:
                await client.lost()
                await client.ping()
            except ComputerError:
                break
    assert "network" in told(await desk.ready("shell"))
    done = await desk.shell.run("curl -s http://shop.test/")
    assert "Sign in" in done.text()


async def test_a_full_disk_ends_the_writer_and_the_computer_goes_on(desk):
    fill = "for n in $(seq 100); do head -c 20000000 /dev/zero > big$n || exit 1; done"
    done = await desk.shell.run(fill, timeout_s=60)
    assert done.exit_code != 0
    assert "disk" in told(await desk.ready("shell"))
    await desk.shell.run("rm -f big*")
    await desk.files.write("after.txt", "after")
    assert await desk.files.read("after.txt") == "after"


async def test_memory_that_grows_and_grows_ends_its_process_and_nobody_elses(desk):
    grow = "x = [bytearray(b'x' * (1 << 24)) for _ in range(1000)]"
    done = await desk.shell.run(["python3", "-c", grow], timeout_s=60)
    assert done.exit_code != 0
    assert await desk.shell.run("true")


async def test_a_fork_bomb_ends_and_the_computer_goes_on(desk):
    bomb = ":(){ :|:& };:"
    await desk.shell.run(f"{bomb}; wait", timeout_s=10)
    async with asyncio.timeout(120):
        while any(bomb in one.command for one in await desk.link.processes()):
            await desk.ready("shell")
    assert (await desk.shell.run("echo well", timeout_s=60)).text() == "well"


async def test_endless_output_is_cut_and_told(desk):
    done = await desk.shell.run("yes | head -c 300000000", timeout_s=60)
    assert done.stdout.cut > 1_000_000
    assert "bytes cut" in done.text()


async def test_a_missing_file_is_told(desk):
    with pytest.raises(ToolError):
        await desk.files.read("nowhere.txt")
    with pytest.raises(ToolError):
        await desk.files.read("/etc/hosts")
