"""Starts one headless Chromium, spoken to over a pipe, and makes sure that it never outlives us.

An ordinary user's Chromium runs as it is, in its own sandbox. As root that sandbox refuses to
start, so Chromium runs as uid 1000 inside bubblewrap, with its own sandbox; without it only where
bubblewrap cannot work, and then a warning says so.
"""

import asyncio
import contextlib
import fcntl
import functools
import logging
import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from doer.computers.browser.cdp import Connection
from doer.errors import ComputerError

START_S = 30.0
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
DEBIAN = "/usr/lib/chromium/chromium"  # /usr/bin/chromium is a shell script around it
BROWSER_UI = (  # pages that a window's frame is made of: they cost each page of ours 50 MB, 0.5 s
    "InitialWebUI",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxPopup",
    "WebUIReloadButton",
)
FLAGS = (
    f"--disable-features={','.join(BROWSER_UI)}",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-default-browser-check",
    "--password-store=basic",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--disable-smooth-scrolling",
    "--allow-pre-commit-input",  # else clicks are lost until a new page has been painted
    "--mute-audio",
)
HEADLESS = ("--headless=new", "--no-startup-window", "--hide-scrollbars")
WINDOWED = (  # the last four: a fifth less memory, and fewer processes
    "--window-position=0,0",
    "--hide-crash-restore-bubble",
    "--disable-extensions",
    "--disable-component-extensions-with-background-pages",
    "--in-process-gpu",
    "--enable-features=NetworkServiceInProcess2",
)
ENVIRONMENT = {
    "DBUS_SESSION_BUS_ADDRESS": "disabled:",  # it would look for one, and wait
    "DBUS_SYSTEM_BUS_ADDRESS": "disabled:",
    "LANGUAGE": "en_US",  # pages format dates and times by it
}
ETC = (
    *("alternatives", "chromium", "chromium.d", "fonts", "group", "hosts", "ld.so.cache"),
    *("localtime", "nsswitch.conf", "passwd", "pki", "resolv.conf", "ssl"),
)
SYSTEM = (
    *("/bin", "/sbin", "/lib", "/lib64", "/opt", "/var/cache/fontconfig"),
    *(f"/etc/{name}" for name in ETC),
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chromium:
    """A running Chromium. Closing the connection's pipe also ends it, so it dies with us."""

    connection: Connection
    process: asyncio.subprocess.Process
    folder: Path  # its profile and its stderr

    async def close(self) -> None:
        """Kill it and everything it started. Nothing of its profile is kept."""
        self.connection.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)


async def start() -> Chromium:
    """Start Chromium and wait until it answers. Raises `ComputerError`."""
    folder = Path(tempfile.mkdtemp(prefix="doer-chromium-"))
    try:
        arguments = await asyncio.to_thread(command, folder)
        connection, process = await _spawn(arguments, folder / "stderr")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    chromium = Chromium(connection, process, folder)
    try:
        await connection.call("Browser.getVersion", timeout_s=START_S)
    except ComputerError as error:
        said = (folder / "stderr").read_text(errors="replace").strip()[-1000:]
        await chromium.close()
        raise ComputerError(f"Chromium did not start: {error}\n{said}") from error
    except BaseException:
        await chromium.close()
        raise
    return chromium


def find() -> str:
    """The Chromium to use: `DOER_CHROMIUM`, or the first that is installed."""
    if chosen := os.environ.get("DOER_CHROMIUM"):
        if shutil.which(chosen):
            return chosen
        raise ComputerError(f"DOER_CHROMIUM={chosen} is not a program")
    found = next(filter(None, map(shutil.which, (DEBIAN, *NAMES))), None)
    if found is None:
        raise ComputerError(
            "no Chromium found: `apt-get install chromium`, or set DOER_CHROMIUM to its path"
        )
    return found


def command(folder: Path) -> list[str]:
    """The whole command line. Its descriptors 3 and 4 are to be the ends of two pipes."""
    program = find()
    if os.geteuid() != 0:
        return [program, *FLAGS, *HEADLESS, f"--user-data-dir={folder / 'profile'}"]
    if _can_wrap():
        return [*_bubblewrap(program), program, *FLAGS, *HEADLESS, "--user-data-dir=/tmp/profile"]
    return [program, *FLAGS, *HEADLESS, "--no-sandbox", f"--user-data-dir={folder / 'profile'}"]


def windowed(profile: str, screen: tuple[int, int], proxy: str) -> list[str]:
    """The command line for the inside of a computer, where the sandbox is around it already and the
    screen has `screen` pixels. Raises `ComputerError` when it is not installed in /usr."""
    program = find()
    if not program.startswith("/usr/"):
        raise ComputerError(f"{program} is not below /usr, so no computer has it: install chromium")
    width, height = screen
    return [
        *(program, *FLAGS, *WINDOWED, f"--window-size={width},{height}"),
        *(f"--user-data-dir={profile}", f"--proxy-server={proxy}", "about:blank"),
    ]


def _bubblewrap(program: str) -> list[str]:
    """Own users, processes and a read-only system, profile in memory; the network is the host's,
    because pages of practice worlds are served on 127.0.0.1."""
    parent = str(Path(program).resolve().parent)
    binds = [word for path in (*SYSTEM, parent) for word in ("--ro-bind-try", path, path)]
    variables = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", **ENVIRONMENT}
    settings = [word for pair in variables.items() for word in ("--setenv", *pair)]
    return [
        *("bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"),
        *("--die-with-parent", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"),
        *("--ro-bind", "/usr", "/usr", *binds),
        *("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/dev/shm", "--tmpfs", "/tmp"),
        *("--clearenv", *settings, "--"),
    ]


@functools.cache
def _can_wrap() -> bool:
    """Whether bubblewrap works here, and leaves room for Chromium's own sandbox inside it. Says so
    aloud, once, when it does not."""
    probe = [*_bubblewrap("/usr/bin/unshare"), "unshare", "--user", "true"]
    try:
        subprocess.run(probe, capture_output=True, check=True, timeout=START_S)
    except (OSError, subprocess.SubprocessError):
        log.warning(
            "Chromium runs WITHOUT its sandbox: we are root, and bubblewrap is missing or not "
            "allowed. Run as an ordinary user, or `apt-get install bubblewrap`."
        )
        return False
    return True


async def _spawn(command: list[str], stderr: Path) -> tuple[Connection, asyncio.subprocess.Process]:
    """Run it with its ends of two pipes as descriptors 3 (it reads) and 4 (it writes)."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    ends = _high(theirs_in), _high(theirs_out)
    connection = None
    try:
        connection = await Connection.open(ours_in, ours_out)
        with stderr.open("wb") as errors:
            return connection, await asyncio.create_subprocess_exec(
                *("/bin/sh", "-c", f'exec "$@" 3</dev/fd/{ends[0]} 4>/dev/fd/{ends[1]}'),
                *("sh", *command),
                pass_fds=ends,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env={**os.environ, **ENVIRONMENT},
            )
    except BaseException:
        if connection is not None:
            connection.close()
        raise
    finally:
        for fd in ends:
            os.close(fd)


def _high(fd: int) -> int:
    """Move a descriptor out of the way of 3 and 4, which the child's shell is going to set."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(fd)
    return moved
