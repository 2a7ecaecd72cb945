"""Pages fetched through a real Chromium, out of sight, with the cookies of the visible tab."""

import asyncio
import contextlib
import gzip
import json
from collections.abc import AsyncGenerator, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
import pytest_asyncio

from doer.computers.browser import chromium
from doer.computers.browser.cdp import Connection
from doer.computers.text.hidden_tab import DOM_JS
from doer.computers.text.reader import Reader
from doer.errors import ComputerError, ToolError

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
WORDS = b" word" * 60
HTML = {"Content-Type": "text/html"}
PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R
/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj
4 0 obj<</Length 47>>stream
BT /F1 12 Tf 20 100 Td (The invoice is due) Tj ET
endstream endobj
trailer<</Root 1 0 R>>
"""
BY_SCRIPT = b"""<title>App</title><div id=root></div><script>
fetch("/data").then((r) => r.json()).then((data) => {
  root.innerHTML = `<h1>${data.title}</h1><p id=host></p><p style="display:none">never seen</p>
    <label>Pin <input type=password></label><iframe srcdoc="<p>in a frame</p>"></iframe>`;
  root.querySelector("input").value = "hunter2";
  host.attachShadow({ mode: "open" }).innerHTML = "<b>in a shadow</b>";
  document.onvisibilitychange = () => window.open("/popup");
  window.open("/popup");
});
</script>"""
LOADED = """new Promise((resolve) =>
  document.readyState === "complete" ? resolve() : addEventListener("load", resolve))"""
TYPED_INTO = """document.body.innerHTML =
  "<label>Name <input></label><select><option>a<option>b</select><input type=password>";
document.querySelector("[type=password]").value = "hunter2";
document.querySelector("input").value = "Ann <b>";
document.querySelector("select").selectedIndex = 1;"""
Answer = tuple[int, dict[str, str], bytes]
ANSWERS: dict[str, Answer] = {
    "/login": (200, {**HTML, "Set-Cookie": "sid=secret; HttpOnly; SameSite=Lax"}, b"in" + WORDS),
    "/moved": (302, {"Location": "/page", "Set-Cookie": "moved=1"}, b""),
    "/loop": (302, {"Location": "/loop"}, b""),
    "/page": (200, HTML, b"<title>Page</title><p>Text" + WORDS),
    "/404": (404, HTML, b"<h1>Gone</h1>"),
    "/401": (401, {**HTML, "WWW-Authenticate": "Basic realm=x"}, b"<p>Say who you are"),
    "/204": (204, {}, b""),
    "/empty": (200, HTML, b""),
    "/latin": (
        200,
        {"Content-Type": "text/html; charset=ISO-8859-2"},
        "<p>Łódź".encode("iso8859-2"),
    ),
    "/pdf": (200, {"Content-Type": "application/pdf"}, PDF),
    "/json": (200, {"Content-Type": "application/json"}, json.dumps({"a": ["ü" * 500]}).encode()),
    "/plain": (200, {"Content-Type": "text/plain; charset=utf-8"}, b"one\n  two\n"),
    "/zip": (
        200,
        {"Content-Type": "application/zip", "Content-Disposition": 'attachment; filename="a.zip"'},
        b"PK\3\4" * 3000,
    ),
    "/csv": (
        200,
        {"Content-Type": "text/csv", "Content-Disposition": 'attachment; filename="a.csv"'},
        b"a,b\n1,2\n",
    ),
    "/png": (
        200,
        {"Content-Type": "image/png"},
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0\0\0\0\x80\x08\2\0\0\0",
    ),
    "/bomb": (
        200,
        {"Content-Type": "text/plain", "Content-Encoding": "gzip"},
        gzip.compress(b"a line of text\n" * 2_000_000),
    ),
    "/app": (200, HTML, BY_SCRIPT),
    "/data": (200, {"Content-Type": "application/json"}, b'{"title": "Made by a script"}'),
    "/refresh": (200, HTML, b"<meta http-equiv=refresh content='0; url=/page'>"),
    "/onward": (200, HTML, b"<script>location.replace('/page')</script>"),
    "/alert": (
        200,
        HTML,
        b"<p>Before<script>alert(1); confirm(2); document.write('after')</script>",
    ),
    "/endless": (200, HTML, b"<p>A loop<script>for (;;);</script>"),
}


class Server:
    """Answers from `ANSWERS`. `/hang` never answers; `/broken` breaks off in the middle."""

    def __init__(self) -> None:
        self.hanging = Event()
        self.asked: list[tuple[str, str]] = []
        self.closing = Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                outer.asked.append((path, self.headers.get("Cookie", "")))
                if path == "/hang":
                    outer.hanging.set()
                    outer.closing.wait()
                    self.close_connection = True
                    return
                status, headers, body = ANSWERS.get(path, (404, HTML, b""))
                length = len(body)
                if path == "/broken":
                    status, headers, body, length = 200, HTML, b"<p>Half" + WORDS, 10_000
                    self.close_connection = True
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):  # an answer nobody waited for
                    super().handle()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture(scope="module")
def server() -> Generator[Server]:
    server = Server()
    thread = Thread(target=server.server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.closing.set()
    server.server.shutdown()
    thread.join()
    server.server.server_close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def connection() -> AsyncGenerator[Connection]:
    running = await chromium.start()
    yield running.connection
    await running.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def context(connection: Connection) -> str:
    return (await connection.call("Target.createBrowserContext"))["browserContextId"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(connection: Connection, context: str) -> AsyncGenerator[Reader]:
    async with Reader(connection, context, timeout_s=40) as reader:
        yield reader


class Page:
    """A visible tab."""

    def __init__(self, connection: Connection, session: str) -> None:
        self._connection = connection
        self._session = session

    async def evaluate(self, expression: str) -> Any:
        params = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        answer = await self._connection.call("Runtime.evaluate", params, self._session)
        return answer["result"].get("value")

    async def open(self, url: str) -> None:
        await self._connection.call("Page.navigate", {"url": url}, self._session)
        await self.evaluate(LOADED)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(connection: Connection, context: str) -> Page:
    place = {"url": "about:blank", "browserContextId": context}
    target = (await connection.call("Target.createTarget", place))["targetId"]
    attach = {"targetId": target, "flatten": True}
    session = (await connection.call("Target.attachToTarget", attach))["sessionId"]
    return Page(connection, session)


async def targets(connection: Connection) -> set[str]:
    infos = (await connection.call("Target.getTargets"))["targetInfos"]
    return {info["targetId"] for info in infos}


async def test_a_login_in_the_visible_tab_holds_in_the_text_view_and_the_tab_stays(
    reader: Reader, page: Page, server: Server
):
    await page.open(f"{server.origin}/login")
    await page.evaluate("document.title = 'mine'; scrollTo(0, 7)")
    document = await reader.fetch(f"{server.origin}/moved")
    assert (document.title, document.url) == ("Page", f"{server.origin}/page")
    assert server.asked[-2] == ("/moved", "sid=secret")
    assert server.asked[-1] == ("/page", "sid=secret; moved=1")
    assert await page.evaluate("[document.title, location.pathname]") == ["mine", "/login"]
    assert "moved=1" in await page.evaluate("document.cookie")


async def test_status_and_body_of_a_refusal_are_told(reader: Reader, server: Server):
    gone = await reader.fetch(f"{server.origin}/404")
    assert (gone.status, gone.lines) == (404, ("# Gone",))
    denied = await reader.fetch(f"{server.origin}/401")
    assert (denied.status, denied.lines) == (401, ("Say who you are",))


async def test_an_answer_without_a_body_is_an_empty_document(reader: Reader, server: Server):
    assert (await reader.fetch(f"{server.origin}/204")).status == 204
    assert (await reader.fetch(f"{server.origin}/empty")).lines == ()


async def test_every_type_is_read_as_what_it_is(reader: Reader, server: Server):
    async def read(path: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        document = await reader.fetch(server.origin + path)
        return document.kind, document.lines, document.notes

    assert (await read("/latin"))[:2] == ("html", ("Łódź",))
    assert (await read("/pdf"))[:2] == ("pdf", ("[page 1]", "The invoice is due"))
    assert (await read("/json"))[1][:2] == ("{", ' "a": [')
    assert (await read("/plain"))[:2] == ("text", ("one", "  two"))
    kind, lines, notes = await read("/csv")
    assert (kind, lines) == ("text", ("a,b", "1,2"))
    assert "a.csv" in notes[0]
    kind, lines, _ = await read("/zip")
    assert kind == "file"
    assert "a.zip: application/zip, 12,000 bytes" in lines[0]
    kind, lines, _ = await read("/png")
    assert kind == "image"
    assert "256 x 128 pixels" in lines[0]


async def test_a_body_is_read_up_to_the_limit_however_small_it_came(
    connection: Connection, context: str, server: Server
):
    async with Reader(connection, context, max_bytes=100_000) as reader:
        document = await reader.fetch(f"{server.origin}/bomb")
    assert "only the first 100,000 bytes were read" in document.notes
    assert len(document.lines) == 100_000 // 15 + 1


async def test_a_body_that_breaks_off_is_read_as_far_as_it_came(reader: Reader, server: Server):
    document = await reader.fetch(f"{server.origin}/broken")
    assert document.lines[0].startswith("Half word")


async def test_what_does_not_answer_is_refused_with_the_reason(
    connection: Connection, context: str, reader: Reader, server: Server
):
    with pytest.raises(ToolError, match="more than 10 times"):
        await reader.fetch(f"{server.origin}/loop")
    with pytest.raises(ToolError, match="NAME_NOT_RESOLVED|TUNNEL|PROXY"):
        await reader.fetch("http://no-such-host.invalid/")
    with pytest.raises(ToolError, match="only http, https can be opened"):
        await reader.fetch("file:///etc/passwd")
    async with Reader(connection, context, timeout_s=2) as hasty:
        with pytest.raises(ToolError, match="no answer in 2 s"):
            await hasty.fetch(f"{server.origin}/hang")
        assert (await hasty.fetch(f"{server.origin}/page")).title == "Page"


async def test_a_page_made_by_scripts_is_rendered_with_shadow_roots_and_frames(
    connection: Connection, reader: Reader, server: Server
):
    before = await targets(connection)
    document = await reader.fetch(f"{server.origin}/app")
    assert document.title == "App"
    assert document.lines == (
        "# Made by a script",
        "in a shadow",
        '[password "Pin" = "********"]',
        "in a frame",
    )
    assert "rendered" in document.notes[0]
    assert await targets(connection) - before <= reader.targets, "it opened a window"


async def test_a_page_that_leads_on_is_followed(reader: Reader, server: Server):
    for path in ("/refresh", "/onward"):
        document = await reader.fetch(server.origin + path)
        assert (document.title, document.url) == ("Page", f"{server.origin}/page"), path


async def test_dialogs_of_a_rendered_page_do_not_hold_it_up(reader: Reader, server: Server):
    assert (await reader.fetch(f"{server.origin}/alert")).lines == ("Beforeafter",)


async def test_a_page_that_hangs_is_read_as_it_came_and_the_next_one_as_ever(
    connection: Connection, context: str, server: Server
):
    async with Reader(connection, context, timeout_s=4) as hasty:
        document = await hasty.fetch(f"{server.origin}/endless")
        assert document.lines == ("A loop",)
        assert "could not be rendered" in document.notes[0]
    async with Reader(connection, context, timeout_s=40) as reader:
        assert (await reader.fetch(f"{server.origin}/page")).title == "Page"


async def test_the_page_shown_is_read_with_what_was_typed_into_it(
    reader: Reader, page: Page, server: Server
):
    await page.open(f"{server.origin}/page")
    await page.evaluate(TYPED_INTO)
    document = await reader.current(page.evaluate)
    assert document.lines == (
        '[textbox "Name" = "Ann <b>"] [select = "b"] {a / b} [password = "********"]',
    )
    assert "hunter2" not in str(await page.evaluate(DOM_JS)), "it need not leave the page"
    assert document.url == f"{server.origin}/page"


async def test_many_at_once_share_a_few_tabs(reader: Reader, server: Server):
    urls = [f"{server.origin}/page?{n}" for n in range(9)]
    documents = await asyncio.gather(*map(reader.fetch, urls))
    assert [document.url for document in documents] == urls
    assert len(reader.targets) <= 3


async def test_a_crash_is_told_and_heals_by_itself(
    connection: Connection, context: str, server: Server
):
    async with Reader(connection, context, timeout_s=40) as reader:
        await reader.fetch(f"{server.origin}/page")
        [target] = reader.targets
        server.hanging.clear()
        hanging = asyncio.create_task(reader.fetch(f"{server.origin}/hang"))
        await asyncio.to_thread(server.hanging.wait, 30)
        await connection.call("Target.closeTarget", {"targetId": target})
        with pytest.raises(ComputerError, match="/hang"):
            await hanging
        assert (await reader.fetch(f"{server.origin}/page")).title == "Page"
        assert target not in reader.targets


async def test_a_cancelled_fetch_leaves_no_tab_behind(
    connection: Connection, context: str, server: Server
):
    before = await targets(connection)
    async with Reader(connection, context) as reader:
        for delay_s in (0, 0, 0.001, 0.01, 0.02, 0.04, 0.08, 0.16, 0.3):
            fetching = asyncio.create_task(reader.fetch(f"{server.origin}/page"))
            await asyncio.wait([fetching], timeout=delay_s)
            fetching.cancel()
            await asyncio.wait([fetching])
        assert (await reader.fetch(f"{server.origin}/page")).title == "Page"
    for _ in range(200):  # closing takes its time
        if not await targets(connection) - before:
            return
    pytest.fail("a hidden tab stayed")
