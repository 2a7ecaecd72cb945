"""Snapshots, forks and archives hold files, logins, tabs and where shells stood."""

import pytest
import pytest_asyncio
from shop import shop

from doer.computers.pool import WarmPool
from doer.errors import ComputerError
from doer.records.computer import NetworkRules, Route, Spec

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(fleet):
    """A computer at work: a file, a login, a note half written, a shell somewhere."""
    with shop() as address:
        rules = NetworkRules(routes=(Route(host="shop.test", to=address),))
        await fleet.create("parent", Spec(memory_mb=2048, network=rules))
        async with fleet.opened("parent") as desk:
            await desk.ready("browser")
            await desk.files.write("work/a.txt", "before")
            await desk.terminals.open("main")
            await desk.terminals.write("main", "cd work; export COLOUR=blue; echo $((6 * 7))\n")
            await desk.terminals.read("main", until=r"42\r\n.*\$ $", timeout_s=30)
            await desk.browser.open("http://shop.test/")
            view = await desk.browser.read()
            user = next(e.ref for e in view.elements if e.role == "textbox")
            await desk.browser.type(user, "Ann")
            view = await desk.browser.press("Enter")
            note = next(e.ref for e in view.elements if e.role == "textbox")
            await desk.browser.type(note, "half a note")
            yield desk


async def is_like_before(desk) -> None:
    await desk.ready("browser")
    assert await desk.files.read("work/a.txt") == "before"
    view = await desk.browser.read()
    assert (view.url, view.title) == ("http://shop.test/", "Home")
    assert [e.value for e in view.elements if e.role == "textbox"] == ["half a note"]
    assert int(await desk.browser.evaluate("localStorage.visits")) >= 2
    await desk.terminals.open("main")
    await desk.terminals.write("main", "echo at $PWD $COLOUR\n")
    seen = await desk.terminals.read("main", until="at /.*\r\n", timeout_s=30)
    assert "at /home/agent/work blue" in seen.text()


async def test_a_fork_has_it_all_and_is_independent(desk, fleet):
    await fleet.fork(desk, "child")
    async with fleet.opened("child") as child:
        await is_like_before(child)
        await child.files.write("work/a.txt", "changed by the child")
        assert await desk.files.read("work/a.txt") == "before"
        await desk.files.write("b.txt", "made by the parent later")
        assert "b.txt" not in await child.files.list()
    await fleet.remove("child")
    assert (await desk.browser.read()).title == "Home"


async def test_a_snapshot_starts_any_number_and_is_gone_back_to(desk, fleet):
    kept = await fleet.snapshot(desk)
    assert kept in fleet.snapshots.all()
    await desk.files.write("work/a.txt", "after")
    await fleet.create("second", snapshot=kept.id)
    async with fleet.opened("second") as second:
        await is_like_before(second)
        await second.files.write("work/a.txt", "spoilt")
    await fleet.restore("second", kept.id)
    async with fleet.opened("second") as second:
        await is_like_before(second)
    await fleet.remove("second")
    await fleet.forget(kept.id)
    with pytest.raises(ComputerError, match="there is no snapshot"):
        await fleet.create("third", snapshot=kept.id)
    await desk.files.write("work/a.txt", "before")


async def test_a_computer_goes_on_with_its_next_user(desk, fleet):
    """What was left open is found again, though all of it was stopped meanwhile."""
    await desk.close()
    await fleet.backend.stop("parent")
    await is_like_before(desk)


async def test_an_archive_holds_the_files(desk, fleet, tmp_path):
    await fleet.export("parent", tmp_path / "parent.tar.gz")
    await fleet.import_from(tmp_path / "parent.tar.gz", "carried")
    async with fleet.opened("carried") as carried:
        await carried.ready("shell")
        assert await carried.files.read("work/a.txt") == "before"
        assert carried.network.rules.mode == "off"
    await fleet.remove("carried")


async def test_a_warm_computer_adopts_a_browser(desk, fleet):
    await desk.ready("browser")
    spec = Spec(memory_mb=1024, network=desk.network.rules)
    async with WarmPool(fleet, 1, spec=spec) as pool:
        warm = await pool.take()
        await warm.adopt(await desk.browser.state())
        view = await warm.browser.read()
        assert (view.url, view.title) == ("http://shop.test/", "Home")
        assert [e.value for e in view.elements if e.role == "textbox"] == ["half a note"]
        await warm.abandon()
        assert "browser" not in {heal.part for heal in await warm.ready("browser")}
        assert (await warm.browser.read()).title == "Home"  # it was remembered
        await warm.abandon()
        await fleet.remove(warm.name)


async def test_a_pool_hands_out_computers_that_run(fleet):
    async with WarmPool(fleet, 1, spec=Spec(memory_mb=1024)) as pool:
        desk = await pool.take()
        assert (await desk.browser.read()).url == "about:blank"
        await desk.abandon()
        await fleet.remove(desk.name)
    assert not [name for name in fleet.names() if name.startswith("warm-")]
