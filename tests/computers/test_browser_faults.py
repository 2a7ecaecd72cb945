"""Navigation, dialogs, and pages that hang or crash, in a real Chromium."""

import asyncio
import os
import signal
from collections.abc import Callable

import pytest

from doer.computers.browser.browser import Browser
from doer.computers.browser.host import BrowserHost
from doer.errors import ComputerError, ToolError
from tests.computers.conftest import Site

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

Descendants = Callable[[int], dict[int, str]]
HANG = "<button onclick='while (true);'>hang</button>"


async def test_a_click_that_navigates_shows_the_new_page(browser: Browser, site: Site) -> None:
    site.page("<title>Two</title><p>second</p>", "/two")
    html = """<a href="/two">link</a><form action="/two"><button>submit</button></form>
    <button onclick="setTimeout(() => location.href = '/two')">script</button>
    <a href="#part">part</a>"""
    for ref in range(3):
        await browser.open(site.page(html))
        await browser.read()
        view = await browser.click(ref)
        assert (view.title, view.elements[0].name) == ("Two", "second")
    await browser.open(site.page(html))
    await browser.read()
    assert (await browser.click(3)).url.endswith("/#part")


async def test_a_click_to_another_origin_shows_the_new_page(browser: Browser, site: Site) -> None:
    site.page("<p>second</p>", "/two")
    elsewhere = f"http://localhost:{site.port}/two"
    await browser.open(site.page(f"<a href='{elsewhere}'>link</a>"))
    await browser.read()
    view = await browser.click(0)
    assert (view.url, view.elements[0].name) == (elsewhere, "second")
    await browser.click(0)


async def test_a_page_that_never_finishes_loading_is_used_as_it_is(
    host: BrowserHost, site: Site
) -> None:
    browser = await host.new_browser(action_s=2, open_s=2)
    site.page("<p>enough</p><img src='/never'>", "/slow")
    await browser.open(f"{site.origin}/slow")
    assert (await browser.read()).elements[0].name == "enough"
    await browser.open(site.page("<a href='/slow'>go</a>"))
    await browser.read()
    assert (await browser.click(0)).elements[0].name == "enough"
    await browser.close()


async def test_a_site_that_does_not_answer_is_told_to_the_model(
    host: BrowserHost, site: Site
) -> None:
    browser = await host.new_browser(open_s=2)
    with pytest.raises(ToolError, match=r"/never could not be opened: no answer in 1\.6 s"):
        await browser.open(f"{site.origin}/never")
    await browser.open(site.page("<p>alive</p>"))
    assert (await browser.read()).elements[0].name == "alive"
    await browser.close()


async def test_addresses_that_cannot_be_opened(browser: Browser) -> None:
    with pytest.raises(ToolError, match="ERR_UNSAFE_PORT"):
        await browser.open("http://127.0.0.1:9/")
    for address in ("file:///etc/passwd", "chrome://settings", "example.com", "javascript:1"):
        with pytest.raises(ToolError, match="is not a web address"):
            await browser.open(address)
    assert browser.alive


async def test_dialogs_are_answered_and_noted_once(browser: Browser, site: Site) -> None:
    html = """<button onclick="alert('Careful')">alert</button>
    <button onclick="out.textContent = confirm('Really?')">confirm</button><p id="out">-</p>
    <script>onbeforeunload = (event) => event.preventDefault()</script>"""
    await browser.open(site.page(html))
    await browser.read()
    view = await browser.click(0)
    assert view.notes == ('the page showed a dialog, alert "Careful": accepted',)
    view = await browser.click(1)
    assert view.notes == ('the page showed a dialog, confirm "Really?": declined',)
    assert view.elements[-1].name == "false"
    assert (await browser.read()).notes == ()
    await browser.open(site.page("<p>left</p>", "/left"))
    assert (await browser.read()).elements[0].name == "left"


async def test_a_new_window_is_noted(browser: Browser, site: Site) -> None:
    site.page("<p>popup</p>", "/popup")
    await browser.open(site.page("<a href='/popup' target='_blank'>open</a>"))
    await browser.read()
    view = await browser.click(0)
    assert view.notes == (f"the page opened a window that is not shown: {site.origin}/popup",)
    assert view.elements[0].name == "open"


async def test_contexts_are_isolated(host: BrowserHost, site: Site) -> None:
    one, two = await host.new_browser(), await host.new_browser()
    url = site.page("<script>document.cookie = 'who=one'; localStorage.who = 'one'</script>")
    await one.open(url)
    await one.open(url)
    site.page("<p>nothing set here</p>")
    await two.open(url)
    assert site.cookies == ["", "who=one", ""]
    assert await two.evaluate("[document.cookie, localStorage.who ?? '']") == ["", ""]
    await one.close()
    await two.open(url)
    await two.close()


async def test_a_hung_page_is_given_up_and_disturbs_nobody(host: BrowserHost, site: Site) -> None:
    hung, other = await host.new_browser(action_s=0.5), await host.new_browser()
    await other.open(site.page("<button>fine</button>"))
    await other.read()
    await hung.open(site.page(HANG, "/hang"))
    await hung.read()
    with pytest.raises(ComputerError, match=r"click 0: the page did not answer in 0\.5 s"):
        await hung.click(0)
    assert not hung.alive
    with pytest.raises(ComputerError, match="did not answer"):
        await hung.read()
    async with asyncio.timeout(4):
        _, view = await asyncio.gather(hung.close(), other.click(0))
    assert view.elements[0].states == ("focused",)
    await hung.close()
    await other.close()


async def test_a_page_that_hangs_while_loading_is_given_up(host: BrowserHost, site: Site) -> None:
    browser = await host.new_browser(open_s=2)
    with pytest.raises(ComputerError, match="did not answer"):
        await browser.open(site.page("<script>while (true);</script>"))
    assert not browser.alive
    await browser.close()


async def test_a_crashed_page_fails_at_once_and_alone(site: Site, descendants: Descendants) -> None:
    async with await BrowserHost.start() as host:
        browser = await host.new_browser(action_s=30)
        await browser.open(site.page("<p>text</p>"))
        waiting = asyncio.create_task(browser.evaluate("new Promise(() => {})"))
        await browser.read()
        for pid, command in descendants(os.getpid()).items():
            if "--type=renderer" in command:
                os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(5):
            with pytest.raises(ComputerError, match="the page has crashed"):
                await waiting
        assert not browser.alive
        await browser.close()
        again = await host.new_browser()
        await again.open(f"{site.origin}/")
        assert (await again.read()).elements[0].name == "text"
        assert host.restarts == 0


async def test_a_killed_chromium_fails_at_once_and_is_started_again(
    site: Site, descendants: Descendants
) -> None:
    async with await BrowserHost.start() as host:
        browsers = [await host.new_browser(action_s=30) for _ in range(2)]
        waiting = [asyncio.create_task(b.evaluate("new Promise(() => {})")) for b in browsers]
        await browsers[0].read()
        for pid, command in descendants(os.getpid()).items():
            if "--headless" in command and "--type=" not in command:
                os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(5):
            for task in waiting:
                with pytest.raises(ComputerError, match="gone away|crashed"):
                    await task
        assert not any(browser.alive for browser in browsers)
        for browser in browsers:
            await browser.close()
        fresh = await asyncio.gather(host.new_browser(), host.new_browser())
        assert host.restarts == 1
        for browser in fresh:
            await browser.open(site.page("<p>again</p>"))
            assert (await browser.read()).elements[0].name == "again"
