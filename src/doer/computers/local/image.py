"""A root file system of computers' own, built by mmdebstrap from packages of Debian or Ubuntu.

Computers made with `Spec.image` see it instead of this machine's /usr: the same programs
everywhere, nothing that was installed for somebody else. All share one copy, read-only.
"""

import asyncio
import contextlib
import os
import shutil
import signal
from pathlib import Path

from doer.errors import ComputerError

BUILD_S = 3600.0
PACKAGES = (
    *("ca-certificates", "chromium", "curl", "file", "fonts-dejavu", "fonts-liberation"),
    *("fonts-noto-color-emoji", "fonts-wqy-microhei", "git", "less", "openbox"),
    *("pcmanfm", "procps", "python3", "python3-venv", "tigervnc-common"),
    *("tigervnc-standalone-server", "tzdata", "unzip", "w3m", "x11-xkb-utils", "xfonts-base"),
    *("xkb-data", "xterm", "zip", "zstd"),
)
NEEDED = ("usr/bin/python3", "usr/bin/Xvnc", "usr/bin/openbox", "usr/bin/bash")
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*")
SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))


async def build(to: Path, packages: tuple[str, ...] = PACKAGES) -> None:
    """Build it in `to`, a folder that does not exist yet; about a gigabyte, some minutes. It is
    whole or not there. What was said stands in a log beside it. Raises `ComputerError`."""
    _make_way(to)
    unfinished, log = to.with_name(f"{to.name}.unfinished"), to.with_name(f"{to.name}.log")
    await _remove(unfinished)
    try:
        code = await _run(command(unfinished, packages), log)
        missing = [name for name in NEEDED if not (unfinished / name).exists()]
        if code or missing:
            said = log.read_text(errors="replace")[-1000:]
            raise ComputerError(f"the image was not built ({log}): {said or missing}")
        unfinished.chmod(0o755)
        unfinished.rename(to)
    finally:
        await _remove(unfinished)


def _make_way(to: Path) -> None:
    if shutil.which("mmdebstrap") is None:
        raise ComputerError("mmdebstrap is missing: `apt-get install mmdebstrap`")
    if to.exists():
        raise ComputerError(f"there is something at {to} already")
    to.parent.mkdir(parents=True, exist_ok=True)


def command(to: Path, packages: tuple[str, ...]) -> list[str]:
    """mmdebstrap's arguments: this machine's own release and sources of packages."""
    return [
        *("mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}"),
        *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
        *('--aptopt=Apt::Install-Recommends "false"', _release(), str(to), *map(str, _sources())),
    ]


def _release() -> str:
    """The code name of this machine's Debian or Ubuntu."""
    with contextlib.suppress(FileNotFoundError):
        for line in Path("/etc/os-release").read_text().splitlines():
            name, _, value = line.partition("=")
            if name == "VERSION_CODENAME":
                return value.strip('"')
    return "stable"


def _sources() -> list[Path]:
    listed = [SOURCES[0], *sorted(SOURCES[1].glob("*"))] if SOURCES[1].is_dir() else [SOURCES[0]]
    return [
        path
        for path in listed
        if path.suffix in (".list", ".sources") and path.is_file() and path.stat().st_size
    ]


async def _run(words: list[str], log: Path) -> int:
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
        )
    try:
        async with asyncio.timeout(BUILD_S):
            return await process.wait()
    except TimeoutError:
        raise ComputerError(f"the image was not built in {BUILD_S / 60:.0f} minutes") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _remove(folder: Path) -> None:
    """A user's mmdebstrap makes files of other users in a namespace; there they are removed too."""
    enter = () if os.geteuid() == 0 else ("unshare", "--map-auto", "--map-root-user")
    process = await asyncio.create_subprocess_exec(
        *(*enter, "rm", "-rf", "--one-file-system", "--", str(folder))
    )
    await process.wait()
