"""Frames of other origins and shadow roots, read and acted on like the rest of a page."""

import asyncio

import pytest

from doer.computers.browser.browser import Browser
from doer.computers.browser.host import BrowserHost
from doer.computers.browser.page_view import PageView
from doer.errors import ToolError
from tests.computers.conftest import Site

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

BUTTON = "<button onclick=\"this.textContent = 'pressed ' + event.isTrusted\">in frame</button>"


def names(view: PageView) -> list[str]:
    return [element.name for element in view.elements]


@pytest.mark.parametrize("where", ["b.localhost", "c.a.localhost"])  # a process of its own, or not
async def test_a_frame_of_another_origin_is_part_of_the_page(
    browser: Browser, site: Site, where: str
) -> None:
    site.page(f"<input aria-label='Name'>{BUTTON}", "/frame")
    url = site.at(where, "/frame")
    site.page(f"<p>before</p><iframe src='{url}' style='margin: 30px'></iframe><p>after</p>")
    await browser.open(site.at("a.localhost"))
    view = await browser.read()
    assert names(view) == ["before", "Name", "in frame", "after"]
    assert [e.ref for e in view.elements] == [0, 1, 2, 3]
    assert view.elements[2].box[0] > 30
    view = await browser.click(2)
    assert names(view) == ["before", "Name", "pressed true", "after"]
    view = await browser.type(1, "Ann")
    assert (view.elements[1].value, view.elements[1].states) == ("Ann", ("focused",))
    assert (await browser.describe(1))["url"] == url


async def test_frames_in_frames_below_the_fold(browser: Browser, site: Site) -> None:
    site.page(f"<div style='height: 900px'>deep</div>{BUTTON}", "/inner")
    inner = site.at("c.localhost", "/inner")
    site.page(f"<div style='height: 700px'>middle</div><iframe src='{inner}'></iframe>", "/outer")
    outer = site.at("b.localhost", "/outer")
    site.page(f"<div style='height: 2000px'>top</div><iframe src='{outer}'></iframe><b>end</b>")
    await browser.open(site.at("a.localhost"))
    view = await browser.read()
    assert names(view) == ["top", "middle", "deep", "in frame", "end"]
    view = await browser.click(3)
    assert names(view) == ["top", "middle", "deep", "pressed true", "end"]
    view = await browser.click(4)
    assert "end" in names(view)


async def test_two_frames_of_one_kind_keep_their_elements_apart(
    browser: Browser, site: Site
) -> None:
    site.page("<select><option>one<option>two</select>", "/frame")
    frames = [site.at(host, "/frame") for host in ("b.localhost", "b.localhost", "c.localhost")]
    site.page("".join(f"<iframe src='{url}'></iframe>" for url in frames))
    await browser.open(site.at("a.localhost"))
    await browser.read()
    view = await browser.select(1, "two")
    assert [e.value for e in view.elements] == ["one", "two", "one"]
    with pytest.raises(ToolError, match=r'element 2 .* has no option "three"'):
        await browser.select(2, "three")
    with pytest.raises(ToolError, match="there is no element 3: references go from 0 to 2"):
        await browser.click(3)


async def test_an_element_is_dragged_between_frames(browser: Browser, site: Site) -> None:
    page = "<style>* {{ user-select: none }}</style><b style='font-size: 40px'>{}</b>"
    listen = "<script>onmouse{} = (e) => document.querySelector('b').textContent += ' {}'</script>"
    site.page(page.format("from") + listen.format("down", "down"), "/from")
    site.page(page.format("to") + listen.format("up", "up"), "/to")
    hosts = (("b.localhost", "/from"), ("c.localhost", "/to"))
    site.page("".join(f"<iframe src='{site.at(*where)}'></iframe>" for where in hosts))
    await browser.open(site.at("a.localhost"))
    assert names(await browser.read()) == ["from", "to"]
    view = await browser.drag(0, 1)
    assert names(view)[0] == "from down"


async def test_a_frame_that_has_changed_refuses(browser: Browser, site: Site) -> None:
    site.page("<button>one</button>", "/one")
    site.page("<button>two</button>", "/two")
    for host in ("b.localhost", "c.a.localhost"):
        site.page(f"<iframe src='{site.at(host, '/one')}'></iframe>")
        await browser.open(site.at("a.localhost"))
        assert names(await browser.read()) == ["one"]
        go = "const frame = document.querySelector('iframe'); "
        go += "frame.src = frame.src.replace('one', 'two');"
        await browser.evaluate(f"new Promise((done) => {{ {go} frame.onload = () => done(1) }})")
        with pytest.raises(ToolError, match="read the page again"):
            await browser.click(0)
        assert names(await browser.read()) == ["two"]
        await browser.evaluate("document.querySelector('iframe').remove()")
        with pytest.raises(ToolError, match="read the page again"):
            await browser.click(0)
        assert names(await browser.read()) == []


async def test_a_frame_that_navigates_is_waited_for(browser: Browser, site: Site) -> None:
    site.page(f"<a href='{site.at('c.localhost', '/two')}'>go</a>", "/one")
    site.page("<p>arrived</p>", "/two")
    site.slow["/two"] = 0.3
    for host in ("b.localhost", "c.a.localhost"):
        site.page(f"<iframe src='{site.at(host, '/one')}'></iframe>")
        await browser.open(site.at("a.localhost"))
        assert names(await browser.read()) == ["go"]
        view = await browser.click(0)
        assert names(view) == ["arrived"]
        assert view.origins == (site.at("c.localhost", ""),)


async def test_a_covered_frame_refuses(browser: Browser, site: Site) -> None:
    site.page(BUTTON, "/frame")
    cover = "<div style='position: fixed; inset: 0; background: #8888'></div>"
    site.page(f"<iframe src='{site.at('b.localhost', '/frame')}'></iframe>{cover}")
    await browser.open(site.at("a.localhost"))
    await browser.read()
    with pytest.raises(ToolError, match="element 0 cannot be reached: .* covered by div"):
        await browser.click(0)


async def test_a_frame_that_hangs_or_dies_does_not_take_the_view_along(
    browser: Browser, site: Site
) -> None:
    hang = "<button onclick='setTimeout(() => { while (true); }, 20)'>hang</button>"
    site.page(hang, "/frame")
    site.page(f"<p>page</p><iframe src='{site.at('b.localhost', '/frame')}'></iframe>")
    await browser.open(site.at("a.localhost"))
    assert names(await browser.read()) == ["page", "hang"]
    await browser.click(1)
    await asyncio.wait_for(_until_left_out(browser), 20)
    assert browser.alive


async def _until_left_out(browser: Browser) -> None:
    while True:
        view = await browser.read()
        if names(view) == ["page"]:
            assert view.notes == ("a frame of the page does not answer and is left out",)
            return


async def test_closed_shadow_roots_are_read_in_a_computer(profile: Browser, site: Site) -> None:
    html = """<x-card>slotted</x-card><div id="bare"></div><p>after</p><script>
    const press = "this.textContent = event.isTrusted";
    const inside = `<button onclick="${press}">in shadow</button><slot></slot>`;
    for (const host of document.querySelectorAll("x-card, #bare")) {
      host.attachShadow({ mode: "closed" }).innerHTML = inside;
    }</script>"""
    await profile.open(site.page(html))
    view = await profile.read()
    assert names(view) == ["in shadow", "slotted", "in shadow", "after"]
    view = await profile.click(2)
    assert names(view) == ["in shadow", "slotted", "true", "after"]
    patched = await profile.evaluate("Element.prototype.attachShadow.toString()")
    assert patched == "function attachShadow() { [native code] }"


async def test_a_page_without_frames_is_read_in_one_round_trip(
    host: BrowserHost, site: Site
) -> None:
    browser = await host.new_browser()
    empty = "<div style='width: 50px; height: 50px'></div>"
    await browser.open(
        site.page(f"<button>ok</button>{empty}<iframe srcdoc='<b>own</b>'></iframe>")
    )
    sent: list[str] = []
    connection = browser._connection  # pyright: ignore[reportPrivateUsage]
    send = connection.send
    connection.send = lambda method, *more: sent.append(method) or send(method, *more)  # type: ignore[method-assign]
    try:
        assert names(await browser.read()) == ["ok", "own"]
    finally:
        connection.send = send
    assert sent == ["Runtime.evaluate"]
    await browser.close()
