"""Tabs, pop-ups, history, dialogs, PDFs and logins of a whole profile, in a real Chromium."""

import pytest

from doer.computers.browser.attach import attach
from doer.computers.browser.browser import Browser
from doer.computers.browser.chromium import start
from doer.computers.browser.host import BrowserHost
from doer.computers.browser.profile import Options
from doer.errors import ComputerError, PartMissing, ToolError
from tests.computers.conftest import Site

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


async def urls(browser: Browser) -> list[tuple[str, bool]]:
    return [(info.url, info.current) for info in await browser.profile.tabs.infos()]


async def test_tabs_are_opened_switched_and_closed(profile: Browser, site: Site) -> None:
    tabs = profile.profile.tabs
    one, two = site.page("<title>One</title><b>one"), site.page("<title>Two</title><b>two", "/two")
    await profile.open(one)
    first = tabs.number
    await tabs.open()
    await profile.open(two)
    second = tabs.number
    assert (await profile.read()).title == "Two"
    infos = await tabs.infos()
    assert [(i.number, i.title, i.url, i.current) for i in infos] == [
        (first, "One", one, False),
        (second, "Two", two, True),
    ]
    await tabs.switch(first)
    with pytest.raises(ToolError, match="is not the current one any more: read the page"):
        await profile.click(0)
    assert (await profile.read()).title == "One"
    with pytest.raises(ToolError, match=rf"no tab 999; there are: {first}, {second}"):
        await tabs.switch(999)
    await tabs.close(first)
    assert (await profile.read()).title == "Two"
    await tabs.close(second)
    assert await urls(profile) == [("about:blank", True)]
    assert profile.alive


async def test_a_window_that_a_page_opens_is_followed(profile: Browser, site: Site) -> None:
    site.page("<title>New</title><button onclick='window.close()'>close me</button>", "/new")
    await profile.open(site.page("<a href='/new' target='_blank' rel='opener'>open</a>"))
    await profile.read()
    old = profile.profile.tabs.number
    view = await profile.click(0)
    new = profile.profile.tabs.number
    assert (view.title, new != old) == ("New", True)
    assert view.notes == (f"the page opened a new tab, {new}, which is the current one now",)
    view = await profile.click(0)
    if view.title:  # it was read just before it went
        view = await profile.read()
    assert profile.profile.tabs.number == old
    assert view.elements[0].name == "open"


async def test_many_windows_are_capped(profile: Browser, site: Site) -> None:
    tabs = profile.profile.tabs
    site.page("<p>popup</p>", "/popup")
    await profile.open(site.page("<button>start</button>"))
    for _ in range(20):  # what a page does by itself is blocked, so Chromium is asked
        params = {"url": site.origin + "/popup"}
        profile._connection.send("Target.createTarget", params)  # pyright: ignore[reportPrivateUsage]
    await profile._connection.call("Browser.getVersion", timeout_s=60)  # pyright: ignore[reportPrivateUsage]
    view = await profile.read()
    assert len(tabs.items()) == 10
    assert any("a new window was closed at once: 10 tabs are open" in note for note in view.notes)
    assert view.elements[0].name == "start"
    with pytest.raises(ToolError, match="10 tabs already: close one first"):
        await tabs.open()


async def test_a_page_that_opens_windows_by_itself_is_noted(profile: Browser, site: Site) -> None:
    script = "for (let n = 0; n < 200; n++) open('/popup')"
    await profile.open(site.page(f"<script>{script}</script><p>text</p>"))
    view = await profile.read()
    url = f"{site.origin}/popup"
    blocked = f"the page tried to open a window by itself, which is blocked: {url} (200 times)"
    assert view.notes == (blocked,)
    assert len(profile.profile.tabs.items()) == 1


async def test_a_page_of_a_training_context_has_no_tabs(browser: Browser) -> None:
    with pytest.raises(PartMissing, match="it has no tabs"):
        _ = browser.profile


async def test_back_forward_and_reload(profile: Browser, site: Site) -> None:
    await profile.profile.tabs.open()
    site.page("<title>Two</title><a href='#part'>part</a>", "/two")
    await profile.open(site.page("<title>One</title><a href='/two'>go</a>"))
    await profile.read()
    await profile.click(0)
    await profile.click(0)
    assert (await profile.back()).url.endswith("/two")
    assert (await profile.back()).title == "One"
    view = await profile.forward()
    assert view.title == "Two"
    assert (await profile.forward()).url.endswith("#part")
    with pytest.raises(ToolError, match="no page after this one"):
        await profile.forward()
    site.page("<title>Newer</title>", "/two")
    assert (await profile.reload()).title == "Newer"


async def test_a_question_waits_for_its_answer(profile: Browser, site: Site) -> None:
    html = """<button onclick="alert('Careful'); out.textContent = confirm('Really?')">ask</button>
    <button onclick="out.textContent = prompt('Name?', 'Ann')">prompt</button><p id="out">-</p>"""
    await profile.open(site.page(html))
    await profile.read()
    view = await profile.click(0)
    assert view.elements == ()
    assert view.notes == (
        'the page waits with a dialog, confirm "Really?": answer it first',
        'the page showed a dialog, alert "Careful": accepted',
    )
    assert (await profile.read()).notes[0].startswith("the page waits with a dialog")
    with pytest.raises(ToolError, match=r'a dialog, confirm "Really\?": answer it'):
        await profile.press("Enter")
    view = await profile.dialog(accept=True)
    assert view.elements[-1].name == "true"
    assert view.notes == ('the page showed a dialog, confirm "Really?": accepted',)
    view = await profile.click(1)
    assert 'prompt "Name?", with "Ann" filled in' in view.notes[0]
    assert (await profile.dialog(True, "Bob")).elements[-1].name == "Bob"
    await profile.click(1)
    assert (await profile.dialog(False)).elements[-1].name == "prompt"
    with pytest.raises(ToolError, match="shows no dialog"):
        await profile.dialog(True)


async def test_a_question_is_declined_when_its_page_is_left(profile: Browser, site: Site) -> None:
    url = site.page("<button onclick=\"confirm('Really?')\">ask</button>")
    site.page("<p>elsewhere</p>", "/elsewhere")
    await profile.open(url)
    await profile.read()
    await profile.click(0)
    await profile.open(f"{site.origin}/elsewhere")
    view = await profile.read()
    assert view.elements[0].name == "elsewhere"
    assert view.notes == ('the page showed a dialog, confirm "Really?": declined',)


async def test_a_page_that_asks_while_it_loads(profile: Browser, site: Site) -> None:
    await profile.open(site.page("<script>x = prompt('Code?')</script><p>after</p>"))
    assert "Code?" in (await profile.read()).notes[0]
    assert (await profile.dialog(True, "7")).elements[0].name == "after"
    assert await profile.evaluate("x") == "7"


async def test_a_page_of_endless_alerts_is_given_up(host: BrowserHost, site: Site) -> None:
    browser = await host.new_browser(action_s=60)
    await browser.open(site.page("<button onclick=\"while (true) alert('again')\">go</button>"))
    await browser.read()
    with pytest.raises(ComputerError, match="the page shows dialogs without end"):
        await browser.click(0)
    assert not browser.alive
    await browser.close()


async def test_an_alert_now_and_then_is_no_fault(browser: Browser, site: Site) -> None:
    html = "<button onclick='for (let n = 0; n < 30; n++) alert(1)'>thirty</button>"
    await browser.open(site.page(html))
    await browser.read()
    for _ in range(2):
        view = await browser.click(0)
        assert view.notes == ('the page showed a dialog, alert "1": accepted (30 times)',)


async def test_a_pdf_is_said_to_be_one(profile: Browser, site: Site) -> None:
    body = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]" + (
        b"/Count 0>>endobj trailer<</Root 1 0 R>>"
    )
    site.files["/paper.pdf"] = ("application/pdf", body)
    await profile.open(f"{site.origin}/paper.pdf")
    view = await profile.read()
    said = f"this is a PDF of {len(body)} bytes: read it with the text view"
    assert (view.url, view.notes) == (f"{site.origin}/paper.pdf", (said,))


async def test_logins(site: Site) -> None:
    chromium = await start()
    known: dict[str, tuple[str, str]] = {}
    browser = await attach(chromium.connection, Options(credentials=known.get))
    try:
        site.passwords["/private"] = "ann:secret"
        url = site.page("<p>for Ann</p>", "/private")
        asks = f'{site.origin} asks for a user name and password ("R")'
        await browser.open(url)
        view = await browser.read()
        assert view.notes == (f"{asks}: none is known for it",)
        assert view.elements[0].name == "not for you"
        known[site.origin] = ("ann", "wrong")
        await browser.open(url)
        view = await browser.read()
        assert f"{asks}: what is known was refused" in view.notes
        sent = len(site.asked)
        await browser.open(url)
        assert len(site.asked) == sent + 1  # without a password: the wrong one is not tried again
        await browser.read()
        known[site.origin] = ("ann", "secret")
        await browser.open(url)
        view = await browser.read()
        assert view.elements[0].name == "for Ann"
        assert view.notes == (f'{site.origin} asked for a user name and password ("R"): sent',)
        site.page("<p>open to all</p>")
        await browser.open(f"{site.origin}/")
        assert (await browser.read()).elements[0].name == "open to all"
    finally:
        await chromium.close()
