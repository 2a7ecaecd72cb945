"""Tries for real, one by one, what local computers are made of, and names the fix of what fails."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from doer.computers.local import cgroups
from doer.computers.local.folders import Owner
from doer.computers.local.keeper import seccomp
from doer.computers.local.starting import find_bubblewrap, launch
from doer.records.computer import Ingredient, Probe, Spec

TRY_S = 20.0
SWITCHES = (
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel/unprivileged_userns_clone", "0", "1"),
    ("user/max_user_namespaces", "0", "15000"),
)
"""A file in /proc/sys, the value that forbids user namespaces, and one that allows them."""
PROFILE = (
    "or allow Doer alone with an AppArmor profile: `profile doer {python} flags=(unconfined) "
    "{{ userns, }}` in /etc/apparmor.d/doer, then `apparmor_parser -r /etc/apparmor.d/doer`"
)
CHROMIUMS = ("usr/lib/chromium/chromium", "usr/bin/chromium", "usr/bin/google-chrome-stable")
WRAP = (
    *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"),
    *("--unshare-cgroup", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"),
    *("--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64"),
    *("/lib64", "--symlink", "usr/bin", "/bin", "--proc", "/proc", "--dev", "/dev"),
    *("--size", "1048576", "--tmpfs", "/tmp", "--remount-ro", "/"),
)
OVERLAY = """
set -e
mkdir low up work all
echo kept > low/file
mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work,userxattr all
rm all/file
test -e up/file -o -c up/file
"""


def probe(owner: Owner, root: Path) -> Probe:
    """Blocks for about a second. `root`: where computers lie, or will lie."""
    bubblewrap = find_bubblewrap() or "bubblewrap is missing"
    attempts: dict[str, Callable[[], None]] = {
        "user namespaces": lambda: _run(owner, "true"),
        "planted listener": lambda: _run(owner),
        "overlay as a user": lambda: _try_overlay(owner, root),
        "bubblewrap": lambda: _run(owner, bubblewrap, *WRAP, "true"),
        "Chromium's own sandbox": lambda: _run(
            owner, bubblewrap, *WRAP, "unshare", "-Urnp", "--fork", "true"
        ),
        "system call filter": lambda: os.close(seccomp.build()),
        "python3 in /usr": lambda: _run(owner, "/usr/bin/python3", "-I", "-c", ASK_VERSION),
    }
    tried = [_ingredient(name, attempt) for name, attempt in attempts.items()]
    found = [_found("Chromium", CHROMIUMS, "chromium", True)]
    found.append(_found("Xvnc", ("usr/bin/Xvnc",), "tigervnc-standalone-server", False))
    found.append(_found("openbox", ("usr/bin/openbox",), "openbox", False))
    return Probe(
        backend="local",
        ingredients=(*tried, *found, _groups()),
        isolation="userns" if all(one.works for one in tried) else "none",
    )


ASK_VERSION = "import sys; sys.exit(sys.version_info < (3, 9) and 'it is older than 3.9')"


def _ingredient(name: str, attempt: Callable[[], None]) -> Ingredient:
    try:
        attempt()
    except subprocess.CalledProcessError as failed:
        said = (failed.stderr or b"").decode(errors="replace").strip()[-300:]
    except (OSError, subprocess.SubprocessError) as failed:
        said = str(failed)
    else:
        return Ingredient(name=name, works=True)
    return Ingredient(name=name, works=False, said=said, fix=_fix(name))


def _fix(name: str) -> str:
    packages = {
        "bubblewrap": "bubblewrap",
        "system call filter": "libseccomp2",
        "python3 in /usr": "python3",
    }
    if name in packages and not _is_installed(name):
        return f"`apt-get install {packages[name]}`"
    if name == "overlay as a user" and not _forbidding():
        return "Linux 5.11 or later, and DOER_HOME on ext4, xfs, btrfs or tmpfs (no network disk)"
    if name == "python3 in /usr":
        return "a system with Python 3.9 or later in /usr/bin/python3"
    return _forbidding() or (
        "user namespaces are refused: in a container, start it with "
        "`--security-opt seccomp=unconfined --security-opt apparmor=unconfined "
        "--security-opt systempaths=unconfined`; otherwise enable CONFIG_USER_NS, or use Docker"
    )


def _is_installed(name: str) -> bool:
    match name:
        case "bubblewrap":
            return bool(find_bubblewrap())
        case "python3 in /usr":
            return Path("/usr/bin/python3").exists()
        case _:
            return any(Path("/usr/lib").rglob("libseccomp.so.2"))


def _forbidding() -> str:
    """What to do about the switch that forbids user namespaces here, "" when none does."""
    for file, forbids, allows in SWITCHES:
        path = Path("/proc/sys", file)
        if path.is_file() and path.read_text().strip() == forbids:
            fix = f"`sudo sysctl -w {file.replace('/', '.')}={allows}`"
            python = os.path.realpath("/proc/self/exe")
            return f"{fix}, {PROFILE.format(python=python)}" if "apparmor" in file else fix
    return ""


def _run(owner: Owner, *command: str, cwd: Path = Path("/")) -> None:
    """In the namespaces of a keeper, as the user that computers run as."""
    enter = (sys.executable, "-I", "-S", "-c", launch("trying"), str(owner.uid), str(owner.gid))
    subprocess.run(
        (*enter, *command),
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=TRY_S,
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C"},
    )


def _try_overlay(owner: Owner, root: Path) -> None:
    """On the disk that computers lie on."""
    there = next(folder for folder in (root, *root.parents) if folder.is_dir())
    with tempfile.TemporaryDirectory(dir=there, prefix=".probe-") as folder:
        own = Path(folder, "own")
        owner.give(own)
        _run(owner, "sh", "-c", OVERLAY, cwd=own)


def _found(name: str, places: tuple[str, ...], package: str, needed: bool) -> Ingredient:
    if any(Path("/", place).exists() for place in places):
        return Ingredient(name=name, works=True, needed=needed)
    fix = f"`apt-get install {package}`"
    return Ingredient(name=name, works=False, needed=needed, said="it is missing", fix=fix)


def _groups() -> Ingredient:
    made = cgroups.make(f"probe-{os.getpid()}", Spec())
    cgroups.remove(made)
    if made:
        return Ingredient(name="control groups", works=True, needed=False, said=", ".join(made))
    return Ingredient(
        name="control groups",
        works=False,
        needed=False,
        said="a watchdog holds to the limits of memory instead; cores are limited in whole ones",
        fix="start Doer by `systemd-run --user --scope -p Delegate=yes doer ...`, or as root",
    )
