"""What `doer computer` and `doer doctor` do."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from doer.computers.backend import Backend
from doer.computers.build import BACKENDS, backend, fleet
from doer.computers.local.image import build as build_image
from doer.computers.memory import Snapshot
from doer.config import read
from doer.errors import ComputerError, ConfigError
from doer.records.computer import NetworkRules, Probe, Spec, Stats
from doer.records.shell import RunResult


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One computer, as it is listed. `spec` is None when it cannot be read."""

    name: str
    stats: Stats
    spec: Spec | None


async def probes() -> tuple[Probe, ...]:
    return tuple([await backend(name).probe() for name in BACKENDS])


async def listed() -> tuple[Listed, ...]:
    there = fleet().backend
    return tuple([await _listed(there, name) for name in there.names()])


async def _listed(there: Backend, name: str) -> Listed:
    """A computer that is broken, or is being removed, hides none of the others."""
    stats, spec = Stats(state="broken"), None
    with suppress(ComputerError):
        spec = there.spec(name)
        stats = await there.stats(name)
    return Listed(name=name, stats=stats, spec=spec)


async def created(name: str, spec: str, snapshot: str) -> None:
    """`spec`: a TOML file, or "" for what is usual."""
    await fleet().create(name, read(Path(spec), Spec) if spec else None, snapshot)


async def started(name: str) -> None:
    """Started, and made first when there is none of this name."""
    there = fleet()
    if name not in there.names():
        await there.create(name)
    await there.backend.start(name)


async def stopped(name: str) -> None:
    await fleet().backend.stop(name)


async def ran(name: str, command: Sequence[str], timeout_s: float) -> RunResult:
    async with fleet().opened(name) as desk:
        await desk.ready("shell")
        return await desk.shell.run(command, timeout_s=timeout_s, keep=(1 << 20, 1 << 20))


async def pictured(name: str, jpeg: bool) -> bytes:
    """A picture of its screen, as PNG or JPEG."""
    async with fleet().opened(name) as desk:
        await desk.ready("screen")
        return (await desk.screen.screenshot("jpeg" if jpeg else "png")).picture


async def kept(name: str) -> Snapshot:
    there = fleet()
    async with there.opened(name) as desk:
        return await there.snapshot(desk)


async def snapshots() -> tuple[Snapshot, ...]:
    return fleet().snapshots.all()


async def forked(name: str, child: str) -> None:
    there = fleet()
    async with there.opened(name) as desk:
        await there.fork(desk, child)


async def restored(name: str, snapshot: str) -> None:
    await fleet().restore(name, snapshot)


async def exported(name: str, file: Path) -> None:
    await fleet().export(name, file)


async def imported(file: Path, name: str) -> None:
    await fleet().import_from(file, name)


async def removed(names: Sequence[str], snapshots: Sequence[str]) -> None:
    there = fleet()
    if not names and not snapshots:
        raise ConfigError("say what to delete: names of computers, or --snapshot ID")
    if missing := [name for name in names if name not in there.names()]:
        raise ConfigError(f"there is no computer {missing[0]}: `doer computer list` names them")
    for name in names:
        await there.remove(name)
    for id in snapshots:
        await there.forget(id)


async def image_built(folder: Path) -> None:
    await build_image(folder)


async def networked(name: str, rules: str) -> str:
    """The rules of a computer as JSON, after others were set, if any are given: `off`, `open`, or
    those of a TOML file."""
    there = fleet()
    if rules in ("off", "open"):
        await there.backend.set_network(name, NetworkRules(mode=rules))
    elif rules:
        await there.backend.set_network(name, read(Path(rules), NetworkRules))
    shown = msgspec.json.format(msgspec.json.encode(there.backend.spec(name).network))
    return shown.decode() + "\n"
