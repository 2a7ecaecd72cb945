"""Tries what containers need, in order, and names the fix of what fails. Without an engine it takes
no time; with one, a container is started that does what a computer will have to."""

import os
import tempfile
from pathlib import Path

from doer.computers.docker.container import INIT, Bind, container
from doer.computers.docker.engine import Engine, Kind
from doer.computers.docker.image import how_to_build, image, is_built
from doer.computers.docker.running import once
from doer.computers.local.folders import Folders
from doer.errors import ComputerError
from doer.records.computer import Ingredient, Probe, Spec

TRIAL_S = 60.0
TRIAL = "touch /home/agent/written && unshare -Urnp --fork true"
REMAPPED = (
    "give the engine's users their own ids: Docker without `userns-remap` and not rootless, or "
    "rootless Podman, which can keep them"
)
TRIAL_FIX = (
    "see what was said: limits need cgroups that the engine may write (with rootless Podman "
    "cgroup v2 and systemd's delegation), Chromium's own sandbox needs user namespaces "
    "(`sysctl kernel.apparmor_restrict_unprivileged_userns` is to be 0)"
)


def probe(engine: Engine, folders: Folders) -> Probe:
    """Blocks. Raises nothing."""
    found: list[Ingredient] = []
    try:
        kind = engine.kind()
    except ComputerError as none:
        said, _, fix = str(none).partition(": ")
        absent = engine.is_absent()
        one = Ingredient(name="engine", works=False, needed=not absent, said=said, fix=fix or said)
        return Probe(backend="docker", ingredients=(one,))
    name = f"{kind.command} {kind.version}{', rootless' if kind.rootless else ''}"
    found.append(Ingredient(name="engine", works=True, said=name))
    found += _with(engine, kind, folders)
    works = all(one.works for one in found if one.needed)
    return Probe(
        backend="docker",
        ingredients=tuple(found),
        isolation="container" if works else "none",
    )


def _with(engine: Engine, kind: Kind, folders: Folders) -> list[Ingredient]:
    if kind.remapped:
        said = "users of its containers are other users here, so files could not be shared"
        return [Ingredient(name="users", works=False, said=said, fix=REMAPPED)]
    try:
        if not is_built(engine, image()):
            said = f"there is no {image()}"
            fix = how_to_build(kind.command)
            return [Ingredient(name="image", works=False, said=said, fix=fix)]
        found = [Ingredient(name="image", works=True, said=image())]
    except ComputerError as error:
        return [_failing("image", error, "see what the engine says")]
    try:
        _try(engine, kind, folders)
    except ComputerError as error:
        return [*found, _failing("a container", error, TRIAL_FIX)]
    return [*found, Ingredient(name="a container", works=True), DISK]


DISK = Ingredient(
    name="limit of the disk",
    works=False,
    needed=False,
    said="engines limit no folder: the daemon inside ends who writes too much, as long as it is "
    "not stopped itself",
    fix="put DOER_HOME on a disk of its own, or under a project quota",
)


def _try(engine: Engine, kind: Kind, folders: Folders) -> None:
    """Start what is like a computer in all but its daemon."""
    folders.prepare()
    with tempfile.TemporaryDirectory(dir=folders.root, prefix=".probe-") as made:
        aside = Path(made, "trial")
        folders.owner.show(aside)
        Path(made).chmod(0o711)
        folders.owner.give(aside / "home")
        binds = [Bind(aside / "home", "/home/agent", writable=True)]
        body = container(folders, aside, Spec(memory_mb=256, processes=64), kind, binds)
        body["Entrypoint"], body["Cmd"] = INIT, ("/bin/sh", "-c", TRIAL)
        once(engine, f"doer-trial-{os.urandom(6).hex()}", body, TRIAL_S)


def _failing(name: str, error: ComputerError, fix: str) -> Ingredient:
    return Ingredient(name=name, works=False, said=str(error)[:500], fix=fix)
