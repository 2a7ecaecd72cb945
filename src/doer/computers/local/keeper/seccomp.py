"""The filter of system calls around a whole computer, built by libseccomp.

Everything is allowed but what is listed: doors into the kernel that no desktop program needs. User,
process and network namespaces stay, because Chromium makes its own sandbox of them; what they could
reach further (mounts, packet filters, virtual sockets, 32-bit calls) is closed instead.
"""

import ctypes
import errno
import os
import socket
from ctypes import c_int, c_uint, c_uint32, c_uint64, c_void_p
from typing import Protocol

from doer.computers.local.keeper import kernel

DENIED = (
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd"),
    *("bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module"),
    *("mount", "umount2", "pivot_root", "move_mount", "open_tree", "fsopen", "fsconfig"),
    *("fsmount", "fspick", "mount_setattr", "statmount", "listmount", "open_tree_attr"),
    *("setns", "open_by_handle_at", "fanotify_init", "quotactl", "quotactl_fd", "acct"),
    *("swapon", "swapoff", "reboot", "syslog", "settimeofday", "clock_settime", "adjtimex"),
    *("clock_adjtime", "iopl", "ioperm", "modify_ldt", "vhangup", "lookup_dcookie", "nfsservctl"),
    *("sethostname", "setdomainname", "vm86", "uselib", "ustat", "sysfs", "_sysctl"),
    *("move_pages", "migrate_pages", "set_mempolicy_home_node"),
)
NAMESPACES = kernel.NEW_NS | kernel.NEW_UTS | kernel.NEW_IPC | kernel.NEW_CGROUP | kernel.NEW_TIME
FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)
NETLINKS = (0, 15)
"""Routes, and events of devices."""
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_MAX_SHARED = 256 << 20  # bytes of one System V segment

_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NOT_EQUAL, _EQUAL, _MASKED, _GREATER, _LESS = 1, 4, 7, 6, 2
_LOW = 0xFFFFFFFF


class Compare(ctypes.Structure):
    """One condition on an argument of a call."""

    _fields_ = (("arg", c_uint), ("op", c_int), ("a", c_uint64), ("b", c_uint64))

    arg: int
    op: int
    a: int
    b: int


class Rules(Protocol):
    """Something that takes down what is denied: a filter, or a profile for an engine."""

    def deny(self, call: str, *compares: Compare, error: int = errno.EPERM) -> None: ...


class Filter:
    """A filter in the making. Raises `OSError` when libseccomp is missing or refuses."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self._library.seccomp_init.restype = c_void_p
        self._library.seccomp_init.argtypes = (c_uint32,)
        self._library.seccomp_rule_add_array.argtypes = (
            *(c_void_p, c_uint32, c_int, c_uint, ctypes.POINTER(Compare)),
        )
        self._library.seccomp_export_bpf.argtypes = (c_void_p, c_int)
        self._library.seccomp_release.argtypes = (c_void_p,)
        self._context = self._library.seccomp_init(_ALLOW)

    def deny(self, call: str, *compares: Compare, error: int = errno.EPERM) -> None:
        """Refuse a call whose arguments match all of `compares`. Unknown names are skipped: this
        kernel or library has no such call, or it is blocked by the number's absence."""
        number = self._library.seccomp_syscall_resolve_name(call.encode())
        if number == -1:
            return
        rules = (Compare * len(compares))(*compares)
        done = self._library.seccomp_rule_add_array(
            self._context, _ERRNO | error, number, len(compares), rules
        )
        if done < 0 and number >= 0:  # below zero: a call of another architecture
            raise OSError(-done, f"seccomp rule for {call}: {os.strerror(-done)}")

    def export(self) -> int:
        """The finished programme in a file descriptor, to be read from its start."""
        out = os.memfd_create("seccomp", 0)
        done = self._library.seccomp_export_bpf(self._context, out)
        self._library.seccomp_release(self._context)
        if done < 0:
            os.close(out)
            raise OSError(-done, f"seccomp filter: {os.strerror(-done)}")
        os.lseek(out, 0, os.SEEK_SET)
        return out


def build(pinned: bool = False) -> int:
    """The filter as a descriptor for bubblewrap. `pinned`: the choice of cores stays as it is."""
    rules = Filter()
    fill(rules)
    if pinned:
        rules.deny("sched_setaffinity")
    return rules.export()


def fill(rules: Rules) -> None:
    """Write down everything that is denied."""
    for call in DENIED:
        rules.deny(call)
    for bit in (1 << place for place in range(32) if NAMESPACES >> place & 1):
        rules.deny("unshare", Compare(0, _MASKED, bit, bit))
        if bit != kernel.NEW_TIME:  # among the flags of clone this bit is part of a signal's number
            rules.deny("clone", Compare(0, _MASKED, bit, bit))
    rules.deny("clone3", error=errno.ENOSYS)  # its flags lie in memory; libc falls back to clone
    _deny_sockets(rules)
    for request in (_TIOCSTI, _TIOCLINUX):
        rules.deny("ioctl", Compare(1, _MASKED, _LOW, request))
    rules.deny("shmget", Compare(1, _GREATER, _MAX_SHARED, 0))


def _deny_sockets(rules: Rules) -> None:
    """Only unix, internet and two kinds of netlink sockets can be made."""
    allowed = sorted(int(family) for family in FAMILIES)
    for family in range(allowed[-1]):
        if family not in allowed:
            rules.deny("socket", Compare(0, _MASKED, _LOW, family), error=errno.EAFNOSUPPORT)
    rules.deny("socket", Compare(0, _GREATER, allowed[-1], 0), error=errno.EAFNOSUPPORT)
    for protocol in range(max(NETLINKS)):
        if protocol not in NETLINKS:
            netlink = Compare(0, _MASKED, _LOW, int(socket.AF_NETLINK))
            rules.deny("socket", netlink, Compare(2, _MASKED, _LOW, protocol))
    netlink = Compare(0, _MASKED, _LOW, int(socket.AF_NETLINK))
    rules.deny("socket", netlink, Compare(2, _GREATER, max(NETLINKS), 0))
