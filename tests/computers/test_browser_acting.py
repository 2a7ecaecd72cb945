"""Acting on pages by reference, with events the page can trust, in a real Chromium."""

import importlib.util
from pathlib import Path

import pytest

from doer.computers.browser.browser import Browser
from doer.computers.browser.page_view import PageView
from doer.errors import SiteError, ToolError
from tests.computers.conftest import Site

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

# Notes every event in `heard` as [type, trusted, value of the target].
LISTEN = """<script>window.heard = [];
const types = "mousemove mousedown mouseup click keydown keypress beforeinput input keyup change";
for (const type of (types + " wheel focus").split(" ")) {
  addEventListener(type, (e) => heard.push([e.type, e.isTrusted, e.target.value]), true);
}</script>"""


async def opened(browser: Browser, site: Site, html: str) -> PageView:
    await browser.open(site.page(html))
    return await browser.read()


async def heard(browser: Browser) -> list[str]:
    """The types of the events so far, all of them trusted; forgets them."""
    events = await browser.evaluate("heard.splice(0)")
    assert all(trusted for _, trusted, _ in events), events
    return [type for type, _, _ in events]


def said(view: PageView) -> str:
    return view.elements[-1].name


async def test_a_click_is_trusted_and_moves_the_pointer_first(browser: Browser, site: Site) -> None:
    html = LISTEN + """<button onclick="out.textContent = 'clicked'">Go</button><p id="out">-"""
    await opened(browser, site, html)
    view = await browser.click(0)
    assert said(view) == "clicked"
    assert view.elements[0].states == ("focused",)
    types = await heard(browser)
    assert types == ["mousemove", "mousedown", "focus", "mouseup", "click"]


async def test_a_click_scrolls_to_its_element(browser: Browser, site: Site) -> None:
    html = """<div style="height: 5000px"></div>
    <button onclick="this.textContent = 'clicked'">far</button><div style="height: 900px"></div>"""
    await opened(browser, site, html)
    assert said(await browser.click(0)) == "clicked"


async def test_the_view_after_a_click_shows_what_timers_of_zero_did(
    browser: Browser, site: Site
) -> None:
    html = """<button onclick="setTimeout(() => setTimeout(() => out.textContent = 'late'))">Go
    </button><p id="out">-</p>"""
    await opened(browser, site, html)
    assert said(await browser.click(0)) == "late"


async def test_typing_replaces_and_ends_with_a_key_stroke(browser: Browser, site: Site) -> None:
    await opened(browser, site, LISTEN + '<input aria-label="Name" value="old">')
    view = await browser.type(0, "Grüße, 世界")
    assert (view.elements[0].value, view.elements[0].states) == ("Grüße, 世界", ("focused",))
    types = await heard(browser)
    assert types[-5:] == ["keydown", "keypress", "beforeinput", "input", "keyup"]
    assert (await browser.type(0, "x")).elements[0].value == "x"
    assert (await browser.type(0, "")).elements[0].value == ""
    assert "input" in await heard(browser)


async def test_typing_into_other_kinds_of_fields(browser: Browser, site: Site) -> None:
    html = """<textarea aria-label="a">old</textarea><div contenteditable>old <b>words</b></div>
    <input type="number" value="1"><input type="password" value="x"><input maxlength="3">"""
    await opened(browser, site, html)
    await browser.type(0, "two\nlines\n")
    await browser.type(1, "new")
    await browser.type(2, "42")
    await browser.type(3, "secret")
    view = await browser.type(4, "abcdef")
    values = [element.value for element in view.elements]
    assert values == ["two\nlines\n", "new", "42", "secret", "abc"]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("date", "2016-05-12", "2016-05-12"),
        ("date", "5/12/2016", "2016-05-12"),
        ("date", "09/10/2012", "2012-09-10"),
        ("time", "16:35", "16:35"),
        ("time", "4:35 PM", "16:35"),
        ("time", "08:22 AM", "08:22"),
        ("time", "12:05 am", "00:05"),
        ("month", "2016-05", "2016-05"),
        ("color", "#00ff00", "#00ff00"),
        ("range", "30", "30"),
    ],
)
async def test_fields_made_of_parts_take_a_whole_value(
    browser: Browser, site: Site, kind: str, text: str, value: str
) -> None:
    html = f'<input type="{kind}" onchange="out.textContent = this.value"><p id="out">-</p>'
    await opened(browser, site, html)
    view = await browser.type(0, text)
    assert (view.elements[0].value, said(view)) == (value, value)


async def test_what_cannot_be_typed_into_says_why(browser: Browser, site: Site) -> None:
    html = """<button>OK</button><input aria-label="r" value="x" readonly>
    <input aria-label="d" disabled><input type="date" aria-label="when">"""
    await opened(browser, site, html)
    for ref, why in (
        (0, r'element 0 \(button "OK"\) is not a text field'),
        (1, r'element 1 \(textbox "r"\) is read-only'),
        (2, r'element 2 \(textbox "d"\) is disabled'),
        (3, r'element 3 \(textbox "when"\) does not take "soon"; write it like 2016-12-31'),
    ):
        with pytest.raises(ToolError, match=why):
            await browser.type(ref, "soon")
    assert (await browser.read()).elements[1].value == "x"
    assert browser.alive


async def test_choosing_an_option(browser: Browser, site: Site) -> None:
    html = """<select aria-label="Colour" onchange="out.textContent = this.value">
    <option>Red<option value="g">Dark  green<option disabled>Blue</select>
    <select multiple aria-label="Many"><option selected>a<option>b<option>c</select>
    <button>x</button><p id="out">-"""
    await opened(browser, site, html)
    view = await browser.select(0, "dark green")
    assert (view.elements[0].value, said(view)) == ("Dark green", "g")
    assert (await browser.select(1, "c")).elements[1].value == "a | c"
    with pytest.raises(ToolError, match='has no option "Blue"; it has: Red | Dark green'):
        await browser.select(0, "Blue")
    with pytest.raises(ToolError, match="is not a list of options"):
        await browser.select(2, "x")


async def test_pressing_keys_in_the_focused_element(browser: Browser, site: Site) -> None:
    html = """<form onsubmit="out.textContent = 'sent ' + this.q.value; return false">
    <input name="q"></form><input name="b"><p id="out">-</p>"""
    await opened(browser, site, html)
    await browser.type(0, "abc")
    await browser.press("Shift+ArrowLeft")
    view = await browser.press("Delete")
    assert view.elements[0].value == "ab"
    assert said(await browser.press("Enter")) == "sent ab"
    view = await browser.press("Tab")
    assert view.elements[1].states == ("focused",)
    await browser.press("a")
    await browser.press("Control+a")
    assert (await browser.press("B")).elements[1].value == "B"


async def test_copying_and_pasting(browser: Browser, site: Site) -> None:
    await opened(browser, site, '<input aria-label="a" value="words"><input aria-label="b">')
    await browser.click(0)
    await browser.press("Control+a")
    await browser.press("Control+c")
    await browser.click(1)
    assert (await browser.press("Control+v")).elements[1].value == "words"


async def test_scrolling_the_page_or_an_area(browser: Browser, site: Site) -> None:
    html = (
        LISTEN
        + """<div id="area" style="height: 100px; overflow: auto"><p>inner</p>
    <div style="height: 900px"></div></div><div style="height: 5000px"></div>"""
    )
    await opened(browser, site, html)
    await browser.scroll(0, 200)
    assert await browser.evaluate("[area.scrollTop, scrollY]") == [200, 0]
    await browser.scroll(None, 300)
    assert await browser.evaluate("[area.scrollTop, scrollY]") == [200, 300]
    await browser.scroll(None, -100)
    assert await browser.evaluate("scrollY") == 200
    assert "wheel" in await heard(browser)


async def test_dragging_by_an_offset_and_onto_an_element(browser: Browser, site: Site) -> None:
    html = """<style>div { width: 40px; height: 40px; position: absolute }</style>
    <div id="piece" style="left: 10px; top: 10px"></div>
    <div id="goal" style="left: 300px; top: 200px"></div><script>
    let held = null, moves = 0;
    piece.onmousedown = (e) => { held = [e.offsetX, e.offsetY]; };
    onmousemove = (e) => {
      if (!held || e.buttons !== 1) return;
      moves++;
      piece.style.left = e.clientX - held[0] + "px";
      piece.style.top = e.clientY - held[1] + "px";
    };
    onmouseup = () => { held = null; };</script>"""
    view = await opened(browser, site, html)
    assert [e.name for e in view.elements] == ["piece", "goal"]
    view = await browser.drag(0, dx=100, dy=-5)
    assert view.elements[0].box == (110, 5, 40, 40)
    assert await browser.evaluate("moves") >= 5
    view = await browser.drag(0, to=1, dx=30)
    assert view.elements[0].box == (330, 200, 40, 40)


async def test_dragging_what_the_page_itself_lets_be_dragged(browser: Browser, site: Site) -> None:
    html = """<p draggable="true" ondragstart="event.dataTransfer.setData('text', 'it')">thing</p>
    <p ondragover="event.preventDefault()" ondrop="
      this.textContent = 'got ' + event.dataTransfer.getData('text') + ' ' + event.isTrusted">
    place</p>"""
    await opened(browser, site, html)
    assert said(await browser.drag(0, to=1)) == "got it true"
    await browser.click(0)


async def test_a_covered_element_is_clicked_where_it_shows_or_not_at_all(
    browser: Browser, site: Site
) -> None:
    html = """<style>* { margin: 0 } #c { position: absolute; inset: 0 auto auto 0; height: 60px }
    </style>
    <button onclick="this.textContent = 'clicked'" style="width: 200px; height: 40px">Go</button>
    <div id="c" style="width: 150px"><p>Cookies?</p></div>"""
    await opened(browser, site, html)
    view = await browser.click(0)
    assert view.elements[0].name == "clicked"
    await browser.evaluate("c.style.width = '100%'")
    with pytest.raises(ToolError, match=r'\(button "clicked"\) is covered by (div|p) "Cookies\?"'):
        await browser.click(0)


@pytest.mark.parametrize(
    "change",
    [
        "b.textContent = 'Delete all'",
        "b.remove()",
        "b.style.visibility = 'hidden'",
        "b.setAttribute('role', 'link')",
        "b.replaceWith(b.cloneNode(true))",
    ],
)
async def test_an_element_that_has_changed_is_not_acted_on(
    browser: Browser, site: Site, change: str
) -> None:
    html = """<script>window.clicks = 0</script><div onclick="clicks++"><b>text</b>
    <button id="b">OK</button></div>"""
    await opened(browser, site, html)
    await browser.evaluate(change + "; 0")
    was = r'element 1 has changed since the page was read: it was button "OK"; read the page again'
    with pytest.raises(ToolError, match=was):
        await browser.click(1)
    assert await browser.evaluate("clicks") == 0


async def test_text_that_is_drawn_anew_is_still_the_same(browser: Browser, site: Site) -> None:
    html = """<p onclick="this.textContent = 'clicked'" id="p">word</p>"""
    await opened(browser, site, html)
    await browser.evaluate("p.textContent = 'word'")
    assert said(await browser.click(0)) == "clicked"
    await browser.evaluate("p.textContent = 'other'")
    with pytest.raises(ToolError, match='it was generic "clicked"'):
        await browser.click(0)


async def test_references_of_another_document_do_not_hold(browser: Browser, site: Site) -> None:
    await opened(browser, site, "<button>one</button>")
    await browser.open(site.page("<button>two</button>", "/two"))
    with pytest.raises(ToolError, match="nothing has been read here yet; read the page again"):
        await browser.click(0)
    await browser.read()
    with pytest.raises(ToolError, match="no element 7: references go from 0 to 0"):
        await browser.click(7)


async def test_facts_about_an_element(browser: Browser, site: Site) -> None:
    html = """<form action="/pay?x=1" method="post"><input name="action" aria-label="Sum" value="9">
    <button formaction="/other">Pay</button></form><a href="/help">Help</a>"""
    url = site.page(html)
    await browser.open(url)
    await browser.read()
    form = {"form_action": f"{site.origin}/pay?x=1", "form_method": "post", "url": url}
    sum_ = {"role": "textbox", "name": "Sum", "value": "9", "tag": "input"}
    assert await browser.describe(0) == sum_ | form
    pay = {"role": "button", "name": "Pay", "value": None, "tag": "button"}
    assert await browser.describe(1) == pay | form | {"form_action": f"{site.origin}/other"}
    facts = await browser.describe(2)
    assert (facts["href"], "form_action" in facts) == (f"{site.origin}/help", False)
    with pytest.raises(ToolError, match="no element 3"):
        await browser.describe(3)


async def test_a_script_that_throws_is_the_sites_fault(browser: Browser, site: Site) -> None:
    assert await browser.evaluate("Promise.resolve([1, 'a', null])") == [1, "a", None]
    assert await browser.evaluate("undefined") is None
    with pytest.raises(SiteError, match="ReferenceError: nothing is not defined"):
        await browser.evaluate("nothing.here")


async def test_parking_the_pointer_leaves_what_it_was_over(browser: Browser, site: Site) -> None:
    html = "<style>button:hover { color: red }</style><button>x</button>"
    await opened(browser, site, html)
    await browser.click(0)
    assert await browser.evaluate("document.querySelector('button:hover') !== null")
    await browser.park()
    assert await browser.evaluate("document.querySelector('button:hover') === null")


async def test_many_actions_on_many_pages_at_once_all_arrive(browser: Browser, site: Site) -> None:
    """Commands are sent ahead of their answers: this is where a wrong order would show."""
    html = """<input aria-label="a" value="start"><button onclick="out.textContent = ++n">+</button>
    <p id="out">0</p><script>let n = 0</script>"""
    await opened(browser, site, html)
    for n in range(1, 40):
        assert (await browser.type(0, f"text {n}")).elements[0].value == f"text {n}"
        assert said(await browser.click(1)) == str(n)


async def test_jquery_ui_widgets(browser: Browser, site: Site) -> None:
    found = importlib.util.find_spec("miniwob")
    if found is None or not found.submodule_search_locations:
        pytest.skip("needs jQuery UI, of the package miniwob")
    core = Path(found.submodule_search_locations[0]) / "html" / "core" / "jquery-ui"
    jquery = (core / "external" / "jquery" / "jquery.js").read_text()
    ui = (core / "jquery-ui.min.js").read_text()
    html = f"""<script>{jquery}</script><script>{ui}</script>
    <style>#slider {{ width: 200px; height: 10px; position: relative }} li {{ width: 90px }}
    .ui-slider-handle {{ position: absolute; width: 20px; height: 10px; margin-left: -10px }}
    </style>
    <input id="who" aria-label="Who"><div id="slider"></div>
    <ul id="list"><li>a<li>b<li>c</ul><p id="out">-</p><script>
    $("#who").autocomplete({{delay: 0, source: ["Anna", "Anton", "Bert"]}});
    $("#slider").slider({{change: (e, ui) => {{ out.textContent = ui.value; }}}});
    $("#list").sortable();</script>"""
    view = await opened(browser, site, html)
    ref = {element.name: element.ref for element in view.elements}
    view = await browser.type(ref["Who"], "an")
    suggestions = [e.ref for e in view.elements if e.name == "Anton"]
    view = await browser.click(suggestions[0])
    assert view.elements[0].value == "Anton"
    ref = {element.name: element.ref for element in view.elements}
    await browser.drag(ref["ui-slider-handle"], dx=100)
    assert await browser.evaluate("out.textContent") == "50"
    view = await browser.read()
    ref = {element.name: element.ref for element in view.elements}
    await browser.drag(ref["a"], to=ref["c"], dy=5)
    assert await browser.evaluate("$('#list').text().replace(/\\s/g, '')") == "bca"
