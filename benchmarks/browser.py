"""Actions per second on a small login form: Browser against a hand-written CDP loop.

The raw loop is the limit: one thread, no event loop, blocking reads of the pipe, and for every
action the same script calls, the same trusted input and the same read. Run:

    python benchmarks/browser.py [--pages 1 8 16]
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from doer.computers.browser import chromium
from doer.computers.browser.browser import Browser
from doer.computers.browser.fittings import PAGE_JS
from doer.computers.browser.host import BrowserHost

VIEWPORT = (500, 400)
USER, PASSWORD, LOGIN = 2, 3, 4  # references on the form
FORM = b"""<!doctype html><title>Login</title>
<style>label, button { display: block; margin: 5px }</style>
<h1>Welcome</h1><p>Please log in.</p>
<form><label>Username <input name="user"></label>
<label>Password <input name="password" type="password"></label>
<button>Login</button></form><p id="said">Nobody has logged in yet.</p>
<script>
  window.count = 0;
  document.forms[0].onsubmit = (event) => {
    event.preventDefault();
    if (event.target.password.value !== "secret") return;
    said.textContent = `Welcome ${event.target.user.value}, number ${++count}`;
    event.target.reset();
  };
</script>"""
ACTIONS = 3  # in one login


class _Form(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(FORM)))
        self.end_headers()
        self.wfile.write(FORM)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextlib.contextmanager
def served() -> Iterator[str]:
    """The address of the form while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Form)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def doer(url: str, pages: int, seconds: float) -> float:
    """`Browser`, one task a page."""

    async def work(browser: Browser, until: float) -> int:
        logins = 0
        while time.perf_counter() < until:
            await browser.type(USER, "ann")
            await browser.type(PASSWORD, "secret")
            view = await browser.click(LOGIN)
            logins += 1
            assert view.elements[-1].name == f"Welcome ann, number {logins}"
        return logins

    async with await BrowserHost.start() as host:
        browsers = [await host.new_browser(viewport=VIEWPORT) for _ in range(pages)]
        for browser in browsers:
            await browser.open(url)
            await browser.read()
        begin = time.perf_counter()
        logins = await asyncio.gather(*(work(b, begin + seconds) for b in browsers))
        return sum(logins) * ACTIONS / (time.perf_counter() - begin)


async def raw(url: str, pages: int, seconds: float) -> float:
    """The hand-written loop."""
    with Pipe() as pipe:
        sessions = [pipe.page(url) for _ in range(pages)]
        begin = time.perf_counter()
        actions = pipe.drive(sessions, begin + seconds)
        rate = actions / (time.perf_counter() - begin)
        counts = [pipe.call("Runtime.evaluate", s, expression="count") for s in sessions]
        assert sum(count["result"]["value"] for count in counts) * ACTIONS == actions
        return rate


class Pipe:
    """Chromium's pipe, read and written without an event loop."""

    def __enter__(self) -> "Pipe":
        self.folder = Path(tempfile.mkdtemp(prefix="doer-raw-"))
        theirs_in, self.out = os.pipe()
        self.into, theirs_out = os.pipe()
        ends = theirs_in, theirs_out
        shell = f'exec "$@" 3</dev/fd/{ends[0]} 4>/dev/fd/{ends[1]}'
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", shell, "sh", *chromium.command(self.folder)],
            pass_fds=ends,
            start_new_session=True,
            stderr=subprocess.DEVNULL,
        )
        for end in ends:
            os.close(end)
        self.last, self.rest = 0, b""
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.out)
        os.close(self.into)
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, session: str, *commands: tuple[str, dict[str, Any]]) -> int:
        """Send commands in one write; the id of the last."""
        text = ""
        for method, params in commands:
            self.last += 1
            message = {"id": self.last, "method": method, "params": params}
            if session:
                message["sessionId"] = session
            text += json.dumps(message) + "\0"
        os.write(self.out, text.encode())
        return self.last

    def read(self) -> list[dict[str, Any]]:
        """Whatever messages have come, at least one."""
        while b"\0" not in self.rest:
            self.rest += os.read(self.into, 1 << 20)
        *whole, self.rest = self.rest.split(b"\0")
        return [json.loads(message) for message in whole]

    def call(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        id = self.write(session, (method, params))
        while True:
            for message in self.read():
                if message.get("id") == id:
                    return message["result"]

    def page(self, url: str) -> str:
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)
        attached = self.call("Target.attachToTarget", **target, flatten=True)
        session = attached["sessionId"]
        self.call("Page.enable", session)
        self.call("Emulation.setFocusEmulationEnabled", session, enabled=True)
        width, height = VIEWPORT
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", session, **metrics)
        self.call("Page.addScriptToEvaluateOnNewDocument", session, source=PAGE_JS)
        self.write(session, ("Page.navigate", {"url": url}))
        while all(message.get("method") != "Page.loadEventFired" for message in self.read()):
            pass
        self.call("Runtime.evaluate", session, expression="__doer.read()")
        return session

    def drive(self, sessions: list[str], until: float) -> int:
        """Log in on all pages until the time is over; the number of actions done."""
        waits: dict[int, Iterator[int]] = {}
        for session in sessions:
            steps = self.logins(session, until)
            waits[next(steps)] = steps
        self.actions = 0
        while waits:
            for message in self.read():
                if steps := waits.pop(message.get("id", 0), None):
                    self.answer = message["result"]
                    with contextlib.suppress(StopIteration):
                        waits[next(steps)] = steps
        return self.actions

    def logins(self, session: str, until: float) -> Iterator[int]:
        """Yields the id of the command to wait for; `answer` is then what came back."""
        while time.perf_counter() < until:
            for ref, text in ((USER, "ann"), (PASSWORD, "secret"), (LOGIN, "")):
                aim = f"__doer.aim({ref}, {{edit: {str(bool(text)).lower()}}})"
                yield self.write(session, evaluate(aim))
                x, y = self.answer["result"]["value"]["start"]
                yield self.write(session, *click(x, y), *(typing(text) if text else ()))
                yield self.write(session, evaluate("__doer.settledRead()"))
                json.loads(self.answer["result"]["value"])
                self.actions += 1


def evaluate(expression: str) -> tuple[str, dict[str, Any]]:
    params = {"expression": expression, "returnByValue": True, "awaitPromise": True}
    return "Runtime.evaluate", params


def click(x: float, y: float) -> list[tuple[str, dict[str, Any]]]:
    at = {"x": x, "y": y, "button": "left", "clickCount": 1}
    events = [{"type": "mouseMoved", "x": x, "y": y}]
    events += [{"type": "mousePressed", "buttons": 1, **at}, {"type": "mouseReleased", **at}]
    return [("Input.dispatchMouseEvent", event) for event in events]


def typing(text: str) -> list[tuple[str, dict[str, Any]]]:
    control = {"key": "Control", "code": "ControlLeft", "windowsVirtualKeyCode": 17}
    a = {"key": "a", "code": "KeyA", "windowsVirtualKeyCode": 65, "modifiers": 2}
    last = {"key": text[-1], "windowsVirtualKeyCode": ord(text[-1].upper())}
    return [
        ("Input.dispatchKeyEvent", {"type": "rawKeyDown", "modifiers": 2, **control}),
        ("Input.dispatchKeyEvent", {"type": "rawKeyDown", "commands": ["selectAll"], **a}),
        ("Input.dispatchKeyEvent", {"type": "keyUp", **a}),
        ("Input.dispatchKeyEvent", {"type": "keyUp", **control}),
        ("Input.insertText", {"text": text[:-1]}),
        ("Input.dispatchKeyEvent", {"type": "keyDown", "text": text[-1], **last}),
        ("Input.dispatchKeyEvent", {"type": "keyUp", **last}),
    ]


Row = Callable[[str, int, float], Awaitable[float]]
ROWS: dict[str, Row] = {"raw CDP": raw, "Browser": doer}
"""Each row: (address of the form, pages, seconds) -> actions per second. The first is the limit."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="of one measurement")
    parser.add_argument("--rounds", type=int, default=3, help="rows take turns; the best counts")
    parser.add_argument("--pages", type=int, nargs="+", default=[1, 8, 16])
    options = parser.parse_args()
    with served() as url:
        for pages in options.pages:
            best = dict.fromkeys(ROWS, 0.0)
            for _ in range(options.rounds):
                for name, row in ROWS.items():
                    rate = asyncio.run(row(url, pages, options.seconds))
                    best[name] = max(best[name], rate)
            limit = next(iter(best.values()))
            for name, rate in best.items():
                print(f"{pages:3} pages  {name:10} {rate:7.1f} actions/s  {rate / limit:4.0%}")


if __name__ == "__main__":
    main()
