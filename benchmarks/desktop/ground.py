"""What the measurements of whole computers stand on: a fleet in a folder of its own, pages served
beside it under made-up names, and the table that all of it comes to."""

import asyncio
import contextlib
import os
import shutil
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from text_view import served, synthetic

from doer.computers.desktop import DesktopComputer
from doer.computers.fleet import Fleet
from doer.computers.local.backend import LocalBackend
from doer.computers.network.client import FOLDER, ProxyClient
from doer.errors import ComputerError
from doer.records.computer import NetworkRules, Route, Spec

HOST, OTHER = "bench.test", "other.test"
FORM = """<!doctype html><title>Form</title><h1>Order</h1><form>
<label>Name <input name=name></label> <button>Send</button></form><p id=said>Nothing yet.</p>
<script>
  document.forms[0].onsubmit = (event) => {
    event.preventDefault();
    said.textContent = `Thank you, ${event.target.name.value}`;
  };
</script>"""
ARTICLE, ORDER, TABLE = 0, 1, 2
"""Numbers of the pages that are served: text with menus and a table; a form; a long table."""


def pages() -> list[bytes]:
    rows = "".join(f"<tr><td>{n}<td>item {n}<td>{n * 7 % 100}.50" for n in range(300))
    table = f"<!doctype html><title>Table</title><h1>Prices</h1><table>{rows}</table>"
    return [synthetic(0).encode(), FORM.encode(), table.encode()]


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A measurement. `beside`: of the peer or limit in the same run. `target`: at most this, and
    with `most` false at least. `n`: how many values `value` is the median of."""

    what: str
    value: float
    unit: str
    n: int = 1
    peer: str = ""
    beside: float | None = None
    target: float | None = None

    def text(self) -> str:
        value = f"{self.what:58} {number(self.value):>8} {self.unit:6} {self.n:3}"
        if self.target is not None:
            value += f"  {'within' if self.value <= self.target else 'OVER'} {self.target:g}"
        if self.beside is None:
            return value
        ratio = f", x {self.value / self.beside:.2f}" if self.beside else ""
        return (
            f"{value}\n{'':8}beside {self.peer}: {number(self.beside)} {self.unit}"
            f" ({self.value - self.beside:+.2f}{ratio})"
        )


class Bench:
    """`origin`: where the pages are served, for peers that stand on this machine itself."""

    def __init__(self, fleet: Fleet, origin: str, folder: Path, rounds: int) -> None:
        self.fleet, self.origin, self.folder, self.rounds = fleet, origin, folder, rounds
        self.rows: list[Row] = []
        self.unmeasured: list[str] = []
        to = origin.removeprefix("http://")
        routes = tuple(Route(host=host, to=to) for host in (HOST, OTHER))
        self.spec = Spec(memory_mb=2048, network=NetworkRules(routes=routes))

    def page(self, number: int, host: str = HOST) -> str:
        """A page's address inside the computers."""
        return f"http://{host}/{number}"

    def add(
        self,
        what: str,
        values: Sequence[float],
        unit: str = "ms",
        *,
        beside: Sequence[float] = (),
        peer: str = "",
        target: float | None = None,
    ) -> None:
        """A row of medians."""
        if not values:
            self.unmeasured.append(f"{what}: there is no value")
            return
        other = statistics.median(beside) if beside else None
        self.rows.append(
            Row(
                what=what,
                value=statistics.median(values),
                unit=unit,
                n=len(values),
                peer=peer,
                beside=other,
                target=target,
            )
        )

    @asynccontextmanager
    async def computer(self, name: str) -> AsyncGenerator[DesktopComputer]:
        """A new computer, removed in the end."""
        await self.fleet.create(name, self.spec)
        desk = self.fleet.open(name)
        try:
            yield desk
        finally:
            await self.discard(desk)

    async def discard(self, desk: DesktopComputer) -> None:
        await desk.abandon()
        await self.fleet.remove(desk.name)


@asynccontextmanager
async def ground(rounds: int) -> AsyncGenerator[Bench]:
    """Nothing of it is left afterwards: no process, no file."""
    folder = Path(tempfile.mkdtemp(prefix="doer-bench-"))
    await asyncio.to_thread(folder.chmod, 0o711)
    root = folder / "computers"
    fleet = Fleet(LocalBackend(root), root)
    try:
        with served(pages()) as origin:
            yield Bench(fleet, origin, folder, rounds)
    finally:
        for name in fleet.names():
            with contextlib.suppress(ComputerError):
                await fleet.remove(name)
        with contextlib.suppress(ComputerError):
            os.kill(await ProxyClient(root / FOLDER).pid(), signal.SIGTERM)
        shutil.rmtree(folder, ignore_errors=True)


def since(begin: float) -> float:
    """Milliseconds."""
    return (time.perf_counter() - begin) * 1e3


async def timed(times: list[float], work: Callable[[], Awaitable[Any]]) -> Any:
    """What the work gives; how many milliseconds it took is added to `times`."""
    begin = time.perf_counter()
    given = await work()
    times.append(since(begin))
    return given


async def until(happened: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Ask again and again until it has happened."""
    async with asyncio.timeout(seconds):
        while not await happened():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def number(value: float) -> str:
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
