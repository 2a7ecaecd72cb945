"""Unix sockets by folder and name, however long the path, and only if they are what they seem.

A socket of the computer's own folder may have been replaced by whoever works in it: links are never
followed, and what is no socket of the computer's user is refused.
"""

import asyncio
import json
import os
import socket
import stat
import time
from pathlib import Path
from typing import Any

from doer.errors import ComputerError

MAX_PACKET = 64 << 10
CALL_S = 10.0
RETRY_S = 0.005


def connect(folder: Path, name: str, uid: int, kind: int, wait_s: float) -> socket.socket:
    """A socket, connected, whose calls wait for `wait_s`. Raises `ComputerError`; blocks the
    thread."""
    end = time.monotonic() + wait_s
    while (connected := _reached(folder, name, uid, kind)) is None:
        if time.monotonic() > end:
            raise ComputerError(f"{name} does not answer: its queue of callers is full")
        time.sleep(RETRY_S)
    connected.settimeout(wait_s)
    return connected


async def dial(folder: Path, name: str, uid: int, wait_s: float) -> socket.socket:
    """A stream socket, connected, that does not block; takes no thread. Raises `ComputerError`."""
    end = time.monotonic() + wait_s
    while (connected := _reached(folder, name, uid, socket.SOCK_STREAM)) is None:
        if time.monotonic() > end:
            raise ComputerError(f"{name} does not answer: its queue of callers is full")
        await asyncio.sleep(RETRY_S)
    return connected


def call(folder: Path, uid: int, request: dict[str, Any], wait_s: float = CALL_S) -> "Answer":
    """Ask the keeper whose control socket stands in `folder`. Raises `ComputerError`."""
    with connect(folder, "control.sock", uid, socket.SOCK_SEQPACKET, wait_s) as keeper:
        try:
            keeper.sendall(json.dumps(request).encode())
            packet, fds, _, _ = socket.recv_fds(keeper, MAX_PACKET, 1)
        except OSError as error:
            raise ComputerError(f"the computer's keeper does not answer: {error}") from error
    if not packet:
        raise ComputerError("the computer's keeper has ended")
    told = json.loads(packet)
    if "error" in told:
        raise ComputerError(f"the computer's keeper: {told['error']}")
    return Answer(told, fds)


class Answer:
    """What a keeper said, and the descriptors that came with it."""

    def __init__(self, told: dict[str, Any], fds: list[int]) -> None:
        self.told = told
        self.fds = fds


def _reached(folder: Path, name: str, uid: int, kind: int) -> socket.socket | None:
    """A socket, connected, that does not block; None when its queue of callers is full."""
    found = _found(folder, name)
    connected = socket.socket(socket.AF_UNIX, kind)
    try:
        seen = os.fstat(found)
        if not stat.S_ISSOCK(seen.st_mode) or seen.st_uid != uid:
            raise ComputerError(f"{name} is not the socket that belongs there: restart it")
        connected.setblocking(False)
        connected.connect(f"/proc/self/fd/{found}")
    except BlockingIOError:
        connected.close()
        return None
    except OSError as error:
        connected.close()
        raise ComputerError(f"{name} does not answer: {error.strerror}") from error
    except BaseException:
        connected.close()
        raise
    finally:
        os.close(found)
    return connected


def _found(folder: Path, name: str) -> int:
    """A descriptor of what bears that name, whatever it is."""
    try:
        inner = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            return os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=inner)
        finally:
            os.close(inner)
    except OSError as error:
        raise ComputerError(f"{name} is not there: {error.strerror}") from error
