"""Mouse and keyboard as a page in a real, visible Chromium sees them."""

import asyncio
import os
import shutil
from collections import deque
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from doer.computers.browser import chromium
from doer.computers.screen.screen import Screen
from doer.records.screen import Click, DoubleClick, Drag, Keypress, Move, Point, Scroll, Type

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

PATIENCE_S = 40
PAGE = """<!doctype html><meta charset="utf-8"><title>page</title>
<style>body { margin: 0; height: 3000px; width: 3000px } body > * { position: absolute; left: 20px }
textarea { top: 20px; width: 500px; height: 60px }
#dragged { top: 120px; width: 80px; height: 80px; background: red }
#goal { top: 120px; left: 420px; width: 120px; height: 120px; background: blue }
input { top: 280px; width: 300px }</style>
<textarea></textarea><div id="dragged" draggable="true"></div><div id="goal"></div>
<input type="range" min="0" max="100" value="0">
<script>
  const [field] = document.getElementsByTagName("textarea");
  const [slider] = document.getElementsByTagName("input");
  let seen = [], sending = false;
  async function say(event) {
    seen.push(event);
    if (sending) return;
    sending = true;
    while (seen.length) {
      const body = JSON.stringify(seen);
      seen = [];
      await fetch("/", { method: "POST", body });
    }
    sending = false;
  }
  for (const kind of ["mousemove", "mousedown", "click", "auxclick", "dblclick", "contextmenu"])
    addEventListener(kind, (e) => {
      if (kind == "contextmenu") e.preventDefault();
      const { button, ctrlKey: ctrl, shiftKey: shift } = e;
      say({ kind, x: e.clientX, y: e.clientY, button, ctrl, shift });
    }, true);
  field.oninput = () => say({ kind: "input", text: field.value });
  slider.oninput = () => say({ kind: "slid", text: slider.value });
  addEventListener("wheel", (e) => say({ kind: "wheel", x: e.deltaX, y: e.deltaY }));
  dragged.ondragstart = (e) => e.dataTransfer.setData("text/plain", "a present");
  goal.ondragover = (e) => e.preventDefault();
  goal.ondrop = (e) => {
    e.preventDefault();
    say({ kind: "drop", text: e.dataTransfer.getData("text/plain") });
  };
  say({ kind: "ready" });
</script>"""


class Page:
    """A page that tells what happens to it. Places are the page's own."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.left = self.top = 0
        self._events: deque[dict[str, Any]] = deque()
        self._told = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        body = PAGE.encode() if head.startswith("get / ") else b""
        if head.startswith("post"):
            length = int(head.split("content-length:")[1].split()[0])
            self._events += msgspec.json.decode(await reader.readexactly(length))
            self._told.set()
        kind = b"Content-Type: text/html; charset=utf-8\r\n"
        start = b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + kind
        writer.write(start + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async def hear(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next event that is wanted; those before it are dropped."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                while self._events:
                    event = self._events.popleft()
                    if wanted(event):
                        return event
                self._told.clear()
                await self._told.wait()

    def place(self, x: int, y: int) -> dict[str, int]:
        return {"x": x + self.left, "y": y + self.top}

    async def click(self, x: int, y: int) -> None:
        await self.screen.act([Click(**self.place(x, y), button="left")])
        await self.hear(lambda event: event["kind"] == "click")

    async def text(self, wanted: str) -> bool:
        """Wait until the field holds that."""
        last = ""

        def same(event: dict[str, Any]) -> bool:
            nonlocal last
            last = event.get("text", last)
            return last == wanted

        try:
            await self.hear(same)
        except TimeoutError:
            pytest.fail(f"the field holds {last!r}")
        return True


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(x_server, tmp_path_factory) -> AsyncGenerator[Page]:
    program = next(filter(None, map(shutil.which, (chromium.DEBIAN, *chromium.NAMES))), None)
    if program is None or shutil.which("openbox") is None:
        pytest.skip("needs chromium and openbox (Debian packages of these names)")
    screen = Screen(x_server.dial, x_server.load_keyboard)
    page = Page(screen)
    server = await asyncio.start_server(page.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    x_server.start("openbox", "--config-file", str(silent(tmp_path_factory.mktemp("openbox"))))
    flags = ["--test-type", "--disable-gpu", "--no-first-run", "--window-size=800,600"]
    flags += ["--no-sandbox"] if os.getuid() == 0 else []
    profile = f"--user-data-dir={tmp_path_factory.mktemp('profile')}"
    x_server.start(program, *flags, profile, f"--app=http://127.0.0.1:{port}/")
    await page.hear(lambda event: event["kind"] == "ready")
    await screen.act([Move(x=400, y=300), Move(x=401, y=301)])
    seen = await page.hear(lambda event: event["kind"] == "mousemove")
    page.left, page.top = 401 - seen["x"], 301 - seen["y"]
    yield page
    await screen.close()
    server.close()


def silent(folder: Path) -> Path:
    """Settings of openbox without any key or mouse binding in the way."""
    settings = folder / "rc.xml"
    settings.write_text('<openbox_config xmlns="http://openbox.org/3.4/rc"></openbox_config>')
    return settings


async def test_any_text_arrives_though_the_keyboard_has_too_few_keys(page: Page) -> None:
    many = "".join(chr(0x4E00 + n) for n in range(220))
    text = "a Grüße, Привет, Γειά, 漢字 かな 한글 עברית 😀 €"
    await page.click(60, 40)
    await page.screen.act([Type(text=text)])
    assert await page.text(text)
    await page.screen.act([Keypress(keys=("CTRL", "A")), Type(text=many + "\nx")])
    assert await page.text(many + "\nx")
    await page.screen.act([Keypress(keys=("CTRL", "A")), Keypress(keys=("DELETE",))])
    assert await page.text("")


async def test_keys_move_and_select(page: Page) -> None:
    await page.click(60, 40)
    await page.screen.act([Type(text="abc"), Keypress(keys=("SHIFT", "ARROWLEFT"))])
    await page.screen.act([Type(text="d"), Keypress(keys=("TAB",)), Keypress(keys=("shift+tab",))])
    await page.screen.act([Keypress(keys=("END",)), Type(text="e")])
    assert await page.text("abde")
    await page.screen.act([Keypress(keys=("CTRL", "A")), Keypress(keys=("BACKSPACE",))])
    assert await page.text("")


async def test_clicks_of_all_sorts(page: Page) -> None:
    place = page.place(400, 400)
    await page.screen.act([DoubleClick(**place)])
    await page.hear(lambda event: event["kind"] == "dblclick")
    await page.screen.act([Click(**place, button="right")])
    await page.hear(lambda event: event["kind"] == "contextmenu")
    await page.screen.act([Click(**place, button="wheel")])
    await page.hear(lambda event: event["kind"] == "auxclick" and event["button"] == 1)
    await page.screen.act([Keypress(keys=("ESC",))])  # it had started to scroll by itself
    await page.screen.act([Click(**place, button="left", keys=("CTRL", "SHIFT"))])
    held = await page.hear(lambda event: event["kind"] == "click" and event["ctrl"])
    assert held["shift"]
    assert (held["x"], held["y"]) == (400, 400)
    await page.screen.act([Click(**page.place(401, 400), button="left")])
    free = await page.hear(lambda event: event["kind"] == "click" and event["x"] == 401)
    assert not free["ctrl"]
    assert not free["shift"]


async def test_the_wheel_scrolls_both_ways(page: Page) -> None:
    for axis, other in (("x", "y"), ("y", "x")):
        for far in (240, -240):
            distance = {f"scroll_{axis}": far, f"scroll_{other}": 0}
            await page.screen.act([Scroll(**page.place(400, 400), **distance)])
            turned = 0
            while turned != far:
                turned += (await page.hear(lambda event: event["kind"] == "wheel"))[axis]
                assert abs(turned) <= abs(far)


async def test_things_are_dragged_and_dropped(page: Page) -> None:
    start, end = Point(**page.place(60, 160)), Point(**page.place(480, 180))
    await page.screen.act([Drag(path=(start, end))])
    assert await page.text("a present")
    start, end = Point(**page.place(28, 288)), Point(**page.place(172, 288))
    await page.screen.act([Drag(path=(start, end))])
    slid = await page.hear(lambda event: event["kind"] == "slid" and int(event["text"]) >= 45)
    assert int(slid["text"]) <= 55
