"""What a fork costs, for the files alone and for a computer at work, and what of its sites' stores
the fork has."""

import asyncio
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from functools import partial

from desktop.ground import ARTICLE, HOST, OTHER, Bench, since, timed, until
from doer.computers.desktop import DesktopComputer

SMALL = "echo a > a.txt; mkdir work; echo b > work/b.txt"
LARGE = """python3 -c '
import os
for folder in range(20):
    os.makedirs(f"tree/{folder}")
    for name in range(100):
        with open(f"tree/{folder}/{name}", "wb") as file:
            file.write(os.urandom(25_000))
'"""
WRITE = """new Promise((done, failed) => {
  localStorage.mark = "yes";
  const opening = indexedDB.open("bench", 1);
  opening.onerror = failed;
  opening.onupgradeneeded = () => opening.result.createObjectStore("kept");
  opening.onsuccess = () => {
    const change = opening.result.transaction("kept", "readwrite");
    change.objectStore("kept").put("yes", "mark");
    change.oncomplete = () => { opening.result.close(); done(1); };
  };
})"""
READ = """new Promise((done, failed) => {
  const found = [localStorage.mark === "yes"];
  const opening = indexedDB.open("bench", 1);
  opening.onerror = failed;
  opening.onupgradeneeded = () => opening.result.createObjectStore("kept");
  opening.onsuccess = () => {
    const asking = opening.result.transaction("kept").objectStore("kept").get("mark");
    asking.onsuccess = () => done([...found, asking.result === "yes"]);
  };
})"""
END_S = 10.0


async def files(bench: Bench) -> None:
    backend = bench.fleet.backend
    for what, script in (("a small home", SMALL), ("2,000 files, 50 MB", LARGE)):
        running: list[float] = []
        stopped: list[float] = []
        copied: list[float] = []
        for n in range(bench.rounds):
            async with bench.computer(f"home-{n}") as desk:
                await desk.ready("shell")
                done = await desk.shell.run(script, timeout_s=60)
                assert done.exit_code == 0, done.text()
                upper = bench.fleet.root / desk.name / "upper"
                command = ("cp", "-a", upper, bench.folder / f"copy-{what[0]}-{n}")
                begin = time.perf_counter()
                await asyncio.to_thread(subprocess.run, command, check=True)
                copied.append(since(begin))
                await timed(running, partial(backend.fork, desk.name, "fork-a"))
                await backend.stop(desk.name)
                await timed(stopped, partial(backend.fork, desk.name, "fork-b"))
                for child in ("fork-a", "fork-b"):
                    await bench.fleet.remove(child)
        peer = "cp -a of the folder"
        bench.add(f"fork of files, stopped: {what}", stopped, beside=copied, peer=peer, target=30)
        bench.add(f"fork of files, running: {what}", running, beside=copied, peer=peer, target=30)


@dataclass
class Carried:
    """How often a mark was found in a fork, by store and site."""

    forks: list[float] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    marks: dict[str, list[float]] = field(default_factory=dict)

    def note(self, site: str, found: list[bool]) -> None:
        for store, there in zip(("localStorage", "IndexedDB"), found, strict=True):
            self.marks.setdefault(f"{store} of {site}", []).append(100.0 * there)


async def at_work(bench: Bench) -> None:
    """Forks of a computer whose browser has one site open and was on another before. Once while
    the browser runs, once after it was closed properly."""
    live, closed = Carried(), Carried()
    sizes: list[float] = []
    for n in range(bench.rounds):
        async with bench.computer(f"work-{n}") as desk:
            await desk.ready("browser")
            for host in (OTHER, HOST):
                await desk.browser.open(bench.page(ARTICLE, host))
                await desk.browser.evaluate(WRITE)
            sizes.append((await bench.fleet.backend.stats(desk.name)).disk_mb)
            await _forked(bench, desk, live)
            begin = time.perf_counter()
            await desk.close()
            await until(lambda: _without_browser(desk), END_S)
            ending = since(begin)
            await _forked(bench, desk, closed)
            closed.forks[-1] += ending
    disk = statistics.median(sizes)
    bench.add(f"fork of a computer at work ({disk:.0f} MB of disk)", live.forks)
    bench.add("  then until the fork shows its page", live.opened)
    bench.add("fork of it, its browser closed first", closed.forks)
    bench.add("  then until the fork shows its page", closed.opened)
    for when, carried in (("live", live), ("browser closed first", closed)):
        for what, found in carried.marks.items():
            share = statistics.mean(found)
            bench.add(f"carried by a fork, {when}: {what}", [share] * len(found), "%")


async def _without_browser(desk: DesktopComputer) -> bool:
    return not (await desk.link.ping()).browser


async def _forked(bench: Bench, desk: DesktopComputer, carried: Carried) -> None:
    child = f"{desk.name}-fork"
    await timed(carried.forks, lambda: bench.fleet.fork(desk, child))
    fork = bench.fleet.open(child)
    try:
        await timed(carried.opened, lambda: fork.ready("browser"))
        assert (await fork.browser.read()).url == bench.page(ARTICLE)
        carried.note("the open tab", await fork.browser.evaluate(READ))
        await fork.browser.open(bench.page(ARTICLE, OTHER))
        carried.note("a site left before", await fork.browser.evaluate(READ))
    finally:
        await bench.discard(fork)
