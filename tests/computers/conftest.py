"""A real Chromium, pages for it, and a look at its processes."""

import base64
import contextlib
from collections.abc import AsyncGenerator, Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest
import pytest_asyncio

from doer.computers.browser.attach import attach
from doer.computers.browser.browser import Browser
from doer.computers.browser.chromium import Chromium, start
from doer.computers.browser.host import BrowserHost
from doer.computers.browser.profile import Options


class Handler(BaseHTTPRequestHandler):
    """Answers as `Site` says."""

    site: "Site"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/favicon.ico":
            self.send_error(404)
            return
        self.site.cookies.append(self.headers.get("Cookie", ""))
        self.site.closing.wait(self.site.slow.get(path, 0))
        if path in self.site.passwords and not self.logged_in(self.site.passwords[path]):
            self.answer(401, "text/html", b"<p>not for you", WWW_Authenticate="Basic realm=R")
        elif path in self.site.files:
            kind, body = self.site.files[path]
            self.answer(200, kind, body)
        elif path in self.site.huge:
            kind, length = "application/octet-stream", str(self.site.huge[path])
            self.answer(200, kind, b"x" * 9999, Content_Length=length)
            self.site.closing.wait()
            self.close_connection = True
        elif path in self.site.pages:
            self.answer(200, "text/html; charset=utf-8", self.site.pages[path].encode())
        else:
            self.site.closing.wait()
            self.close_connection = True

    def logged_in(self, wanted: str) -> bool:
        sent = self.headers.get("Authorization", "")
        self.site.asked.append(sent)
        return sent == f"Basic {base64.b64encode(wanted.encode()).decode()}"

    def answer(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        headers = {"Content_Type": kind, "Content_Length": str(len(body)), **headers}
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Site:
    """A small web site: `pages` by path. Any other path is never answered while it is open."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.files: dict[str, tuple[str, bytes]] = {}  # content type and body, to be downloaded
        self.huge: dict[str, int] = {}  # the length that is claimed of a file which never ends
        self.slow: dict[str, float] = {}  # seconds before an answer
        self.passwords: dict[str, str] = {}  # user:password, of pages that ask for it
        self.asked: list[str] = []  # what was sent to them
        self.cookies: list[str] = []
        self.closing = Event()

        class Mine(Handler):
            site = self

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Mine)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.origin = f"http://127.0.0.1:{self.port}"

    def page(self, html: str, path: str = "/") -> str:
        """Put a page there; its address."""
        self.pages[path] = f"<!doctype html>{html}"
        return self.origin + path

    def at(self, host: str, path: str = "/") -> str:
        """The address under another name of this machine, such as a.localhost: another site."""
        return f"http://{host}:{self.port}{path}"


@pytest.fixture
def site() -> Generator[Site]:
    site = Site()
    thread = Thread(target=site.server.serve_forever, args=(0.02,))
    thread.start()
    yield site
    site.closing.set()
    site.server.shutdown()
    thread.join()
    site.server.server_close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host() -> AsyncGenerator[BrowserHost]:
    async with await BrowserHost.start() as host:
        yield host


@pytest_asyncio.fixture(loop_scope="module")
async def browser(host: BrowserHost) -> AsyncGenerator[Browser]:
    browser = await host.new_browser(viewport=(800, 600))
    yield browser
    await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncGenerator[Chromium]:
    """One whose tabs are all the test's own."""
    chromium = await start()
    yield chromium
    await chromium.close()


@pytest_asyncio.fixture(loop_scope="module")
async def profile(chromium: Chromium) -> AsyncGenerator[Browser]:
    """A browser with tabs, one of them, blank. What it has downloaded is in Chromium's world."""
    options = Options(downloads="/tmp/downloads", viewport=(800, 600), download_bytes=1_000_000)
    browser = await attach(chromium.connection, options)
    yield browser
    await clean(browser)


async def clean(browser: Browser) -> None:
    """Close all tabs but a blank one."""
    tabs = browser.profile.tabs
    first = [number for number, _ in tabs.items()]
    for number in first:
        await tabs.close(number)
    await browser.open("about:blank")
    await browser.read()


@pytest.fixture
def descendants() -> Callable[[int], dict[int, str]]:
    """A function: pid -> the processes below it, with their command lines."""

    def below(root: int) -> dict[int, str]:
        parents: dict[int, int] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        found: dict[int, str] = {}
        wave = {root}
        while wave := {pid for pid, parent in parents.items() if parent in wave}:
            for pid in wave:
                with contextlib.suppress(OSError):
                    found[pid] = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        return found

    return below
