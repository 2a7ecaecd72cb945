"""Starts a computer's keeper, and waits until the daemon inside can be reached."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from doer.computers.inside import HOME, PROXY, RUN
from doer.computers.local import cgroups, etc
from doer.computers.local.folders import Folders, is_held
from doer.computers.local.keeper.plan import Plan
from doer.computers.local.sockets import connect
from doer.errors import ComputerError
from doer.records.computer import Spec

KEEPER_S, DAEMON_S = 20.0, 30.0
PACKAGE = Path(__file__).parents[3]
GUEST = Path(__file__).parents[1] / "guest" / "inside"


def launch(module: str) -> str:
    """The source of a programme that runs a module of the keeper, with nothing else on its path."""
    path = f"import sys; sys.path.insert(0, {str(PACKAGE)!r}); "
    return f"{path}from doer.computers.local.keeper.{module} import main; main()"


def find_bubblewrap() -> str:
    """Its path, or "" where it is missing."""
    return shutil.which("bwrap") or ""


def environment(spec: Spec) -> dict[str, str]:
    """What every process of a computer finds in its environment."""
    width, height = spec.screen
    proxies = {
        name: PROXY
        for lower in ("http_proxy", "https_proxy", "all_proxy")
        for name in (lower, lower.upper())
    }
    return {
        **proxies,
        **{"no_proxy": "localhost,127.0.0.1", "NO_PROXY": "localhost,127.0.0.1"},
        **{"HOME": HOME, "USER": "agent", "LOGNAME": "agent", "SHELL": "/bin/bash"},
        **{"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/games", "LANG": "C.UTF-8"},
        **{"DISPLAY": ":1", "XDG_RUNTIME_DIR": RUN, "TERM": "xterm-256color"},
        **{"DBUS_SESSION_BUS_ADDRESS": "disabled:", "DBUS_SYSTEM_BUS_ADDRESS": "disabled:"},
        "DOER_SCREEN": f"{width}x{height}",
    }


def start(
    folders: Folders, name: str, layers: tuple[str, ...], authorities: tuple[str, ...]
) -> None:
    """Raises `ComputerError` with the words of what failed; nothing runs then."""
    folder, spec = folders.of(name), folders.spec(name)
    if spec.image and not Path(spec.image, "usr/bin/python3").is_file():
        raise ComputerError(
            f"{spec.image} is no image of a system: `doer computer image build` makes one"
        )
    _clear(folders, name)
    etc.write(folder / "etc", name, Path(spec.image or "/"), authorities)
    groups = cgroups.make(folders.group(name), spec)
    plan = Plan(
        name=name,
        folder=str(folder),
        layers_folder=str(folders.layers),
        layers=layers,
        uid=folders.owner.uid,
        gid=folders.owner.gid,
        system=spec.image or "/",
        guest=str(GUEST),
        bubblewrap=find_bubblewrap(),
        environment=environment(spec),
        memory_mb=spec.memory_mb,
        processes=spec.processes,
        disk_mb=spec.disk_mb,
        cpus=spec.cpus,
        cgroups=groups,
        beside=spec.folders,
    )
    try:
        _keep(plan, folder / "keeper.log")
        _await_daemon(folder, folders.owner.uid)
    except BaseException:
        cgroups.remove(groups)
        raise


def _clear(folders: Folders, name: str) -> None:
    """What the last run left, or an agent planted for the next one, is not there any more."""
    for part in ("run", "work", "host"):
        folders.renew(name, part)
    folder = folders.of(name)
    folders.throw_away(folder / "etc")
    (folder / "etc").mkdir()


def _keep(plan: Plan, said: Path) -> None:
    if not plan.bubblewrap:
        raise ComputerError("bubblewrap is missing: `apt-get install bubblewrap`")
    ours, theirs = socket.socketpair()
    with ours, said.open("wb") as log:
        with theirs:
            command = [sys.executable, "-I", "-S", "-c", launch("main"), str(theirs.fileno())]
            launcher = subprocess.Popen(
                command,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={name: os.environ[name] for name in _NEEDED if name in os.environ},
            )
        try:
            ours.settimeout(KEEPER_S)
            ours.sendall(plan.encode())
            ours.shutdown(socket.SHUT_WR)
            answer = ours.makefile("rb").read()
            launcher.wait(KEEPER_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            launcher.kill()
            launcher.wait()
            raise ComputerError(f"the keeper of {plan.name} did not start: {error}") from error
    if answer != b"ready":
        words = answer.decode(errors="replace") or said.read_text()[-1000:]
        raise ComputerError(
            f"{plan.name} could not be started: {words}. `doer doctor` says what is missing"
        )


_NEEDED = ("PATH", "LD_LIBRARY_PATH")


def _await_daemon(folder: Path, uid: int) -> None:
    end = time.monotonic() + DAEMON_S
    while True:
        with contextlib.suppress(ComputerError):
            connect(folder / "run", "daemon.sock", uid, socket.SOCK_STREAM, 1).close()
            return
        if not is_held(folder / "host" / "lifetime"):
            raise ComputerError(f"{folder.name} ended while starting: {_tail(folder)}")
        if time.monotonic() > end:
            raise ComputerError(f"the daemon of {folder.name} does not answer: {_tail(folder)}")
        time.sleep(0.003)


def _tail(folder: Path) -> str:
    with contextlib.suppress(FileNotFoundError):
        return (folder / "host" / "log").read_text(errors="replace")[-1000:].strip()
    return "it said nothing"
