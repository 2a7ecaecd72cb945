"""A real Chromium, pages for it, and a look at its processes."""

import contextlib
from collections.abc import AsyncGenerator, Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest
import pytest_asyncio

from doer.computers.browser.browser import Browser
from doer.computers.browser.host import BrowserHost


class Site:
    """A small web site: `pages` by path. Any other path is never answered while it is open."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.cookies: list[str] = []
        self.closing = Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path == "/favicon.ico":
                    self.send_error(404)
                    return
                site.cookies.append(self.headers.get("Cookie", ""))
                if path not in site.pages:
                    site.closing.wait()
                    self.close_connection = True
                    return
                body = site.pages[path].encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.origin = f"http://127.0.0.1:{self.port}"

    def page(self, html: str, path: str = "/") -> str:
        """Put a page there; its address."""
        self.pages[path] = f"<!doctype html>{html}"
        return self.origin + path


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
