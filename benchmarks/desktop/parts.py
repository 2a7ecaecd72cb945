"""What one call of a computer's parts takes: commands, pictures, clicks, the text view."""

import asyncio
import time
from functools import partial

from shell import direct

from desktop.ground import ARTICLE, ORDER, TABLE, Bench, pages, since, timed
from doer.computers.browser import mouse
from doer.computers.desktop import DesktopComputer
from doer.computers.screen.mirror import Mirror
from doer.computers.text.view import tokens

TIMES = 10  # a round
AWAIT_CLICK = "(window.clicked = new Promise(r => onmousedown = () => r(1))) && 1"
MIDDLE = 640, 480
NAMES = {ARTICLE: "an article", ORDER: "a form", TABLE: "300 rows"}


async def parts(bench: Bench) -> None:
    async with bench.computer("parts") as desk:
        await desk.ready("browser")
        await _commands(bench, desk)
        await _readiness(bench, desk)
        await desk.browser.open(bench.page(ARTICLE))
        await _screen(bench, desk)
        await _text(bench, desk)


async def _commands(bench: Bench, desk: DesktopComputer) -> None:
    inside: list[float] = []
    plain: list[float] = []
    for _ in range(bench.rounds * TIMES):
        await timed(inside, lambda: desk.shell.run(["true"]))
        await timed(plain, direct)
    peer = "a plain asyncio subprocess"
    bench.add("shell: the command `true`", inside, beside=plain, peer=peer)


async def _readiness(bench: Bench, desk: DesktopComputer) -> None:
    """What every use of a part costs before it begins."""
    shell: list[float] = []
    browser: list[float] = []
    ping: list[float] = []
    for _ in range(bench.rounds * TIMES):
        await timed(ping, desk.link.ping)
        await timed(shell, lambda: desk.ready("shell"))
        await timed(browser, lambda: desk.ready("browser"))
    bench.add("ready: all is well, shell", shell, beside=ping, peer="the daemon's ping alone")
    bench.add("ready: all is well, browser", browser, beside=ping, peer="the daemon's ping alone")


async def _screen(bench: Bench, desk: DesktopComputer) -> None:
    mirror = await Mirror.open(partial(bench.fleet.backend.dial, desk.name, "screen"))

    async def by_screen() -> None:
        mirror.move(*MIDDLE)
        mirror.move(*MIDDLE, 1)
        mirror.move(*MIDDLE)

    async def by_devtools() -> None:
        await desk.browser.profile.tabs.current.send_all(mouse.click(MIDDLE))

    picture: list[float] = []
    devtools: list[float] = []
    clicks: dict[str, list[float]] = {"screen": [], "devtools": []}
    try:
        for _ in range(bench.rounds * TIMES):
            await timed(picture, desk.screen.screenshot)
            await timed(devtools, desk.browser.screenshot)
            for way, click in (("screen", by_screen), ("devtools", by_devtools)):
                await desk.browser.evaluate(AWAIT_CLICK)
                begin = time.perf_counter()
                async with asyncio.TaskGroup() as group:
                    group.create_task(desk.browser.evaluate("clicked"))
                    group.create_task(click())
                clicks[way].append(since(begin))
    finally:
        await mirror.close()
    peer = "Page.captureScreenshot, JPEG too"
    bench.add("screenshot, 1280x800, JPEG", picture, beside=devtools, peer=peer, target=30)
    peer = "Input.dispatchMouseEvent"
    bench.add(
        "click by the screen to the page's event",
        clicks["screen"],
        beside=clicks["devtools"],
        peer=peer,
    )


async def _text(bench: Bench, desk: DesktopComputer) -> None:
    """The text view beside a visit of the same page; its tokens beside those of the HTML."""
    await desk.reader.fetch(bench.page(ARTICLE))  # makes its tab and its worker
    for page, content in enumerate(pages()):
        fetches: list[float] = []
        visits: list[float] = []
        lines = ""
        for _ in range(bench.rounds):
            document = await timed(fetches, partial(desk.reader.fetch, bench.page(page)))
            lines = "\n".join(document.lines)
            await timed(visits, partial(desk.browser.open, bench.page(page)))
        bench.add(f"text view of {NAMES[page]}", fetches, beside=visits, peer="the page opened")
        raw = [tokens(content.decode())]
        bench.add("  its length", [tokens(lines)], "tokens", beside=raw, peer="its HTML")
