"""Screenshots and clicks by way of the screen's mirror, beside the DevTools protocol (CDP) of the
same visible Chromium on the same page, turn by turn. Run:

    python benchmarks/screen.py [--times 40]
"""

import argparse
import asyncio
import base64
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from doer.computers.browser import chromium
from doer.computers.browser.cdp import Connection
from doer.computers.screen.mirror import Mirror
from doer.computers.screen.screen import Screen
from doer.records.screen import Click

SIZE = (1280, 800)
PATIENCE_S = 60
SERVER = (
    *("Xvnc", "-geometry", f"{SIZE[0]}x{SIZE[1]}", "-depth", "24", "-SecurityTypes", "None"),
    *("-rfbunixmode", "384", "-rfbport", "-1", "-AlwaysShared", "-ac", "-nolisten", "tcp"),
)
WORDS = "Nobody reads this text, but every letter of it has to be drawn, copied and packed. " * 6
PAGE = f"""<!doctype html><title>Article</title><style>body {{ font: 15px serif; margin: 20px }}
h2 {{ color: #046 }} p {{ background: linear-gradient(90deg, #fff, #eef) }}</style>
{"".join(f"<h2>Chapter {n}</h2><p>{WORDS}</p>" for n in range(12))}
<script>for (const kind of ["mousedown", "keydown"])
  addEventListener(kind, () => seen(kind));</script>"""

Step = Callable[[], Awaitable[object]]


@contextlib.asynccontextmanager
async def desktop() -> AsyncIterator[tuple[Callable[[], Awaitable[socket.socket]], Connection]]:
    """How to dial the screen of a fresh desktop, and its Chromium."""
    folder = Path(tempfile.mkdtemp())
    programs: list[subprocess.Popen[bytes]] = []
    shown, tell = os.pipe()
    with (folder / "log").open("w") as log:

        def start(*command: str, **options: Any) -> None:
            programs.append(subprocess.Popen(command, stdout=log, stderr=log, **options))

        try:
            place = str(folder / "rfb.sock")
            start(*SERVER, "-rfbunixpath", place, "-displayfd", str(tell), pass_fds=[tell])
            os.close(tell)
            with os.fdopen(shown) as display:
                env = {**os.environ, "DISPLAY": f":{display.readline().strip()}"}
            ours, theirs = socket.socketpair()
            flags = [*chromium.FLAGS, *chromium.WINDOWED, f"--window-size={SIZE[0]},{SIZE[1]}"]
            flags += ["--no-sandbox"] if os.geteuid() == 0 else []
            end = theirs.fileno()
            start(
                *("/bin/sh", "-c", f'exec "$@" 3<&{end} 4>&{end}', "sh", chromium.find(), *flags),
                *(f"--user-data-dir={folder / 'profile'}", "about:blank"),
                env=env,
                pass_fds=[end],
            )
            theirs.close()

            async def dial() -> socket.socket:
                client = socket.socket(socket.AF_UNIX)
                client.setblocking(False)
                await asyncio.get_running_loop().sock_connect(client, place)
                return client

            yield dial, await Connection.open_socket(ours)
        finally:
            for program in reversed(programs):
                program.kill()
                program.wait()
            shutil.rmtree(folder, ignore_errors=True)


class Page:
    """The article in Chromium's first tab."""

    def __init__(self, connection: Connection, session: str) -> None:
        self._connection, self._session = connection, session
        self._seen: asyncio.Queue[str] = asyncio.Queue()
        connection.listen(session, self._hear)

    def _hear(self, method: str, params: object) -> None:
        if method == "Runtime.bindingCalled":
            self._seen.put_nowait(method)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        return await self._connection.call(method, params, self._session, PATIENCE_S)

    async def seen(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self._seen.get()

    async def shot(self, **params: Any) -> bytes:
        answer = await self.call("Page.captureScreenshot", **params)
        return base64.b64decode(answer["data"])

    async def mouse(self, x: int, y: int) -> None:
        place = {"x": x, "y": y}
        self._connection.send(
            "Input.dispatchMouseEvent", {"type": "mouseMoved", **place}, self._session
        )
        for kind in ("mousePressed", "mouseReleased"):
            params = {"type": kind, **place, "button": "left", "clickCount": 1}
            self._connection.send("Input.dispatchMouseEvent", params, self._session)
        await self.seen()

    async def key(self) -> None:
        for kind in ("keyDown", "keyUp"):
            params = {"type": kind, "key": "a", "windowsVirtualKeyCode": 65}
            self._connection.send("Input.dispatchKeyEvent", params, self._session)
        await self.seen()


async def opened(connection: Connection) -> Page:
    await connection.call("Browser.getVersion", timeout_s=PATIENCE_S)
    while True:
        targets = (await connection.call("Target.getTargets"))["targetInfos"]
        if pages := [one["targetId"] for one in targets if one["type"] == "page"]:
            break
        await asyncio.sleep(0.1)
    attached = {"targetId": pages[0], "flatten": True}
    session = (await connection.call("Target.attachToTarget", attached))["sessionId"]
    page = Page(connection, session)
    await page.call("Page.enable")
    await page.call("Runtime.enable")
    await page.call("Runtime.addBinding", name="seen")
    frame = (await page.call("Page.getFrameTree"))["frameTree"]["frame"]["id"]
    await page.call("Page.setDocumentContent", frameId=frame, html=PAGE)
    return page


def by_screen(screen: Screen, mirror: Mirror, page: Page) -> dict[str, Step]:
    x, y = SIZE[0] // 2, SIZE[1] * 2 // 3

    async def raw() -> bytes:
        await mirror.ping()
        return bytes(mirror.pixels)

    async def click() -> None:
        mirror.move(x, y)
        mirror.move(x, y, 1)
        mirror.move(x, y)
        await page.seen()

    async def key() -> None:
        mirror.key(ord("a"), True)
        mirror.key(ord("a"), False)
        await page.seen()

    async def act() -> None:
        await screen.act([Click(x=x, y=y, button="left")])
        await page.seen()

    return {
        "screenshot, JPEG": screen.screenshot,
        "screenshot, PNG": lambda: screen.screenshot("png"),
        "pixels": raw,
        "click to DOM event": click,
        "key to DOM event": key,
        "act([click]): done, settled, seen": act,
    }


def by_devtools(page: Page) -> dict[str, Step]:
    return {
        "CDP screenshot, JPEG": lambda: page.shot(format="jpeg", quality=80),
        "CDP screenshot, PNG": lambda: page.shot(format="png"),
        "CDP screenshot, PNG, quick": lambda: page.shot(format="png", optimizeForSpeed=True),
        "CDP click to DOM event": lambda: page.mouse(SIZE[0] // 2, SIZE[1] // 2),
        "CDP key to DOM event": page.key,
    }


async def main(times: int) -> None:
    async with desktop() as (dial, connection):
        page = await opened(connection)
        screen, mirror = Screen(dial), await Mirror.open(dial)
        await screen.act([Click(x=SIZE[0] // 2, y=SIZE[1] // 2, button="left")])
        await page.seen()
        steps = {**by_screen(screen, mirror, page), **by_devtools(page)}
        took: dict[str, list[float]] = {name: [] for name in steps}
        sizes: dict[str, int] = {}
        for _ in range(times):
            for name, step in steps.items():
                start = time.perf_counter()
                result = await step()
                took[name].append((time.perf_counter() - start) * 1000)
                picture = getattr(result, "picture", result)
                sizes[name] = len(picture) if isinstance(picture, bytes) else 0
        await mirror.close()
        await screen.close()
        connection.close()
    print(f"{SIZE[0]}x{SIZE[1]}, {times} times in turn, load {os.getloadavg()[0]:.1f}")
    print(f"{'':34} {'median ms':>9} {'min':>6} {'max':>7} {'KiB':>6}")
    for name, all_ms in took.items():
        middle, least, most = statistics.median(all_ms), min(all_ms), max(all_ms)
        print(f"{name:34} {middle:9.1f} {least:6.1f} {most:7.1f} {sizes[name] / 1024:6.0f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=40)
    asyncio.run(main(parser.parse_args().times))
