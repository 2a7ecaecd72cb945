"""A computer as one file, the same that local computers make: its spec, then its home.

What is packed is read while nothing moves in it. An archive may come from anybody, so it is
unpacked in a container that sees the archive and the folder to fill, and nothing else.
"""

import os
import subprocess
import tempfile
from pathlib import Path

import msgspec

from doer.computers.docker.container import Bind, container
from doer.computers.docker.engine import Engine
from doer.computers.docker.homes import as_owner, run
from doer.computers.docker.running import once
from doer.computers.local import unpacking
from doer.computers.local.archive import COMPRESSORS, PACK_S
from doer.computers.local.folders import Folders
from doer.errors import ComputerError
from doer.records.computer import NetworkRules, Spec

PYTHON = ("/usr/bin/python3", "-I", "-c")
SCRIPT = 'exec "$0" "$@" < /run/archive > /run/vm/told'
UNPACK_MB = 1024


def check(to: Path) -> tuple[str, ...]:
    """The compressor for a name. Raises `ComputerError` for a name that is none of an archive."""
    if (compressor := COMPRESSORS.get(to.suffix)) is None:
        raise ComputerError(f"{to.name}: the name of an archive ends in .tar.zst or .tar.gz")
    return compressor


def pack(folder: Path, spec: Spec, to: Path) -> None:
    """Write the archive of the home in `folder`; it is whole or not there."""
    compressor = check(to)
    unfinished = to.with_name(f"{to.name}.unfinished")
    try:
        with (
            unfinished.open("wb") as out,
            tempfile.TemporaryDirectory() as aside,
            tempfile.TemporaryFile() as said,
        ):
            Path(aside, unpacking.NOTE).write_bytes(msgspec.json.encode(spec))
            with (
                subprocess.Popen(_tar(folder, aside), stdout=subprocess.PIPE, stderr=said) as tar,
                subprocess.Popen(compressor, stdin=tar.stdout, stdout=out) as compressing,
            ):
                assert tar.stdout is not None
                tar.stdout.close()
                try:
                    packed = tar.wait(PACK_S) == 0 and compressing.wait(PACK_S) == 0
                finally:
                    tar.kill()
                    compressing.kill()
            if not packed:
                said.seek(0)
                words = said.read(2000).decode(errors="replace").strip()
                raise ComputerError(f"the home could not be packed: {words or 'is the disk full?'}")
        unfinished.replace(to)
    except subprocess.TimeoutExpired as late:
        raise ComputerError(f"the home was not packed in {PACK_S / 60:.0f} minutes") from late
    except OSError as error:
        raise ComputerError(f"{to} could not be written: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _tar(folder: Path, aside: str) -> list[str]:
    return [
        *(*as_owner(), "tar", "--create", "--file=-", "--format=pax", "--one-file-system"),
        *("--sparse", "--owner=1000", "--group=1000", "--numeric-owner"),
        *("--warning=no-file-ignored", "-C", aside, unpacking.NOTE, "-C", str(folder), "home"),
    ]


def unpack(engine: Engine, folders: Folders, folder: Path, archive: Path, most: Spec) -> Spec:
    """Fill the home of a computer being made, and tell what it was. It may grow to the disk of
    `most`."""
    _lay_open(archive, folder / "archive")
    box = Spec(memory_mb=UNPACK_MB, processes=64, disk_mb=most.disk_mb)
    binds = [
        Bind(folder / "home", "/home/agent", writable=True),
        Bind(folder / "run", "/run/vm", writable=True),
        Bind(folder / "archive", "/run/archive"),
    ]
    body = container(folders, folder, box, engine.kind(), binds)
    programme = Path(unpacking.__file__).read_text()
    words = (*PYTHON, programme, str(most.disk_mb << 20))
    body["Entrypoint"], body["Cmd"] = ("/bin/sh", "-c", SCRIPT), words
    try:
        once(engine, f"doer-unpacking-{os.urandom(6).hex()}", body, PACK_S)
    except ComputerError as wrong:
        raise ComputerError(f"{archive.name} could not be unpacked: {wrong}") from wrong
    finally:
        (folder / "archive").unlink()
    told = _read(folder / "run" / "told")
    try:
        spec = msgspec.json.decode(told, type=Spec)
    except msgspec.DecodeError as wrong:
        raise ComputerError(f"{archive.name} describes no computer: {wrong}") from wrong
    return msgspec.structs.replace(spec, network=NetworkRules(), image="")


def _lay_open(archive: Path, copy: Path) -> None:
    """The user inside may not be able to read the file where it is."""
    command = ("cp", "--reflink=auto", "--dereference", "--", str(archive.absolute()), str(copy))
    run(command, f"{archive} cannot be read")
    copy.chmod(0o644)


def _read(note: Path) -> bytes:
    file = os.open(note, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(file, unpacking.MAX_NOTE)
    finally:
        os.close(file)
