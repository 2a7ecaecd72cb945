"""What is read of a page, in a real Chromium."""

import pytest

from doer.computers.browser.browser import Browser
from doer.computers.browser.host import BrowserHost
from doer.computers.browser.page_view import PageView
from tests.computers.conftest import Site

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


async def view_of(browser: Browser, url: str) -> PageView:
    await browser.open(url)
    return await browser.read()


def rows(view: PageView) -> list[tuple[str, str, str | None, tuple[str, ...]]]:
    return [(e.role, e.name, e.value, e.states) for e in view.elements]


def names(view: PageView, role: str = "") -> list[str]:
    return [e.name for e in view.elements if e.role == role or not role]


async def test_a_form_in_document_order(browser: Browser, site: Site) -> None:
    html = """<title>Order</title><h1>Your <b>order</b></h1>
    <label>Name <input value="Ann"></label>
    <label for="mail">Mail</label><input id="mail" type="email" placeholder="unused">
    <input type="password" aria-label="Secret"><textarea title="Notes" readonly>one
two</textarea>
    <label><input type="checkbox" checked>Gift</label>
    <input type="radio" name="size" value="L"><input type="radio" id="m" disabled>
    <label>Colour <select><option>red<option selected>green</select></label>
    <select><option>one<option>two</select><input type="range" aria-label="Loud" value="7">
    <input type="hidden" value="x"><input type="submit" value="Send"><button>OK <i>now</i></button>
    <a href="/help">Help</a><a name="here"></a>"""
    view = await view_of(browser, site.page(html))
    assert view.title == "Order"
    assert view.url == f"{site.origin}/"
    assert [e.ref for e in view.elements] == list(range(len(view.elements)))
    assert rows(view) == [
        ("text", "Your", None, ()),
        ("text", "order", None, ()),
        ("textbox", "Name", "Ann", ()),
        ("textbox", "Mail", "", ()),
        ("textbox", "Secret", "", ()),
        ("textbox", "Notes", "one\ntwo", ("readonly",)),
        ("checkbox", "Gift", None, ("checked",)),
        ("radio", "L", None, ()),
        ("radio", "m", None, ("disabled",)),
        ("combobox", "Colour: red | green", "green", ()),
        ("combobox", "one | two", "one", ()),
        ("slider", "Loud", "7", ()),
        ("button", "Send", None, ()),
        ("button", "OK now", None, ()),
        ("link", "Help", None, ()),
    ]


async def test_what_cannot_be_seen_is_left_out(browser: Browser, site: Site) -> None:
    html = """<style>.sr { position: absolute; width: 1px; height: 1px; overflow: hidden }</style>
    <p>seen</p><p hidden>hidden</p><p style="visibility: hidden">invisible</p>
    <div style="display: none"><button>gone</button></div><script>var text = "script"</script>
    <div aria-hidden="true"><button>chrome</button></div><span class="sr">for readers</span>
    <details><summary>More</summary>folded</details><template>template</template>
    <div style="display: contents"><p>boxless</p></div><p>  </p>"""
    view = await view_of(browser, site.page(html))
    assert names(view) == ["seen", "More", "boxless"]


async def test_widgets_by_role_and_state(browser: Browser, site: Site) -> None:
    html = """<ul role="tablist"><li role="tab" aria-selected="true"><a href="#a">One</a></li>
    <li role="tab" aria-selected="false">Two</li></ul>
    <div role="button" aria-expanded="true" aria-disabled="true">Menu</div>
    <div role="checkbox" aria-checked="true" tabindex="0">Agree</div>
    <div role="slider" aria-valuenow="30" aria-label="Zoom">|</div>
    <div contenteditable aria-label="Body">Hello <b>you</b></div>
    <a href="#" aria-current="page">Home</a><a href="#" class="nav ui-state-active">3</a>
    <div role="listbox"><div role="option">first</div></div>"""
    view = await view_of(browser, site.page(html))
    assert rows(view) == [
        ("tab", "One", None, ("selected",)),
        ("tab", "Two", None, ()),
        ("button", "Menu", None, ("disabled", "expanded")),
        ("checkbox", "Agree", None, ("checked",)),
        ("slider", "Zoom", "30", ()),
        ("textbox", "Body", "Hello you", ()),
        ("link", "Home", None, ("selected",)),
        ("link", "3", None, ("selected",)),
        ("option", "first", None, ()),
    ]


async def test_icons_pictures_and_drawings(browser: Browser, site: Site) -> None:
    html = """<style>.trash { display: block; width: 16px; height: 16px } .hand { cursor: pointer }
    </style><span class="trash"></span><span class="nothing"></span>
    <span class="hand star"></span><img alt="A cat" width="9" height="9"><canvas id="pad"></canvas>
    <svg width="100" height="90"><title>no</title><circle cx="9" cy="9" r="5" fill="red"/>
    <rect id="r" width="9" height="9" style="fill: rgb(0, 0, 255)"/><path d="M0 0L9 9" fill="none"/>
    <text x="20" y="20">label</text></svg>
    <svg width="16" height="16" class="gear"><path d="M0 0L9 9"/></svg>
    <button><svg width="9" height="9" class="bin"></svg></button>"""
    view = await view_of(browser, site.page(html))
    assert [(e.role, e.name) for e in view.elements] == [
        ("img", "trash"),
        ("img", "hand"),
        ("img", "A cat"),
        ("img", "pad"),
        ("img", "circle red"),
        ("img", "rect rgb(0, 0, 255)"),
        ("text", "label"),
        ("img", "gear"),
        ("button", "bin"),
    ]


async def test_text_that_can_be_clicked_is_generic(browser: Browser, site: Site) -> None:
    html = """<div onclick="1">by handler <b>inside</b></div>
    <span style="cursor: pointer">by pointer</span><span>plain</span>"""
    view = await view_of(browser, site.page(html))
    assert [(e.role, e.name) for e in view.elements] == [
        ("generic", "by handler"),
        ("generic", "inside"),
        ("generic", "by pointer"),
        ("text", "plain"),
    ]


async def test_a_label_stands_for_a_hidden_control(browser: Browser, site: Site) -> None:
    html = """<input type="checkbox" id="c" style="display: none"><label for="c">Fancy</label>
    <input type="checkbox" id="d"><label for="d">I accept the <a href="/t">terms</a></label>"""
    view = await view_of(browser, site.page(html))
    assert [(e.role, e.name) for e in view.elements] == [
        ("checkbox", "Fancy"),
        ("checkbox", "I accept the terms"),
        ("link", "terms"),
    ]
    view = await browser.click(0)
    assert view.elements[0].states == ("checked",)


async def test_shadow_roots_and_frames_are_part_of_the_page(browser: Browser, site: Site) -> None:
    site.page("<button onclick=\"this.textContent = 'pressed'\">in frame</button>", "/frame")
    html = """<p>before</p><div id="host"><b>slotted</b></div><script>
    host.attachShadow({mode: "open"}).innerHTML =
      "<button onclick='this.textContent = event.isTrusted'>in shadow</button><slot></slot>";
    </script><div style="height: 50px"></div><iframe src="/frame" style="margin: 30px"></iframe>"""
    view = await view_of(browser, site.page(html))
    assert names(view) == ["before", "in shadow", "slotted", "in frame"]
    frame = await browser.evaluate(
        "(({x, y}) => [x, y])(document.querySelector('iframe').getBoundingClientRect())"
    )
    assert view.elements[3].box[0] > frame[0] >= 30
    assert view.elements[3].box[1] > frame[1] > 100
    view = await browser.click(1)
    assert names(view)[1] == "true"
    view = await browser.click(3)
    assert names(view)[3] == "pressed"


async def test_long_texts_are_cut(browser: Browser, site: Site) -> None:
    url = site.page(f"<p>{'word ' * 100}</p><input value='{'v' * 300}' aria-label=x>")
    view = await view_of(browser, url)
    assert len(view.elements[0].name) == 200
    assert view.elements[1].value == "v" * 200


async def test_boxes_are_in_the_viewport(browser: Browser, site: Site) -> None:
    html = "<body style='margin: 0'><button style='position: absolute; left: 20px; top: 900px;"
    view = await view_of(browser, site.page(f"{html} width: 50px; height: 30px'>x</button>"))
    assert view.elements[0].box == (20, 900, 50, 30)
    await browser.evaluate("scrollTo(0, 400)")
    assert (await browser.read()).elements[0].box[1] == 900 - await browser.evaluate("scrollY")


async def test_a_long_page_is_read_from_where_it_is_scrolled_to(
    browser: Browser, site: Site
) -> None:
    html = "".join(f"<p style='height: 30px; margin: 0'>line {i}</p>" for i in range(400))
    view = await view_of(browser, site.page(f"<body style='margin: 0'>{html}"))
    assert (len(view.elements), view.above, view.below) == (128, 0, 272)
    view = await browser.scroll(None, 3000)
    assert (view.above, view.below) == (100, 172)
    assert view.elements[0].name == "line 100"


async def test_the_signal_of_a_page_comes_with_every_reading(host: BrowserHost, site: Site) -> None:
    browser = await host.new_browser("let n = 0; window.__doerSignal = () => ({n: ++n});")
    try:
        assert (await view_of(browser, site.page("<button>x</button>"))).signal == {"n": 1}
        assert (await browser.click(0)).signal == {"n": 2}
    finally:
        await browser.close()


async def test_a_signal_that_throws_does_not_stop_the_reading(browser: Browser, site: Site) -> None:
    script = "<script>window.__doerSignal = () => { throw new Error('x') }</script>"
    view = await view_of(browser, site.page(f"{script}<p>text</p>"))
    assert names(view) == ["text"]
    assert view.signal == {"error": "Error: x"}


async def test_reading_a_page_of_forty_elements_is_quick(browser: Browser, site: Site) -> None:
    days = "".join(
        f"<td><a class='day' href='#'>{d}</a></td>" + "</tr><tr>" * (d % 7 == 0)
        for d in range(1, 32)
    )
    fields = "<label>Name <input></label>" * 14
    await view_of(browser, site.page(f"{fields}<table><tr>{days}</tr></table>"))
    loop = "const t = performance.now(); for (let i = 0; i < 50; i++) __doer.read(); "
    ms = await browser.evaluate(f"(() => {{ {loop} return (performance.now() - t) / 50 }})()")
    assert ms < 6  # 0.5 on a quiet machine


async def test_a_screenshot_is_a_jpeg(browser: Browser, site: Site) -> None:
    await browser.open(site.page("<p>text</p>"))
    assert (await browser.screenshot()).startswith(b"\xff\xd8\xff")
