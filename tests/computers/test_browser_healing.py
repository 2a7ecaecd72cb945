"""A tab that hangs or dies is brought back, in a real Chromium."""

import os
import signal
from collections.abc import AsyncGenerator, Callable

import pytest
import pytest_asyncio

from doer.computers.browser.attach import attach
from doer.computers.browser.browser import Browser
from doer.computers.browser.chromium import Chromium, start
from doer.computers.browser.profile import Options
from doer.errors import ComputerError
from tests.computers.conftest import Site

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

Descendants = Callable[[int], dict[int, str]]


@pytest_asyncio.fixture(loop_scope="module")
async def impatient(chromium: Chromium) -> AsyncGenerator[Browser]:
    """A browser with tabs that gives a page up soon."""
    yield await attach(chromium.connection, Options(viewport=(800, 600)), action_s=3, open_s=10)


async def test_a_page_that_answers_is_well(profile: Browser, site: Site) -> None:
    await profile.open(site.page("<button onclick=\"confirm('?')\">ask</button>"))
    assert await profile.health() == "well"
    await profile.read()
    await profile.click(0)
    assert await profile.health() == "well"


async def test_an_endless_script_is_ended(impatient: Browser, site: Site) -> None:
    html = "<input aria-label='Name'><button onclick='while (true);'>hang</button>"
    await impatient.open(site.page(html))
    await impatient.read()
    await impatient.type(0, "Ann")
    with pytest.raises(ComputerError, match="did not answer"):
        await impatient.click(1)
    assert await impatient.health() == "hung"
    assert await impatient.heal_tab() == "the page did not answer: its running script was ended"
    view = await impatient.read()
    assert (view.elements[0].value, await impatient.health()) == ("Ann", "well")
    assert (await impatient.type(0, "Bob")).elements[0].value == "Bob"


async def test_a_page_that_hangs_again_and_again_is_loaded_anew(
    impatient: Browser, site: Site
) -> None:
    html = "<p>page</p><button onclick='while (true) alert(1)'>hang</button>"
    await impatient.open(site.page(html))
    await impatient.read()
    with pytest.raises(ComputerError):
        await impatient.click(1)
    assert "what was typed into it" in await impatient.heal_tab()
    assert (await impatient.read()).elements[0].name == "page"


async def test_a_crashed_page_is_loaded_again(
    impatient: Browser, site: Site, descendants: Descendants
) -> None:
    await impatient.open(site.page("<p>page</p>"))
    await impatient.read()
    number = impatient.profile.tabs.number
    for pid, command in descendants(os.getpid()).items():
        if "--type=renderer" in command:
            os.kill(pid, signal.SIGKILL)
    with pytest.raises(ComputerError, match="crashed"):
        await impatient.evaluate("new Promise(() => {})")
    assert await impatient.health() == "crashed"
    healed = "the page was loaded again; what was typed into it is lost"
    assert await impatient.heal_tab() == healed
    assert (await impatient.read()).elements[0].name == "page"
    assert impatient.profile.tabs.number == number


async def test_ten_thousand_elements(profile: Browser, site: Site) -> None:
    rows = "".join(
        f"<tr><td>{n}</td><td><a href='#{n}'>link {n}</a></td></tr>" for n in range(5000)
    )
    await profile.open(site.page(f"<table>{rows}</table>"))
    view = await profile.read()
    assert len(view.elements) == 128
    assert view.below == 10_000 - 128
    assert (await profile.click(1)).url.endswith("#0")
    view = await profile.scroll(None, 100_000)
    assert view.above > 5000
    assert await profile.health() == "well"


async def test_a_page_that_grows_without_end(profile: Browser, site: Site) -> None:
    more = "setInterval(() => document.body.append(document.createElement('p'), 'more'), 1)"
    await profile.open(site.page(f"<button>first</button><script>{more}</script>"))
    await profile.read()
    assert (await profile.click(0)).elements[0].name == "first"
    assert await profile.health() == "well"


async def test_a_killed_chromium_is_gone() -> None:
    chromium = await start()
    browser = await attach(chromium.connection, Options())
    await chromium.close()
    assert (await browser.health(), browser.alive) == ("gone", False)
    with pytest.raises(ComputerError, match="gone away|crashed|no open tab"):
        await browser.read()
