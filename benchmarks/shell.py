"""A command's round trip: `true` through the daemon of a computer beside a plain asyncio
subprocess, in turns, so that both meet the same machine. Run:

    python benchmarks/shell.py [--rounds 200] [--plain]

The computer is one of the local backend; with --plain the daemon runs without a sandbox.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import doer.computers.guest.inside
from doer.computers.link import Link
from doer.computers.local.backend import LocalBackend
from doer.computers.shell import Shell
from doer.computers.terminal import Terminals
from doer.records.computer import Spec

INSIDE = Path(doer.computers.guest.inside.__file__).parent


@asynccontextmanager
async def sandboxed(folder: Path) -> AsyncGenerator[Link]:
    backend = LocalBackend(folder / "computers")
    await backend.create("bench", Spec())
    try:
        begin = time.perf_counter()
        await backend.start("bench")
        print(f"start of the sandbox until the daemon answers: {since(begin):.0f} ms")
        yield Link(partial(backend.dial, "bench"))
    finally:
        await backend.destroy("bench")


@asynccontextmanager
async def plain(folder: Path) -> AsyncGenerator[Link]:
    path = folder / "daemon.sock"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", INSIDE, path, "--home", folder), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()

    async def dial(_: str):
        _, writer = await asyncio.open_unix_connection(path)
        return writer.get_extra_info("socket").dup()

    link = Link(dial)
    try:
        yield link
    finally:
        await link.stop()
        await process.wait()


def since(begin: float) -> float:
    return (time.perf_counter() - begin) * 1000


async def timed(call: Callable[[], Awaitable[object]], times_ms: list[float]) -> None:
    begin = time.perf_counter()
    await call()
    times_ms.append(since(begin))


async def direct() -> None:
    process = await asyncio.create_subprocess_exec(
        "true", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    await process.communicate()


async def measure(link: Link, rounds: int) -> None:
    shell, terminals = Shell(link), Terminals(link)
    await terminals.open("bench", ["cat"])

    async def echo() -> None:
        await terminals.write("bench", "x\n")
        await terminals.read("bench", until="x\r?\n.*x", timeout_s=10)

    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "asyncio subprocess `true`": direct,
        "Shell.run(['true'])": lambda: shell.run(["true"]),
        "Shell.run('true'), by bash": lambda: shell.run("true"),
        "ping": link.ping,
        "a line typed and read back": echo,
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            await timed(call, times[name])
    await terminals.close("bench")
    base = statistics.median(times["asyncio subprocess `true`"])
    print(f"{'':30}{'median':>9}{'p90':>9}{'over plain':>12}{'ratio':>8}")
    for name, found in times.items():
        median, p90 = statistics.median(found), statistics.quantiles(found, n=10)[-1]
        print(f"{name:30}{median:6.2f} ms{p90:6.2f} ms{median - base:+9.2f} ms{median / base:8.2f}")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kind = plain if options.plain else sandboxed
        async with kind(Path(folder)) as link:
            await measure(link, options.rounds)


if __name__ == "__main__":
    asyncio.run(main())
