"""Whole computers of the local backend: starts, adoption, forks, each part's calls, memory, and ten
at work at once, each beside a peer or a limit measured in the same run. Run:

    python benchmarks/computer.py [--rounds 3] [--only starts forks ...] [--json]

Medians. Takes about three minutes, runs to its end by itself and leaves nothing behind, also when
it is interrupted. What could not be measured is said at the end.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec
from desktop.crowd import crowd
from desktop.forks import at_work, files
from desktop.ground import Bench, ground
from desktop.parts import parts
from desktop.starts import adoption, first_page, sandbox

from doer.errors import DoerError

SECTION_S = 150.0
Section = Callable[[Bench], Awaitable[None]]


async def measure(bench: Bench, sections: dict[str, Section]) -> None:
    for name, section in sections.items():
        begin = time.perf_counter()
        try:
            async with asyncio.timeout(SECTION_S):
                await section(bench)
        except* (DoerError, AssertionError, OSError) as group:
            bench.unmeasured += [f"{name}: {error!r}" for error in group.exceptions]
        print(f"{name}: {time.perf_counter() - begin:.0f} s", file=sys.stderr)


def show(bench: Bench, as_json: bool, load: tuple[float, float, float]) -> None:
    if as_json:
        found = {"load": load, "rows": bench.rows, "not_measured": bench.unmeasured}
        print(msgspec.json.encode(found).decode())
        return
    print(f"load before {load[0]:.1f}, after {os.getloadavg()[0]:.1f}; {os.cpu_count()} cores")
    print(f"{'':58} {'median':>8} {'':6} {'n':>3}  target")
    for row in bench.rows:
        print(row.text())
    for said in bench.unmeasured:
        print(f"not measured: {said}")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    sections: dict[str, Section] = {
        "sandbox": sandbox,
        "first page": first_page,
        "adoption": adoption,
        "files": files,
        "at work": at_work,
        "parts": parts,
    }
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--computers", type=int, default=10, help="in the crowd")
    parser.add_argument("--seconds", type=float, default=20, help="that the crowd works")
    parser.add_argument("--only", nargs="+", choices=(*sections, "crowd"), help="these sections")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sections["crowd"] = partial(crowd, count=options.computers, seconds=options.seconds)
    chosen = {n: s for n, s in sections.items() if not options.only or n in options.only}
    working = asyncio.current_task()
    assert working is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, working.cancel)
    load = os.getloadavg()
    async with ground(options.rounds) as bench:
        try:
            await measure(bench, chosen)
        finally:
            show(bench, options.json, load)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except (asyncio.CancelledError, KeyboardInterrupt):
        sys.exit("interrupted; everything is removed")
