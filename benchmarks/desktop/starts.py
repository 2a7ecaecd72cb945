"""How long it takes until a computer can be used: its sandbox, its screen, the first page in its
browser; and until a warm one has taken over the browser of another."""

import asyncio
import subprocess
import time
from functools import partial

from desktop.ground import ARTICLE, Bench, since, timed, until
from doer.computers.browser.host import BrowserHost
from doer.computers.desktop import DesktopComputer
from doer.computers.pool import WarmPool

BARE = ("bwrap", "--unshare-all", "--ro-bind", "/", "/", "true")
COOKIE = {"name": "login", "value": "ann", "domain": "bench.test", "path": "/", "httpOnly": True}
REFILL_S = 60.0


async def sandbox(bench: Bench) -> None:
    """Of a second computer and later ones: the first starts the node's proxy too."""
    async with bench.computer("first"):
        first: list[float] = []
        await timed(first, lambda: bench.fleet.backend.start("first"))
        created: list[float] = []
        ours: list[float] = []
        bare: list[float] = []
        nothing: list[float] = []
        stopped: list[float] = []
        for n in range(bench.rounds * 3):
            name = f"start-{n}"
            begin = time.perf_counter()
            await timed(created, partial(bench.fleet.create, name, bench.spec))
            await bench.fleet.backend.start(name)
            ours.append(since(begin))
            await timed(stopped, partial(bench.fleet.backend.stop, name))
            await bench.fleet.remove(name)
            for command, times in ((BARE, bare), (("true",), nothing)):
                begin = time.perf_counter()
                await asyncio.to_thread(subprocess.run, command, check=True)
                times.append(since(begin))
    bench.add("start: a computer made, its daemon answers", ours, beside=bare, peer="bare bwrap")
    bench.add("  of it: made, not started", created, beside=nothing, peer="the process `true`")
    bench.add("  the first of a folder: the network's proxy starts too", first)
    bench.add("stop", stopped)


async def first_page(bench: Bench) -> None:
    """Cold: nothing of the computer exists before."""
    screens: list[float] = []
    pages: list[float] = []
    bare: list[float] = []
    async with bench.computer("other") as other:  # the proxy runs
        await other.ready("shell")
        for n in range(bench.rounds):
            begin = time.perf_counter()
            async with bench.computer(f"cold-{n}") as desk:
                await desk.ready("screen")
                screens.append(since(begin))
                await desk.ready("browser")
                await desk.browser.open(bench.page(ARTICLE))
                pages.append(since(begin))
            begin = time.perf_counter()
            async with await BrowserHost.start() as host:
                browser = await host.new_browser()
                await browser.open(f"{bench.origin}/{ARTICLE}")
                bare.append(since(begin))
    bench.add("cold start until the screen is there", screens)
    bench.add(
        "cold start to the first page, loaded", pages, beside=bare, peer="a bare headless Chromium"
    )


async def adoption(bench: Bench) -> None:
    """From the parent's browser to its page in a warm computer. The pool is full again meanwhile:
    its refill would be measured too."""
    told: list[float] = []
    plain: list[float] = []
    stored: list[float] = []
    busy: list[float] = []
    bare: list[float] = []
    async with bench.computer("parent") as parent:
        await parent.ready("browser")
        await parent.browser.set_cookies([COOKIE])
        await parent.browser.open(bench.page(ARTICLE))
        async with WarmPool(bench.fleet, 1, spec=bench.spec) as pool:
            for _ in range(bench.rounds):
                warm = await _taken(pool)
                await _adopted(parent, warm, told, plain)
                await bench.discard(warm)
            await parent.browser.evaluate("localStorage.mark = 'yes'")
            warm = await _taken(pool)
            await _adopted(parent, warm, [], stored)
            await bench.discard(warm)
            warm = await pool.take()
            await _adopted(parent, warm, [], busy)
            await bench.discard(warm)
        async with await BrowserHost.start() as host:
            for _ in range(bench.rounds):
                browser = await host.new_browser()
                begin = time.perf_counter()
                await browser.set_cookies([{**COOKIE, "domain": "127.0.0.1"}])
                await browser.open(f"{bench.origin}/{ARTICLE}")
                bare.append(since(begin))
                await browser.close()
    peer = "cookies and page in a bare headless Chromium that runs"
    bench.add(
        "adoption: cookies, a tab, until it is loaded", plain, beside=bare, peer=peer, target=150
    )
    bench.add("  of it: the parent tells its browser's state", told)
    bench.add("  with localStorage", stored)
    bench.add("  while the pool starts the next", busy)


async def _taken(pool: WarmPool) -> DesktopComputer:
    """One computer, when the next is warm too."""
    warm = await pool.take()

    async def full() -> bool:
        return pool.ready > 0

    await until(full, REFILL_S)
    return warm


async def _adopted(
    parent: DesktopComputer, warm: DesktopComputer, told: list[float], times: list[float]
) -> None:
    begin = time.perf_counter()
    state = await timed(told, parent.browser.state)
    await warm.adopt(state)
    times.append(since(begin))
    if (view := await warm.browser.read()).url != state.tabs[0].url or not view.elements:
        raise AssertionError(f"the warm computer shows {view.url}")
    assert "login" in {cookie["name"] for cookie in await warm.browser.cookies()}
