"""A Chromium with a window on a screen of its own, spoken to over one socket, as in a computer."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from doer.computers.browser import chromium
from doer.computers.browser.attach import attach
from doer.computers.browser.browser import Browser
from doer.computers.browser.cdp import Connection
from doer.computers.browser.profile import Options
from doer.errors import ComputerError
from tests.computers.conftest import Site

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(shutil.which("Xvnc") is None, reason="apt-get install tigervnc-standalone"),
]


@contextlib.asynccontextmanager
async def screen() -> AsyncGenerator[str]:
    """The name of a display with 1280x800 pixels."""
    ours, theirs = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *("Xvnc", "-displayfd", str(theirs), "-geometry", "1280x800", "-depth", "24"),
        *("-SecurityTypes", "None", "-rfbport", "-1", "-nolisten", "tcp", "-ac"),
        pass_fds=[theirs],
        stderr=asyncio.subprocess.DEVNULL,
    )
    os.close(theirs)
    try:
        async with asyncio.timeout(30):
            number = await asyncio.to_thread(os.read, ours, 16)
        yield f":{number.decode().strip()}"
    finally:
        os.close(ours)
        process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def windowed(display: str, folder: Path) -> AsyncGenerator[Connection]:
    """One socket is both descriptors of a Chromium on that display."""
    program = chromium.windowed("/tmp/profile", (1280, 800), "direct://")
    wrapped = chromium.command(folder)
    if wrapped[0] == "bwrap":  # as root
        show = ("--bind", "/tmp/.X11-unix", "/tmp/.X11-unix", "--setenv", "DISPLAY", display)
        program = [*wrapped[: wrapped.index("--")], *show, "--", *program]
    else:
        program = [word.replace("/tmp/profile", str(folder / "profile")) for word in program]
    ours, theirs = socket.socketpair()
    fd = theirs.fileno()
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", f'exec "$@" 3<&{fd} 4>&{fd}', "bash", *program),
        pass_fds=[fd],
        start_new_session=True,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "DISPLAY": display, **chromium.ENVIRONMENT},
    )
    theirs.close()
    connection = await Connection.open_socket(ours)
    try:
        await connection.call("Browser.getVersion", timeout_s=60)
        yield connection
    finally:
        connection.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def window(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Browser]:
    async with screen() as display, windowed(display, tmp_path_factory.mktemp("w")) as connection:
        yield await attach(connection, Options(downloads="/tmp/downloads"))


async def test_its_first_tab_is_taken_over(window: Browser, site: Site) -> None:
    infos = await window.profile.tabs.infos()
    assert [(info.url, info.current) for info in infos] == [("about:blank", True)]
    await window.open(site.page("<title>Shown</title><input aria-label='Name'>"))
    await window.read()
    view = await window.type(0, "Ann")
    assert (view.title, view.elements[0].value) == ("Shown", "Ann")
    width, height = await window.evaluate("[innerWidth, innerHeight]")
    assert 1200 < width <= 1280
    assert 600 < height < 800


async def test_a_click_on_a_page_that_has_just_come_is_not_lost(
    window: Browser, site: Site
) -> None:
    site.page("<title>New</title>", "/new")
    url = site.page("<a href='/new' target='_blank'>open</a>")
    tabs = window.profile.tabs
    first = tabs.number
    for _ in range(10):
        await window.open(url)
        await window.read()
        assert (await window.click(0)).title == "New"
        await tabs.close(tabs.number)
        await tabs.switch(first)


async def test_a_person_who_switches_tabs_is_followed(window: Browser, site: Site) -> None:
    tabs = window.profile.tabs
    await window.open(site.page("<title>One</title>"))
    first = tabs.number
    await tabs.open()
    await window.open(site.page("<title>Two</title>", "/two"))
    await tabs.follow()
    assert (await window.read()).title == "Two"
    target = dict(tabs.items())[first].target
    connection = window._connection  # pyright: ignore[reportPrivateUsage]
    await connection.call("Target.activateTarget", {"targetId": target})
    async with asyncio.timeout(20):
        while tabs.number != first:
            await tabs.follow()
    assert (await window.read()).title == "One"


async def test_a_person_who_closes_the_last_tab_finds_a_new_one_or_another_chromium(
    window: Browser, site: Site
) -> None:
    tabs = window.profile.tabs
    connection = window._connection  # pyright: ignore[reportPrivateUsage]
    old = tabs.items()
    try:
        async with asyncio.timeout(60):
            for _, tab in old:
                await connection.call("Target.closeTarget", {"targetId": tab.target})
            while not window.alive or tabs.items()[0] in old:
                await connection.call("Browser.getVersion")
    except ComputerError:  # Chromium was quicker to end with its last window
        assert await window.health() == "gone"
        return
    await window.open(site.page("<p>again</p>"))
    view = await window.read()
    assert view.elements[0].name == "again"
    assert {f"tab {number} was closed" for number, _ in old} <= set(view.notes)
