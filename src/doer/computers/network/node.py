"""The proxy of a node: one process for all its computers, which lives as long as one is registered.

`python -m doer.computers.network.node FOLDER FD IDLE_S` detaches itself, and writes a byte to the
descriptor when the folder's proxy listens, be it this one or one that was there before. Of two
locks, `start.lock` is held while a proxy comes or goes, `node.lock` by the one that is there.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import resource
import signal
import socket
import sys
from pathlib import Path

from doer.computers.network import control
from doer.computers.network.desk import Desk

START, LOCK = "start.lock", "node.lock"
_START_S, _ANSWER_S = 20, 5


def main(folder: Path, ready: int, idle_s: float) -> None:
    if os.fork():
        os._exit(0)
    os.setsid()
    os.umask(0o077)
    os.chdir(folder)
    signal.alarm(_START_S)
    starting = os.open(START, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(starting, fcntl.LOCK_EX)
    lock = os.open(LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if _answers():
            os.write(ready, b"1")
            return
        _end_hung(lock)
        fcntl.flock(lock, fcntl.LOCK_EX)
    _be_quiet()
    _raise_limits()
    listener = _listen()
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    signal.alarm(0)
    os.write(ready, b"1")
    os.close(ready)
    fcntl.flock(starting, fcntl.LOCK_UN)
    asyncio.run(_serve(listener, starting, idle_s))
    os._exit(0)  # threads that still look a name up are not waited for


async def _serve(listener: socket.socket, starting: int, idle_s: float) -> None:
    desk = Desk()
    serving = asyncio.ensure_future(desk.serve(listener))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        while not stop.is_set() and not serving.done():
            idle = asyncio.ensure_future(desk.idle(idle_s))
            await asyncio.wait((serving, stopping, idle), return_when=asyncio.FIRST_COMPLETED)
            idle.cancel()
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(starting, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
    finally:
        stopping.cancel()
        serving.cancel()
        await asyncio.gather(serving, stopping, return_exceptions=True)
        _forget()


def _answers() -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_ANSWER_S)
        try:
            probe.connect(control.SOCKET)
            probe.sendall(control.frame(control.Ping()))
            return bool(probe.recv(1))
        except OSError:
            return False


def _end_hung(lock: int) -> None:
    """Kill the holder of the lock, which does not answer, unless it has gone by itself."""
    with contextlib.suppress(ValueError, ProcessLookupError):
        os.kill(int(os.pread(lock, 20, 0)), signal.SIGKILL)


def _forget() -> None:
    Path(control.SOCKET).unlink(missing_ok=True)


def _listen() -> socket.socket:
    _forget()
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    listener.bind(control.SOCKET)
    os.umask(before)
    listener.listen(128)
    listener.setblocking(False)
    return listener


def _be_quiet() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(control.OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")


def _raise_limits() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
