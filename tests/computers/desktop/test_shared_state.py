"""One computer, one state: what is done in one part holds in the others."""

import pytest
import pytest_asyncio
from shop import REPORT, shop

from doer.computers.text.view import render
from doer.errors import ToolError
from doer.records.computer import NetworkRules, Route
from doer.records.screen import Click, Keypress, Type
from doer.tools.browser import OPEN, Open
from doer.tools.tool import ToolContext

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shopping(desk):
    """A computer that reaches a shop on the host by a name of its own, and nothing else."""
    with shop() as address:
        routes = (Route(host="shop.test", to=address),)
        await desk.network.set_rules(NetworkRules(mode="off", routes=routes))
        await desk.ready("browser")
        yield desk


async def middle(desk, name: str) -> tuple[int, int]:
    """Where on the screen an element of the page is."""
    view = await desk.browser.read()
    x, y, width, height = next(e.box for e in view.elements if e.name == name)
    left, top = await desk.browser.evaluate(
        "[screenX + (outerWidth - innerWidth) / 2, screenY + outerHeight - innerHeight]"
    )
    return round(left + x + width / 2), round(top + y + height / 2)


async def test_a_file_made_in_the_shell_opens_in_the_browser(shopping):
    await shopping.shell.run("echo '<h1>from the shell</h1>' > note.html")
    await shopping.browser.open("file:///home/agent/note.html")
    view = await shopping.browser.read()
    assert [e.name for e in view.elements] == ["from the shell"]


async def test_a_login_on_the_screen_holds_in_the_text_view_and_not_in_curl(shopping):
    await shopping.browser.open("http://shop.test/")
    x, y = await middle(shopping, "User")
    await shopping.screen.act(
        [Click(x=x, y=y, button="left"), Type(text="Ann"), Keypress(keys=("ENTER",))]
    )
    view = await shopping.browser.read()
    assert view.title == "Home"

    text = render(await shopping.reader.fetch("http://shop.test/"))
    assert "Welcome Ann" in text

    asked = await shopping.shell.run("curl -s http://shop.test/")
    assert "Sign in" in asked.text()
    (cookie,) = await shopping.browser.cookies()
    handed = f"curl -s -b 'user={cookie['value']}' http://shop.test/"
    assert "Welcome Ann" in (await shopping.shell.run(handed)).text()


async def test_reading_out_of_sight_leaves_the_tabs_alone(shopping):
    await shopping.browser.open("http://shop.test/")
    number = shopping.browser.profile.tabs.number
    await shopping.reader.fetch("http://shop.test/hang")
    infos = await shopping.browser.profile.tabs.infos()
    assert not any(info.url.endswith("/hang") for info in infos)
    assert [info.number for info in infos if info.current] == [number]
    assert (await shopping.browser.read()).url == "http://shop.test/"


async def test_a_download_lies_in_the_shell(shopping):
    await shopping.browser.open("http://shop.test/")
    view = await shopping.browser.read()
    if view.title == "Sign in":
        await shopping.browser.type(next(e.ref for e in view.elements if e.role == "textbox"), "Bo")
        view = await shopping.browser.press("Enter")
    view = await shopping.browser.click(next(e.ref for e in view.elements if e.name == "Report"))
    assert any("report.bin" in note for note in view.notes)
    done = await shopping.shell.run(
        "sha256sum < ~/Downloads/report.bin; wc -c ~/Downloads/report.bin"
    )
    assert str(len(REPORT)) in done.text()


async def test_the_same_name_is_reached_by_https(shopping):
    await shopping.browser.open("https://shop.test/")
    assert (await shopping.browser.read()).title in ("Sign in", "Home")
    assert (await shopping.shell.run("curl -s https://shop.test/")).exit_code == 0


async def test_other_hosts_are_not_reached(shopping):
    done = await shopping.shell.run("curl -s -o /dev/null -w '%{http_code}' http://example.com/")
    assert done.text() == "403"


async def test_the_agent_is_told_why_a_host_is_not_reached(shopping):
    with pytest.raises(ToolError, match=r"example\.com"):
        await OPEN.run(ToolContext(shopping), Open(url="https://example.com/"))
    (line,) = shopping.network.requests(1)
    assert (line.host, line.verdict) == ("example.com", "denied")


async def test_a_server_of_the_agents_own_is_seen_in_its_browser(shopping):
    await shopping.shell.run(
        "echo '<h1>mine</h1>' > index.html; python3 -m http.server 8123 >/dev/null 2>&1 & "
        "until curl -s localhost:8123 >/dev/null; do :; done",
        timeout_s=30,
    )
    await shopping.browser.open("http://localhost:8123/")
    assert [e.name for e in (await shopping.browser.read()).elements] == ["mine"]
