"""Makes ready what a computer is made of: a mount namespace in which everything has a short path,
a user namespace, a network namespace with loopback only, and the home as an overlay.

A root's keeper binds first, because an ordinary user may not be able to walk there, and then
becomes the ordinary user; from then on both go the same way.
"""

import contextlib
import fcntl
import os
import socket
import struct
from pathlib import Path

from doer.computers.local.keeper import kernel
from doer.computers.local.keeper.plan import Plan

STAGE = "/tmp"
COMPUTER, LAYERS, SYSTEM, GUEST, HOME, HELD, BESIDE = (
    f"{STAGE}/{name}"
    for name in ("computer", "layers", "system", "guest", "home", "held", "beside")
)
KEPT_BESIDE = ".folders"
"""Where the home keeps the folders that are bound beside it."""
NOTE = "computer.json"
PROXY_PORT = 3128
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def stage(plan: Plan) -> socket.socket:
    """Enter the namespaces and mount the home. The listener planted at 127.0.0.1:3128 of the
    computer's network. Raises `OSError` naming the call that is not allowed here."""
    if os.geteuid() == 0:
        kernel.unshare(kernel.NEW_NS)
        _bind(plan)
        become(plan.uid, plan.gid)
        kernel.unshare(kernel.NEW_USER | kernel.NEW_NS | kernel.NEW_NET)
        kernel.map_user(plan.uid, plan.gid)
    else:
        kernel.unshare(kernel.NEW_USER | kernel.NEW_NS | kernel.NEW_NET)
        kernel.map_user(plan.uid, plan.gid)
        _bind(plan)
    if plan.note:
        _mount_home(plan.layers, "")
    else:
        _mount_home(plan.layers, f"upperdir={COMPUTER}/upper,workdir={COMPUTER}/work,")
    for path in plan.beside:
        _bind_beside(path)
    return plant()


def _bind(plan: Plan) -> None:
    kernel.mount("", "/", flags=kernel.PRIVATE | kernel.RECURSIVE)
    sources = (plan.folder, plan.layers_folder, plan.system, plan.guest)
    folders = [os.open(source, os.O_PATH | os.O_DIRECTORY) for source in sources]
    kernel.mount("tmpfs", STAGE, "tmpfs", kernel.NOSUID | kernel.NODEV, "mode=755,size=1m")
    for made in (HOME, HELD, *(BESIDE + path for path in plan.beside)):
        Path(made).mkdir(parents=True)
    Path(STAGE, NOTE).write_text(plan.note)
    for folder, target in zip(folders, (COMPUTER, LAYERS, SYSTEM, GUEST), strict=True):
        Path(target).mkdir()
        kernel.mount(f"/proc/self/fd/{folder}", target, flags=kernel.BIND | kernel.RECURSIVE)
        os.close(folder)


def hold_lifetime() -> int:
    """Lock the file that tells everybody that the computer lives. The first process inside keeps
    the descriptor, and there others can reach it: so it lies on a read-only mount."""
    Path(COMPUTER, "host", "lifetime").touch(mode=0o600)
    kernel.mount(f"{COMPUTER}/host", HELD, flags=kernel.BIND)
    kernel.make_read_only(HELD)
    lifetime = os.open(f"{HELD}/lifetime", os.O_RDONLY | os.O_CLOEXEC)
    whole = struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
    fcntl.fcntl(lifetime, fcntl.F_OFD_SETLK, whole)
    return lifetime


def become(uid: int, gid: int) -> None:
    """Give up being root, for good."""
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    kernel.set_dumpable()


def _mount_home(layers: tuple[str, ...], own: str) -> None:
    """`own`: the options of what is written; without, an overlay has two folders at least."""
    if not own and not layers:
        return
    lower = ":".join(f"{LAYERS}/{layer}" for layer in (*layers, ".empty"))
    options = f"lowerdir={lower},{own}userxattr"
    kernel.mount("overlay", HOME, "overlay", kernel.NOSUID | kernel.NODEV, options)


def _bind_beside(path: str) -> None:
    """Whoever worked in the home may have put a link in the folder's place, so none is followed."""
    here = os.open(HOME, _FOLDER)
    try:
        for name in (KEPT_BESIDE, *path.strip("/").split("/")):
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o755, dir_fd=here)
            inner = os.open(name, _FOLDER, dir_fd=here)
            os.close(here)
            here = inner
        kernel.mount(f"/proc/self/fd/{here}", BESIDE + path, flags=kernel.BIND)
    finally:
        os.close(here)


def plant() -> socket.socket:
    """The listener of the network namespace that the process is in."""
    kernel.bring_loopback_up()
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", PROXY_PORT))
    listener.listen(128)
    return listener
