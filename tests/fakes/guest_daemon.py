"""The daemon of a computer as a plain process, without a sandbox around it."""

import asyncio
import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import doer.computers.guest.inside
from doer.computers.link import Link

INSIDE = Path(doer.computers.guest.inside.__file__).parent
_DISPLAYS = itertools.count(2000 + os.getpid() % 50000)


class GuestDaemon:
    """Runs until `end`. `home` is the home of what it starts."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        self.home.mkdir()
        self.socket = folder / "daemon.sock"
        self.display = next(_DISPLAYS)
        self.said = folder / "daemon.log"
        with self.said.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-I", INSIDE, self.socket]
                + ["--home", self.home, "--display", str(self.display)],
                stdout=subprocess.PIPE,
                stderr=log,
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n", self.said.read_text()
        self.link = Link(self.dial)

    async def dial(self, service: str) -> socket.socket:
        path = {"daemon": self.socket, "screen": self.folder / "rfb.sock"}[service]
        sock = socket.socket(socket.AF_UNIX)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, str(path))
        except OSError:
            sock.close()
            raise
        return sock

    def end(self) -> None:
        """Everything it started ends with it. What went wrong in it fails the test."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(20)
            sock.connect(str(self.socket))
            payload = json.dumps({"op": "stop"}).encode()
            sock.sendall(len(payload).to_bytes(4, "big") + b"\0" + payload)
            while sock.recv(4096):
                pass
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        assert "Traceback" not in (said := self.said.read_text()), said
