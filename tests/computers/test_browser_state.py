"""What is carried from one Chromium into another, in two real ones."""

from collections.abc import AsyncGenerator

import msgspec
import pytest
import pytest_asyncio

from doer.computers.browser.attach import attach
from doer.computers.browser.browser import Browser
from doer.computers.browser.chromium import start
from doer.computers.browser.profile import Options
from doer.computers.browser.state import BrowserState
from tests.computers.conftest import Site

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

FORM = """<title>Form</title><input name="a"><input name="b" value="old">
<textarea name="c"></textarea>
<input type="password" name="p"><input type="checkbox" name="d"><select name="e"><option>one
<option>two</select><input type="hidden" name="h"><div style="height: 3000px"></div>
<script>document.title = localStorage.who + " " + sessionStorage.what</script>"""
VALUES = """[...document.querySelectorAll("input, select, textarea")]
.map((e) => e.type === "checkbox" ? e.checked : e.value)"""


@pytest_asyncio.fixture(loop_scope="module")
async def another() -> AsyncGenerator[Browser]:
    """A browser of a Chromium that nobody has used."""
    chromium = await start()
    yield await attach(
        chromium.connection, Options(viewport=(800, 600), credentials=lambda _: None)
    )
    await chromium.close()


async def test_a_state_is_carried_over(profile: Browser, another: Browser, site: Site) -> None:
    tabs = profile.profile.tabs
    url = site.page("<script>document.cookie = 'who=ann; max-age=1000'</script><p>first</p>")
    await profile.open(url)
    await tabs.open()
    form = site.page(FORM, "/form")
    await profile.open(form)
    await profile.evaluate("localStorage.who = 'Ann', sessionStorage.what = 'things'")
    await profile.read()
    for ref, text in ((0, "<b>\"'"), (1, ""), (2, "two\nlines"), (3, "secret")):
        await profile.type(ref, text)
    await profile.click(4)
    await profile.select(5, "two")
    await profile.evaluate("scrollTo(0, 500)")
    await tabs.open()
    await profile.open(site.page("<p>third</p>", "/third"))
    await tabs.switch(tabs.items()[1][0])
    state = await profile.state()
    written = msgspec.json.encode(state)
    assert b"secret" not in written
    told = await another.restore(msgspec.json.decode(written, type=BrowserState))
    assert (
        told == "3 of 3 tabs and 1 cookies came back; 5 of 5 changed form fields were filled again"
    )
    infos = await another.profile.tabs.infos()
    assert [(i.url, i.current) for i in infos] == [
        (url, False),
        (form, True),
        (f"{site.origin}/third", False),
    ]
    view = await another.read()
    assert view.title == "Ann things"
    values = ["<b>\"'", "", "two\nlines", "", True, "two", ""]
    assert await another.evaluate(VALUES) == values
    assert await another.evaluate("scrollY") == 500
    site.cookies.clear()
    await another.open(url)
    assert site.cookies == ["who=ann"]


async def test_stores_are_filled_of_a_site_that_leads_elsewhere(
    another: Browser, site: Site
) -> None:
    here = site.page("<p>here</p>")
    there = {"origin": site.at("a.localhost").rstrip("/"), "local": [("who", "Ann")]}
    state = {"tabs": [{"url": here, "held": there, "current": True}]}
    await another.restore(msgspec.convert(state, BrowserState))
    assert await another.evaluate("[location.href, localStorage.who]") == [here, None]
    await another.open(site.at("a.localhost"))
    assert await another.evaluate("localStorage.who") == "Ann"
    await another.evaluate("localStorage.removeItem('who')")
    await another.reload()
    assert await another.evaluate("localStorage.who") is None  # filled once, not for ever


async def test_cookies_of_a_page_of_its_own(browser: Browser, site: Site) -> None:
    await browser.open(site.page("<script>document.cookie = 'who=ann'</script>"))
    [cookie] = await browser.cookies()
    assert (cookie["name"], cookie["value"]) == ("who", "ann")
    await browser.set_cookies([cookie | {"value": "bob", "httpOnly": True}])
    await browser.open(f"{site.origin}/")
    assert site.cookies[-1] == "who=bob"


async def test_tabs_that_cannot_come_back_are_counted(another: Browser, site: Site) -> None:
    site.page("<p>here</p>")
    addresses = ("chrome://settings", f"{site.origin}/", "http://127.0.0.1:9/")
    state = {"tabs": [{"url": url} for url in addresses]}
    told = await another.restore(msgspec.convert(state, BrowserState))
    assert told == "2 of 3 tabs and 0 cookies came back"
    numbers = [number for number, _ in another.profile.tabs.items()][:2]
    await another.profile.tabs.switch(numbers[0])
    assert (await another.read()).elements[0].name == "here"


async def test_what_is_remembered_of_a_chromium_that_has_died(site: Site) -> None:
    chromium = await start()
    browser = await attach(chromium.connection, Options())
    form = site.page(FORM, "/form")
    await browser.open(form)
    await browser.read()
    await browser.type(0, "Ann")
    await browser.evaluate("document.cookie = 'who=ann'")
    await browser.state()
    await browser.profile.tabs.open()
    await browser.open(site.page("<p>second</p>"))
    await chromium.close()
    state = browser.remembered()
    assert [(tab.url, len(tab.held.fields), tab.current) for tab in state.tabs] == [
        (form, 1, False),
        (f"{site.origin}/", 0, True),
    ]
    assert [cookie["name"] for cookie in state.cookies] == ["who"]
