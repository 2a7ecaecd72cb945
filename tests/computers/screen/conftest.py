"""A real X server that speaks RFB on a unix socket, and a terminal that tells what is typed."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from pathlib import Path

import pytest
import pytest_asyncio

from doer.computers.screen.keyboard import LOAD
from doer.computers.screen.screen import Screen

SIZE = (800, 600)
PATIENCE_S = 30
SERVER = [
    *("Xvnc", "-geometry", "x".join(map(str, SIZE)), "-depth", "24", "-SecurityTypes", "None"),
    *("-rfbunixmode", "384", "-rfbport", "-1", "-AlwaysShared", "-ac", "-nolisten", "tcp"),
]


class XServer:
    """One Xvnc and the programs on it; all end with it."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "rfb.sock"
        self._log = (folder / "log").open("w")
        self._programs: list[subprocess.Popen[bytes]] = []
        shown, tell = os.pipe()
        command = [*SERVER, "-rfbunixpath", str(self.socket), "-displayfd", str(tell)]
        self.process = self._start(command, pass_fds=[tell])
        os.close(tell)
        with os.fdopen(shown) as display:
            self.display = f":{display.readline().strip()}"
        assert self.display != ":", (folder / "log").read_text()
        self.env = {**os.environ, "DISPLAY": self.display, "LC_ALL": "C.UTF-8"}

    def _start(self, command: list[str], **options: object) -> subprocess.Popen[bytes]:
        self._programs.append(
            subprocess.Popen(command, stdout=self._log, stderr=self._log, **options)  # type: ignore
        )
        return self._programs[-1]

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        return self._start(list(command), env=self.env)

    async def dial(self) -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(client, str(self.socket))
        except OSError:
            client.close()
            raise
        return client

    async def load_keyboard(self, keymap: str) -> None:
        program = await asyncio.create_subprocess_exec(*LOAD, env=self.env, stdin=subprocess.PIPE)
        await program.communicate(keymap.encode())
        assert program.returncode == 0

    def close(self) -> None:
        for program in reversed(self._programs):
            program.kill()
            program.wait()
        self._log.close()


class Terminal:
    """An xterm in the upper left corner that hands over every byte typed into it."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def read(self, length: int) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.readexactly(length)

    async def read_until(self, end: bytes) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.readuntil(end)


@pytest.fixture(scope="module")
def x_server(tmp_path_factory: pytest.TempPathFactory) -> Generator[XServer]:
    for program, package in (("Xvnc", "tigervnc-standalone-server"), ("xterm", "xterm")):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing (Debian: {package})")
    server = XServer(tmp_path_factory.mktemp("x"))
    yield server
    server.close()


@pytest_asyncio.fixture
async def screen(x_server: XServer) -> AsyncGenerator[Screen]:
    screen = Screen(x_server.dial, x_server.load_keyboard)
    yield screen
    await screen.close()


@pytest_asyncio.fixture
async def terminal(
    x_server: XServer, tmp_path: Path
) -> AsyncGenerator[Callable[[str], Awaitable[Terminal]]]:
    """A function: what to print first (escape sequences) -> a terminal that is ready."""
    started: list[tuple[subprocess.Popen[bytes], asyncio.ReadTransport]] = []

    async def start(first: str = "") -> Terminal:
        pipe = tmp_path / "typed"
        os.mkfifo(pipe)
        reader = asyncio.StreamReader(limit=1 << 20)
        end = os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb", 0)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), end
        )
        script = f"exec 3> {pipe}; stty raw -echo; printf '{first}\\033[6n'; cat >&3"
        # the cursor stands still, so that the screen does
        options = ["-u8", "-geometry", "80x24+0+0", "-xrm", "*cursorBlink: false"]
        program = x_server.start("xterm", *options, "-e", "sh", "-c", script)
        started.append((program, transport))
        terminal = Terminal(reader)
        await terminal.read_until(b"R")  # where the cursor is: it has handled all before
        return terminal

    yield start
    for program, transport in started:
        program.kill()
        program.wait()
        transport.close()
