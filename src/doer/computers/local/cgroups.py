"""Control groups for a computer, where this process may make them: memory, processes, cores.

Both versions of the kernel's interface: one tree (v2), or a tree per controller (v1 and hybrid).
An ordinary user can make them only inside a subtree that was handed to him.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from doer.records.computer import Spec

CONTROLLERS = ("memory", "pids", "cpu")
PERIOD_US = 100_000


@dataclass(frozen=True)
class Tree:
    """A mounted hierarchy and our own place in it. `controllers` is empty for v2."""

    folder: Path
    controllers: tuple[str, ...]


def trees() -> tuple[Tree, ...]:
    """All hierarchies there are here."""
    mounted: list[tuple[Path, str, list[str], str]] = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        words = before.split()
        if kind in ("cgroup", "cgroup2"):
            mounted.append((Path(words[4]), words[3], options.split(","), kind))
    own = dict(_own())
    found: list[Tree] = []
    for point, root, options, kind in mounted:
        controllers = tuple(name for name in CONTROLLERS if kind == "cgroup" and name in options)
        path = own.get(controllers[0] if controllers else "" if kind == "cgroup2" else "?")
        if path is not None:
            inside = os.path.relpath(path, root) if path.startswith(root) else "."
            found.append(Tree(point / inside, controllers))
    return tuple(found)


def make(name: str, spec: Spec) -> tuple[str, ...]:
    """Groups with the limits of `spec`, as folders; () when memory and processes cannot both be
    limited. Nothing is left behind then."""
    made: dict[str, Path] = {}
    for tree in trees():
        with contextlib.suppress(OSError):
            if tree.controllers:
                made |= _make_v1(tree, name, spec)
            else:
                made |= _make_v2(tree, name, spec)
    if {"memory", "pids"} <= made.keys():
        return tuple(sorted({str(folder) for folder in made.values()}))
    remove(tuple(map(str, made.values())))
    return ()


def remove(groups: tuple[str, ...]) -> None:
    """Remove groups whose processes have ended; those of living ones stay."""
    for group in groups:
        with contextlib.suppress(OSError):
            Path(group).rmdir()


def _own() -> Iterator[tuple[str, str]]:
    """Controller ("" for v2) -> our path in its tree."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0":
            yield "", path
        for controller in controllers.split(","):
            if number != "0":
                yield controller, path


def _make_v1(tree: Tree, name: str, spec: Spec) -> dict[str, Path]:
    group = tree.folder / f"doer-{name}"
    group.mkdir(exist_ok=True)
    for controller in tree.controllers:
        match controller:
            case "memory":
                (group / "memory.limit_in_bytes").write_text(str(spec.memory_mb << 20))
                swap = group / "memory.memsw.limit_in_bytes"
                with contextlib.suppress(OSError):  # there without swap accounting too, or not
                    swap.write_text(str(spec.memory_mb << 20))
            case "pids":
                (group / "pids.max").write_text(str(spec.processes))
            case _ if spec.cpus:
                (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
                (group / "cpu.cfs_quota_us").write_text(str(int(spec.cpus * PERIOD_US)))
            case _:
                pass
    return dict.fromkeys(tree.controllers, group)


def _make_v2(tree: Tree, name: str, spec: Spec) -> dict[str, Path]:
    """Below the nearest of our ancestors that hands the controllers on, or can be made to."""
    for parent in (tree.folder, *tree.folder.parents):
        if not (parent / "cgroup.subtree_control").is_file():
            break
        with contextlib.suppress(OSError):
            missing = {*CONTROLLERS} - {*(parent / "cgroup.subtree_control").read_text().split()}
            if missing:
                words = " ".join(f"+{one}" for one in sorted(missing))
                (parent / "cgroup.subtree_control").write_text(words)
            group = parent / f"doer-{name}"
            group.mkdir(exist_ok=True)
            (group / "memory.max").write_text(str(spec.memory_mb << 20))
            with contextlib.suppress(FileNotFoundError):
                (group / "memory.swap.max").write_text("0")
            (group / "pids.max").write_text(str(spec.processes))
            if spec.cpus:
                quota = f"{int(spec.cpus * PERIOD_US)} {PERIOD_US}"
                (group / "cpu.max").write_text(quota)
            return dict.fromkeys(CONTROLLERS, group)
    return {}


def of(name: str) -> tuple[str, ...]:
    """The groups of a computer that are there."""
    places = [parent for tree in trees() for parent in (tree.folder, *tree.folder.parents)]
    found = {str(place / f"doer-{name}") for place in places}
    return tuple(sorted(group for group in found if Path(group).is_dir()))
