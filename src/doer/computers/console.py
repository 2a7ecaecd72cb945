"""A person's own terminal, joined to a named one in a computer."""

import asyncio
import os
import signal
import sys
import termios
import tty
from collections.abc import Generator
from contextlib import contextmanager, suppress

from doer.computers.build import fleet
from doer.computers.terminal import Terminals
from doer.errors import ConfigError, ToolError

LEAVE = b"\x1d"  # Ctrl-]
SOMETHING = r"[\s\S]"
WAIT_S = 3600.0


async def attached(name: str, terminal: str) -> int:
    """Join until the program in it ends, whose exit code is returned, or the person leaves (0).
    Raises `ConfigError` without a terminal of one's own."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError(f"no terminal here; use `doer computer run {name} COMMAND`")
    async with fleet().opened(name) as desk:
        await desk.ready("shell")
        with suppress(ToolError):  # it is open already
            await desk.terminals.open(terminal)
        print(f"{name}: Ctrl-] leaves, what runs goes on", file=sys.stderr)
        with _raw():
            return await _joined(desk.terminals, terminal)


async def _joined(terminals: Terminals, name: str) -> int:
    loop = asyncio.get_running_loop()
    typed: asyncio.Queue[bytes] = asyncio.Queue()
    resized = asyncio.Event()
    resized.set()
    loop.add_reader(0, lambda: typed.put_nowait(os.read(0, 65536) or LEAVE))
    loop.add_signal_handler(signal.SIGWINCH, resized.set)
    try:
        tasks = {
            asyncio.create_task(_print(terminals, name)),
            asyncio.create_task(_type(terminals, name, typed)),
            asyncio.create_task(_resize(terminals, name, resized)),
        }
        done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        return done.pop().result()
    finally:
        loop.remove_reader(0)
        loop.remove_signal_handler(signal.SIGWINCH)


async def _print(terminals: Terminals, name: str) -> int:
    while True:
        view = await terminals.read(name, until=SOMETHING, timeout_s=WAIT_S)
        sys.stdout.buffer.write(view.raw)
        sys.stdout.buffer.flush()
        if not view.running:
            return view.exit_code or 0


async def _type(terminals: Terminals, name: str, typed: asyncio.Queue[bytes]) -> int:
    while True:
        keys = await typed.get()
        before, left, _ = keys.partition(LEAVE)
        if before:
            await terminals.write(name, before)
        if left:
            return 0


async def _resize(terminals: Terminals, name: str, resized: asyncio.Event) -> int:
    while True:
        await resized.wait()
        resized.clear()
        size = os.get_terminal_size()
        if size.lines and size.columns:  # some terminals do not know
            await terminals.resize(name, size.lines, size.columns)


@contextmanager
def _raw() -> Generator[None]:
    before = termios.tcgetattr(0)
    tty.setraw(0, termios.TCSANOW)  # what was typed already counts
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
        print()
