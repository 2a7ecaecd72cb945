"""Folders beside the home of a local computer: written, kept, and never led astray."""

import os
import shutil
import signal

import pytest
import pytest_asyncio

from doer.computers.fleet import Fleet
from doer.computers.local.backend import LocalBackend
from doer.computers.network.client import FOLDER, ProxyClient
from doer.errors import ComputerError
from doer.records.computer import Spec

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]
SPEC = Spec(memory_mb=512, folders=("/app", "/var/www"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(tmp_path_factory):
    root = tmp_path_factory.mktemp("beside") / "computers"
    fleet = Fleet(LocalBackend(root), root)
    await fleet.create("one", SPEC)
    yield fleet
    for name in fleet.names():
        await fleet.remove(name)
    os.kill(await ProxyClient(root / FOLDER).pid(), signal.SIGTERM)


async def run(fleet: Fleet, name: str, script: str) -> str:
    async with fleet.opened(name) as desk:
        await desk.ready("shell")
        return (await desk.shell.run(script)).text()


async def test_what_is_written_there_is_kept_by_snapshots_forks_and_archives(fleet, tmp_path):
    await run(fleet, "one", "echo a > /app/file; mkdir /var/www/in; echo b > /var/www/in/file")
    async with fleet.opened("one") as desk:
        kept = await fleet.snapshot(desk)
        await run(fleet, "one", "echo changed > /app/file")
        await fleet.fork(desk, "fork")
    await fleet.create("again", snapshot=kept.id)
    await fleet.export("one", tmp_path / "one.tar.gz")
    await fleet.import_from(tmp_path / "one.tar.gz", "imported")
    show = "cat /app/file /var/www/in/file"
    assert await run(fleet, "again", show) == "a\nb"
    assert await run(fleet, "fork", show) == await run(fleet, "imported", show) == "changed\nb"
    await fleet.backend.stop("one")
    assert await run(fleet, "one", show) == "changed\nb"


async def test_nothing_else_of_the_root_can_be_written(fleet):
    said = await run(fleet, "one", "touch /x; touch /var/x; mkdir /app2; touch /app/x && echo made")
    assert said.count("Read-only file system") == 3
    assert "made" in said


async def test_a_link_planted_in_the_place_of_one_leads_nowhere(fleet):
    await fleet.create("wild", SPEC)
    await run(fleet, "wild", "cd ~/.folders && rmdir app && ln -s /tmp/computer/host app")
    await fleet.backend.stop("wild")
    with pytest.raises(ComputerError, match="could not be started"):
        await fleet.backend.start("wild")


async def test_a_folder_of_the_system_is_refused(fleet):
    with pytest.raises(ComputerError, match="belongs to the system"):
        await fleet.create("bad", Spec(folders=("/etc/x",)))
    assert "bad" not in fleet.names()
