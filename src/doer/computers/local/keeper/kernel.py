"""System calls of Linux that Python 3.11 lacks: namespaces, mounts, bringing loopback up.

Standard library only, like the whole keeper. Each raises `OSError` that names the call.
"""

import ctypes
import fcntl
import os
import socket
import struct

NEW_NS, NEW_CGROUP, NEW_UTS = 0x00020000, 0x02000000, 0x04000000
NEW_IPC, NEW_USER, NEW_PID, NEW_NET, NEW_TIME = (
    *(0x08000000, 0x10000000, 0x20000000, 0x40000000),
    0x00000080,
)
BIND, RECURSIVE, PRIVATE = 0x1000, 0x4000, 0x40000
NOSUID, NODEV = 0x2, 0x4
_READ_ONLY, _REMOUNT = 0x1, 0x20
_KEPT = {0x2: 0x2, 0x4: 0x4, 0x8: 0x8, 0x400: 0x400, 0x800: 0x800, 0x1000: 0x200000}
"""A flag as statvfs tells it -> as mount takes it: nosuid, nodev, noexec, and those of times."""
_SET_DUMPABLE, _SET_PDEATHSIG = 4, 1
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    _check(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    data = options.encode() or None
    done = _libc.mount(
        source.encode(), target.encode(), kind.encode() or None, ctypes.c_ulong(flags), data
    )
    _check(done, f"mount {kind or 'bind'} on {target}")


def make_read_only(mounted: str) -> None:
    """Of a bind mount. In a user namespace what was forbidden before must stay so."""
    had = os.statvfs(mounted).f_flag
    kept = sum(flag for bit, flag in _KEPT.items() if had & bit)
    mount("", mounted, flags=BIND | _REMOUNT | _READ_ONLY | kept)


def set_dumpable() -> None:
    """After a change of user, let the process own its /proc entries again."""
    _check(_libc.prctl(_SET_DUMPABLE, 1, 0, 0, 0), "prctl")


def die_with_parent() -> None:
    _check(_libc.prctl(_SET_PDEATHSIG, 9, 0, 0, 0), "prctl")


def map_user(uid: int, gid: int) -> None:
    """In a user namespace just made: be its root, which is `uid` and `gid` outside."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"0 {uid} 1"),
        ("gid_map", f"0 {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123
            file.write(text)


def bring_loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = fcntl.ioctl(control, _SIOCGIFFLAGS, struct.pack("16sH14x", b"lo", 0))
        flags = struct.unpack("16sH14x", request)[1] | _IFF_UP
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags))


def _check(result: int, what: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
