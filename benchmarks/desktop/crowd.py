"""Ten computers on one machine: what each takes of memory and processor, blank and at work, and how
much all do when they work at once."""

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from desktop.ground import ARTICLE, ORDER, TABLE, Bench, since
from doer.computers.desktop import DesktopComputer
from doer.computers.local.backend import UID
from doer.computers.local.folders import Owner
from doer.computers.local.sockets import call
from doer.computers.network.client import FOLDER, ProxyClient
from doer.errors import DoerError

IDLE_S = 10.0
SETTLE_S = 3.0
ALONE_S = 4.0
DEADLINE_S = 60.0


class Crowd:
    """Ten computers that loop through the same work."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}
        self.faults: list[str] = []

    async def work(self, bench: Bench, desk: DesktopComputer, until: float) -> None:
        rounds = 0
        while time.perf_counter() < until:
            rounds += 1
            name = f"{desk.name} {rounds}"
            await self._do("open a page", lambda: _open(bench, desk))
            await self._do("type into a form", lambda name=name: _fill(desk, name))
            await self._do("run a command", lambda name=name: _run(desk, name))
            await self._do("take a screenshot", lambda: _look(desk))

    async def _do(self, what: str, act: Callable[[], Awaitable[None]]) -> None:
        begin = time.perf_counter()
        try:
            await act()
        except (DoerError, AssertionError, StopIteration) as error:
            self.faults.append(f"{what}: {error}")
        else:
            self.times.setdefault(what, []).append(since(begin))


async def crowd(bench: Bench, count: int, seconds: float) -> None:
    desks: list[DesktopComputer] = []
    free = available_mb()
    try:
        await _start(bench, count, desks)
        await asyncio.sleep(SETTLE_S)
        await _weigh(bench, desks, free, "blank, with screen and browser", 220)
        await _idle(bench, desks, "blank")
        await asyncio.gather(*(_busy(bench, desk) for desk in desks))
        await asyncio.sleep(SETTLE_S)
        await _weigh(bench, desks, free, "with a page, another tab, xterm, pcmanfm", 350)
        await _idle(bench, desks, "with these")
        await _measure(bench, desks, seconds)
    finally:
        for desk in desks:
            await bench.discard(desk)


async def _start(bench: Bench, count: int, desks: list[DesktopComputer]) -> None:
    places = asyncio.Semaphore(os.cpu_count() or 1)
    begin = time.perf_counter()

    async def one(number: int) -> None:
        async with places:
            await bench.fleet.create(f"crowd-{number}", bench.spec)
            desk = bench.fleet.open(f"crowd-{number}")
            desks.append(desk)
            await desk.ready("browser")

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(one(number))
    bench.add(f"{count} computers with browsers started, each", [since(begin) / count])


async def _weigh(
    bench: Bench, desks: list[DesktopComputer], free: float, what: str, most: float
) -> None:
    stats = [await bench.fleet.backend.stats(desk.name) for desk in desks]
    drop = [(free - available_mb()) / len(desks)]
    shares = [one.memory_mb for one in stats]
    peer = "drop of MemAvailable over the number"
    bench.add(f"memory {what}", shares, "MB", beside=drop, peer=peer, target=most)
    bench.add("  and on the host: its keeper", [share_mb(await keeper(bench, desks[0]))], "MB")
    bench.add("  and the proxy of all", [share_mb(await proxy(bench))], "MB")


async def _idle(bench: Bench, desks: list[DesktopComputer], what: str) -> None:
    """Asking a keeper for what its computer uses costs it more than seconds of idleness, so the
    keepers are looked at in between."""
    keepers = [await keeper(bench, desk) for desk in desks]
    inside, began = await _used(bench, desks), time.perf_counter()
    outside, begin = [cpu_ns(pid) for pid in keepers], time.perf_counter()
    await asyncio.sleep(IDLE_S)
    took = (time.perf_counter() - begin) * 1e9
    kept = [(cpu_ns(pid) - a) / took * 100 for pid, a in zip(keepers, outside, strict=True)]
    took = time.perf_counter() - began
    after = await _used(bench, desks)
    own = [(b - a) / took * 100 for a, b in zip(inside, after, strict=True)]
    both = [a + b for a, b in zip(own, kept, strict=True)]
    bench.add(f"idle processor time, {what}", both, "% core", target=0.5)
    bench.add("  of it: its keeper on the host", kept, "% core")


async def _used(bench: Bench, desks: list[DesktopComputer]) -> list[float]:
    """Seconds of processor time that each has had."""
    return [(await bench.fleet.backend.stats(desk.name)).cpu_s for desk in desks]


async def _busy(bench: Bench, desk: DesktopComputer) -> None:
    """What a working computer holds."""
    await desk.browser.open(bench.page(TABLE))
    await desk.browser.profile.tabs.open()
    await desk.browser.open(bench.page(ARTICLE))
    await desk.link.open("terminal")
    await desk.link.open("files")


async def _measure(bench: Bench, desks: list[DesktopComputer], seconds: float) -> None:
    _, alone = await _work(bench, desks[:1], ALONE_S)
    working, rate = await _work(bench, desks, seconds)
    what, peer = f"{len(desks)} at work at once: actions of all", "one alone"
    bench.add(what, [rate], "/s", beside=[alone], peer=peer)
    for what, times in working.times.items():
        bench.add(f"  {what}, half of them within", times)
        if len(times) > 1:
            bench.add("    95 % of them within", [statistics.quantiles(times, n=20)[-1]])
    bench.add("  faults", [len(working.faults)], "", target=0)
    bench.unmeasured += [f"a fault among {len(desks)}: {said}" for said in working.faults[:5]]


async def _work(bench: Bench, desks: list[DesktopComputer], seconds: float) -> tuple[Crowd, float]:
    """What they did, and how many actions a second."""
    working, begin = Crowd(), time.perf_counter()
    async with asyncio.timeout(seconds + DEADLINE_S):
        await asyncio.gather(*(working.work(bench, desk, begin + seconds) for desk in desks))
    return working, sum(map(len, working.times.values())) / since(begin) * 1e3


async def _open(bench: Bench, desk: DesktopComputer) -> None:
    await desk.ready("browser")
    await desk.browser.open(bench.page(ORDER))


async def _fill(desk: DesktopComputer, name: str) -> None:
    await desk.ready("browser")
    view = await desk.browser.read()
    await desk.browser.type(next(e.ref for e in view.elements if e.role == "textbox"), name)
    view = await desk.browser.press("Enter")
    assert any(name in e.name for e in view.elements), "the form says nothing"


async def _run(desk: DesktopComputer, name: str) -> None:
    await desk.ready("shell")
    done = await desk.shell.run(f"echo '{name}' >> log.txt; tail -n 1 log.txt")
    assert done.text() == name, done.text()


async def _look(desk: DesktopComputer) -> None:
    await desk.ready("screen")
    await desk.screen.screenshot()


async def keeper(bench: Bench, desk: DesktopComputer) -> int:
    """The process on the host that keeps a computer."""
    folder, uid = bench.fleet.root / desk.name / "host", Owner.here(UID).uid
    return (await asyncio.to_thread(call, folder, uid, {"op": "ping"})).told["pid"]


async def proxy(bench: Bench) -> int:
    return await ProxyClient(bench.fleet.root / FOLDER).pid()


def share_mb(pid: int) -> float:
    """A process's proportional share of memory."""
    told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(told.split("Pss:")[1].split()[0]) / 1024


def cpu_ns(pid: int) -> int:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def available_mb() -> float:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) / 1024
    raise OSError("/proc/meminfo does not tell MemAvailable")
