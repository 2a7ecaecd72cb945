"""Chromium's process: how it starts, and that nothing of it stays behind."""

import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from doer.computers.browser.chromium import DEBIAN
from doer.computers.browser.host import BrowserHost
from doer.errors import ComputerError

pytestmark = pytest.mark.slow

Descendants = Callable[[int], dict[int, str]]


def gone(pids: list[int], within_s: float) -> bool:
    """Whether all these processes end in time."""
    end = time.monotonic() + within_s
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if not select.select([fd], [], [], max(end - time.monotonic(), 0))[0]:
                return False
        finally:
            os.close(fd)
    return True


@pytest.fixture
def short_folder() -> Iterator[str]:
    """A folder with a short path: Chromium puts a socket there, whose path is limited."""
    with tempfile.TemporaryDirectory(prefix="d-", ignore_cleanup_errors=True) as folder:
        yield folder


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_closing_leaves_no_process_and_no_file(
    descendants: Descendants, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = descendants(os.getpid())
    host = await BrowserHost.start()
    await host.new_browser()
    started = [pid for pid in descendants(os.getpid()) if pid not in before]
    assert started
    assert files_in(tmp_path)
    await host.close()
    assert gone(started, within_s=5)
    assert files_in(tmp_path) == []
    with pytest.raises(ComputerError, match="closed"):
        await host.new_browser()
    await host.close()


PARENT = """
import asyncio, sys
from doer.computers.browser.host import BrowserHost

async def main():
    async with await BrowserHost.start(), await BrowserHost.start() as host:
        browser = await host.new_browser(action_s=60)
        print("ready", flush=True)
        await browser.evaluate(sys.argv[1])

asyncio.run(main())
"""
BARE = {"PATH": "/nowhere", "DOER_CHROMIUM": DEBIAN}
"""Without bubblewrap on the path."""


@pytest.mark.parametrize("script", ["new Promise(() => {})", "while (true);"])
@pytest.mark.parametrize("environment", [{}, BARE], ids=["as it is", "bare"])
def test_chromium_does_not_outlive_a_killed_parent(
    descendants: Descendants, short_folder: str, script: str, environment: dict[str, str]
) -> None:
    program = [sys.executable, "-c", PARENT, script]
    environment = {**os.environ, "TMPDIR": short_folder, **environment}
    with subprocess.Popen(program, stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        started = descendants(parent.pid)
        assert any("--type=renderer" in command for command in started.values())
        parent.kill()
    assert gone(list(started), within_s=10)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's Chromium has its own sandbox")
def test_root_without_bubblewrap_is_warned_once(short_folder: str) -> None:
    program = [sys.executable, "-c", PARENT, "1"]
    environment = {**os.environ, "TMPDIR": short_folder, **BARE}
    done = subprocess.run(program, capture_output=True, text=True, env=environment, check=True)
    assert done.stderr.count("WITHOUT its sandbox") == 1


async def test_a_missing_chromium_is_said_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOER_CHROMIUM", "/nowhere/chromium")
    with pytest.raises(ComputerError, match="DOER_CHROMIUM=/nowhere/chromium is not a program"):
        await BrowserHost.start()
    monkeypatch.delenv("DOER_CHROMIUM")
    monkeypatch.setattr("doer.computers.browser.chromium.DEBIAN", "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ComputerError, match="apt-get install chromium"):
        await BrowserHost.start()


async def test_a_chromium_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOER_CHROMIUM", "/bin/false")
    with pytest.raises(ComputerError, match="Chromium did not start"):
        await BrowserHost.start()
