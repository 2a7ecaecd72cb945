"""What each part of a computer must do, run over every computer that has the part: pages alone as
training uses them, a folder alone, and a whole desktop."""

import contextlib
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
import pytest_asyncio
from docker_engine import DockerEngine
from shop import shop

from doer.computers.browser.host import BrowserHost
from doer.computers.computer import Computer
from doer.computers.docker.backend import DockerBackend
from doer.computers.docker.engine import Engine
from doer.computers.docker.image import how_to_build, image, is_built
from doer.computers.files import Folder
from doer.computers.fleet import Fleet
from doer.computers.local.backend import LocalBackend
from doer.computers.network.client import FOLDER, ProxyClient
from doer.errors import ComputerError, PartMissing, ToolError
from doer.records.computer import NetworkRules, Route, Spec
from doer.records.screen import Screenshot

WHOLE = ("shell", "files", "browser", "screen", "network")
PARTS = {
    "page": ("browser",),
    "folder": ("files",),
    "desktop": WHOLE,
    "docker": WHOLE,
    "small_engine": WHOLE,
}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="module"),
]


@contextlib.asynccontextmanager
async def page(folder, address):
    async with await BrowserHost.start() as host:
        browser = await host.new_browser()
        yield Computer(browser=browser), f"http://{address}/"
        await browser.close()


@contextlib.asynccontextmanager
async def only_files(folder, address):
    (folder / "home").mkdir()
    files = Folder(folder / "home")
    yield Computer(files=files), ""
    files.close()


@contextlib.asynccontextmanager
async def desktop(folder, address):
    need_programs()
    root = folder / "computers"
    async with whole(LocalBackend(root), root, address) as made:
        yield made


@contextlib.asynccontextmanager
async def docker(folder, address):
    try:
        engine = Engine()
        if not is_built(engine, image()):
            pytest.skip(f"build the image first: {how_to_build(engine.kind().command)}")
    except ComputerError as none:
        pytest.skip(str(none))
    root = folder / "computers"
    async with whole(DockerBackend(root), root, address) as made:
        yield made


@contextlib.asynccontextmanager
async def small_engine(folder, address):
    """Containers, made by an engine of our own."""
    need_programs()
    root = folder / "computers"
    with tempfile.TemporaryDirectory(prefix="doer-engine-") as place:
        engine = DockerEngine(Path(place, "engine.sock"), {image()})
        try:
            async with whole(DockerBackend(root, engine.environ), root, address) as made:
                yield made
        finally:
            engine.close()


def need_programs():
    for program in ("bwrap", "Xvnc", "openbox"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: `make setup` does")


@contextlib.asynccontextmanager
async def whole(backend, root, address):
    fleet = Fleet(backend, root)
    rules = NetworkRules(routes=(Route(host="shop.test", to=address),))
    await fleet.create("one", Spec(memory_mb=2048, network=rules))
    async with fleet.opened("one") as desk:
        yield desk, "http://shop.test/"
    await fleet.remove("one")
    with contextlib.suppress(ComputerError):
        os.kill(await ProxyClient(root / FOLDER).pid(), signal.SIGTERM)


MAKERS = {
    "page": page,
    "folder": only_files,
    "desktop": desktop,
    "docker": docker,
    "small_engine": small_engine,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=PARTS)
async def made(request, tmp_path_factory):
    """Its name, the computer, and the address under which it reaches the shop."""
    with shop() as address:
        folder = tmp_path_factory.mktemp(request.param)
        async with MAKERS[request.param](folder, address) as (computer, url):
            yield request.param, computer, url


@pytest_asyncio.fixture(loop_scope="module")
async def part(made, request):
    """The computer with the part that the test's name begins with ready; skipped without it."""
    name, computer, url = made
    wanted = request.node.originalname.split("_")[1]
    if wanted not in PARTS[name]:
        pytest.skip(f"a {name} has no {wanted}")
    await computer.ready(wanted)
    return computer, url


async def test_parts_are_there_or_clearly_missing(made):
    name, computer, _ = made
    assert set(computer.parts) == set(PARTS[name])
    for part in PARTS["desktop"]:
        if part in computer.parts:
            assert await computer.ready(part) == ()
            assert getattr(computer, part) is not None
        else:
            with pytest.raises(PartMissing, match=part):
                await computer.ready(part)
            with pytest.raises(PartMissing, match=part):
                getattr(computer, part)


async def test_files_hold_what_is_written(part):
    computer, _ = part
    await computer.files.write("notes/a b.txt", "ä\nb")
    assert await computer.files.read("notes/a b.txt") == "ä\nb"
    assert "notes/a b.txt" in await computer.files.list()
    await computer.files.write("notes/a b.txt", "")
    assert await computer.files.read("notes/a b.txt") == ""


@pytest.mark.parametrize("path", ["nowhere.txt", "/etc/passwd", "../x", "a/../../x", ""])
async def test_files_are_those_of_the_home_only(part, path):
    computer, _ = part
    with pytest.raises(ToolError):
        await computer.files.read(path)
    if path != "nowhere.txt":
        with pytest.raises(ToolError):
            await computer.files.write(path, "x")


async def signed_out(computer, url):
    await computer.browser.open(url)
    return {e.role: e.ref for e in (await computer.browser.read()).elements}


async def test_browser_acts_by_reference_and_shows_what_became_of_it(part):
    computer, url = part
    refs = await signed_out(computer, url)
    view = await computer.browser.type(refs["textbox"], "Ann")
    assert [e.value for e in view.elements if e.role == "textbox"] == ["Ann"]
    button = next(e.ref for e in view.elements if e.role == "button")
    view = await computer.browser.click(button)
    assert view.title == "Home"
    assert any(e.name == "Welcome Ann" for e in view.elements)


async def test_browser_refuses_references_that_lead_nowhere(part):
    computer, url = part
    await computer.browser.open(f"{url}hang")
    await computer.browser.read()
    with pytest.raises(ToolError):
        await computer.browser.click(999)
    stale = (await computer.browser.read()).elements[-1].ref
    await computer.browser.evaluate("document.querySelector('button').remove()")
    with pytest.raises(ToolError):
        await computer.browser.click(stale)
    assert (await computer.browser.read()).title == "Hang"


@pytest.mark.parametrize("url", ["chrome://settings", "javascript:1", "nonsense", "http://[/"])
async def test_browser_opens_web_addresses_only(part, url):
    computer, _ = part
    with pytest.raises(ToolError):
        await computer.browser.open(url)
    assert (await computer.browser.read()).url


async def test_browser_takes_pictures(part):
    computer, url = part
    await computer.browser.open(url)
    assert (await computer.browser.screenshot()).startswith(b"\xff\xd8")


async def test_shell_runs_commands_and_ends_them(part):
    computer, _ = part
    done = await computer.shell.run("echo out; echo err >&2; exit 3")
    assert (done.exit_code, done.stdout.kept, done.stderr.kept) == (3, b"out\n", b"err\n")
    done = await computer.shell.run("sleep 1000 & sleep 1000", timeout_s=1)
    assert done.timed_out
    left = await computer.shell.run(["pgrep", "sleep"])
    assert left.exit_code == 1


async def test_screen_shows_itself(part):
    computer, _ = part
    shot = await computer.screen.act([Screenshot()])
    assert shot.size == (1280, 800)


async def test_network_rules_hold_at_once(part):
    computer, _ = part
    before = computer.network.rules
    await computer.network.set_rules(NetworkRules())
    asked = "curl -s -o /dev/null -w '%{http_code}' http://shop.test/"
    assert (await computer.shell.run(asked)).stdout.kept == b"403"
    await computer.network.set_rules(before)
    assert (await computer.shell.run(asked)).stdout.kept == b"200"
