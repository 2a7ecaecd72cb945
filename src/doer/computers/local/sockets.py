"""Unix sockets by folder and name, however long the path, and only if they are what they seem.

A socket of the computer's own folder may have been replaced by whoever works in it: links are never
followed, and what is no socket of the computer's user is refused.
"""

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


def connect(folder: Path, name: str, uid: int, kind: int, wait_s: float) -> socket.socket:
    """A blocking socket, connected. Raises `ComputerError`; blocks the thread."""
    inner = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=inner)
    except OSError as error:
        raise ComputerError(f"{name} is not there: {error.strerror}") from error
    finally:
        os.close(inner)
    try:
        seen = os.fstat(found)
        if not stat.S_ISSOCK(seen.st_mode) or seen.st_uid != uid:
            raise ComputerError(f"{name} is not the socket that belongs there: restart it")
        return _connect(f"/proc/self/fd/{found}", kind, wait_s)
    except OSError as error:
        raise ComputerError(f"{name} does not answer: {error.strerror or error}") from error
    finally:
        os.close(found)


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


def _connect(path: str, kind: int, wait_s: float) -> socket.socket:
    end = time.monotonic() + wait_s
    connected = socket.socket(socket.AF_UNIX, kind)
    try:
        connected.settimeout(wait_s)
        while True:
            try:
                connected.connect(path)
                return connected
            except BlockingIOError:  # its queue of callers is full
                if time.monotonic() > end:
                    raise
                time.sleep(0.005)
    except BaseException:
        connected.close()
        raise
