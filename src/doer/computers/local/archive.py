"""A computer as one file: what it is, and its home, flattened. tar, compressed by zstd or gzip.

An archive may come from anybody. It is unpacked in a sandbox of its own, and of its words about the
computer only the sizes are believed: rules for the network and the image are the owner's to give.
"""

import contextlib
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path
from typing import IO

import msgspec

from doer.computers.local import unpacking
from doer.computers.local.folders import Folders
from doer.computers.local.keeper.packing import COPY
from doer.computers.local.keeper.plan import Plan
from doer.computers.local.starting import GUEST, find_bubblewrap, launch
from doer.errors import ComputerError
from doer.records.computer import NetworkRules, Spec

COMPRESSORS = {".zst": ("zstd", "-q", "-T0", "-c"), ".gz": ("gzip", "-1", "-c")}
PACK_S = 1800.0


def pack(folders: Folders, spec: Spec, layers: tuple[str, ...], to: Path) -> None:
    """Write the archive; it is whole or not there. `to` ends in .tar.zst or .tar.gz."""
    if (compressor := COMPRESSORS.get(to.suffix)) is None:
        raise ComputerError(f"{to.name}: the name of an archive ends in .tar.zst or .tar.gz")
    note = msgspec.json.encode(spec).decode()
    plan = _plan(folders, folders.layers, layers, note, spec.disk_mb)
    unfinished = to.with_name(f"{to.name}.unfinished")
    try:
        with (
            unfinished.open("wb") as out,
            _job(plan, "pack", None) as job,
            subprocess.Popen(compressor, stdin=job.process.stdout, stdout=out) as compressing,
        ):
            job.close_output()
            job.finish("the home could not be packed")
            if compressing.wait():  # its input has ended
                raise ComputerError(f"{compressor[0]} failed while packing: is the disk full?")
        unfinished.replace(to)
    except OSError as error:
        what = f"{error.filename}: {error.strerror}"
        raise ComputerError(f"{to.name} cannot be written: {what}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def flatten(folders: Folders, layers: tuple[str, ...], room: str) -> None:
    """Copy what these layers show together into one unfinished layer."""
    with _job(_plan(folders, folders.layers, layers, "{}", 0), f"{COPY}{room}", None) as job:
        job.finish("the layers of a home could not be made one")


def unpack(folders: Folders, folder: Path, archive: Path, most: Spec) -> Spec:
    """Fill the upper folder of a computer being made, and tell what it was. It may grow to the
    disk of `most`."""
    programme = Path(unpacking.__file__).read_text()
    plan = _plan(folders, folder, (), "", most.disk_mb)
    with archive.open("rb") as file, _job(plan, programme, file) as job:
        assert job.process.stdout is not None
        told = job.process.stdout.read(unpacking.MAX_NOTE)
        job.finish(f"{archive.name} could not be unpacked")
    try:
        spec = msgspec.json.decode(told, type=Spec)
    except msgspec.DecodeError as wrong:
        raise ComputerError(f"{archive.name} describes no computer: {wrong}") from wrong
    return msgspec.structs.replace(spec, network=NetworkRules(), image="")


class _Job:
    def __init__(self, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        self.process = process
        self._said = said

    def close_output(self) -> None:
        """Leave it to somebody else to read."""
        if self.process.stdout is not None:
            self.process.stdout.close()

    def finish(self, what: str) -> None:
        """Wait for its end. Raises `ComputerError` when that was none of success."""
        if self.process.wait():
            self._said.seek(0)
            said = self._said.read(4096).decode(errors="replace").strip()
            raise ComputerError(f"{what}: {said or 'it broke off'}")


@contextlib.contextmanager
def _job(plan: Plan, what: str, stdin: IO[bytes] | None) -> Generator[_Job]:
    ours, theirs = socket.socketpair()
    with ours, tempfile.TemporaryFile() as said:
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", launch("packing"), str(theirs.fileno()), what],
                pass_fds=(theirs.fileno(),),
                stdin=stdin or subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                cwd="/",
                env={"PATH": "/usr/bin:/bin"},
            )
        job = _Job(process, said)
        late = threading.Timer(PACK_S, process.kill)  # no wait for it lasts longer
        late.start()
        try:
            ours.sendall(plan.encode())
            ours.shutdown(socket.SHUT_WR)
            yield job
        finally:
            late.cancel()
            process.kill()
            job.close_output()
            process.wait()


def _plan(folders: Folders, folder: Path, layers: tuple[str, ...], note: str, disk_mb: int) -> Plan:
    return Plan(
        name="archive",
        folder=str(folder),
        layers_folder=str(folders.layers),
        layers=layers,
        uid=folders.owner.uid,
        gid=folders.owner.gid,
        system="/",
        guest=str(GUEST),
        bubblewrap=find_bubblewrap(),
        environment={},
        memory_mb=0,
        processes=0,
        disk_mb=disk_mb,
        cpus=0,
        note=note,
    )
