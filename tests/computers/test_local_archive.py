"""A computer as a file, and files that are made to harm whoever unpacks them."""

import io
import os
import shutil
import tarfile
import tempfile
from pathlib import Path

import msgspec
import pytest
from docker_engine import DockerEngine

from doer.computers.docker.backend import DockerBackend
from doer.computers.docker.image import image
from doer.computers.local.backend import LocalBackend
from doer.errors import ComputerError
from doer.records.computer import HostRule, NetworkRules, Route, Spec

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]
HOSTILE = NetworkRules(mode="open", routes=(Route(host="a.test", to="127.0.0.1:22"),))


@pytest.fixture
def engine():
    with tempfile.TemporaryDirectory(prefix="doer-engine-") as folder:
        engine = DockerEngine(Path(folder, "engine.sock"), {image()})
        yield engine
        engine.close()
        assert engine.faults == []


@pytest.fixture(params=["local", "docker"])
async def backend(request, tmp_path, engine):
    """Local computers, and containers of an engine of our own."""
    root = tmp_path / "computers"
    local = request.param == "local"
    made = LocalBackend(root) if local else DockerBackend(root, engine.environ)
    yield made
    for name in made.names():
        await made.destroy(name)


def give(backend: LocalBackend | DockerBackend, folder: Path) -> None:
    """As if the computer had made these files itself."""
    owner = backend._folders.owner
    for path in folder.rglob("*"):
        os.chown(path, owner.uid, owner.gid, follow_symlinks=False)


def upper(backend: LocalBackend | DockerBackend, name: str) -> Path:
    """The folder that a home is written to."""
    return backend._folders.of(name) / ("upper" if backend.name == "local" else "home")


def archive(folder: Path, members: list[tarfile.TarInfo | tuple[str, bytes]], spec: Spec) -> Path:
    path = folder / "evil.tar.gz"
    with tarfile.open(path, "w:gz") as out:
        note = tarfile.TarInfo("computer.json")
        said = msgspec.json.encode(spec)
        note.size = len(said)
        out.addfile(note, io.BytesIO(said))
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                out.addfile(member)
            else:
                made = tarfile.TarInfo(member[0])
                made.size = len(member[1])
                out.addfile(made, io.BytesIO(member[1]))
    return path


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


@pytest.mark.parametrize("suffix", ["zst", "gz"])
async def test_an_exported_computer_is_imported_whole(backend, tmp_path, suffix):
    if suffix == "zst" and shutil.which("zstd") is None:
        pytest.skip("zstd is not installed")
    spec = Spec(disk_mb=300, network=NetworkRules(mode="allowlist", allow=(HostRule(host="a"),)))
    await backend.create("one", spec)
    home = upper(backend, "one")
    (home / "folder").mkdir()
    (home / "folder" / "file").write_bytes(b"\0text" * 1000)
    (home / "folder" / "link").symlink_to("file")
    (home / "folder" / "locked").write_text("x")
    (home / "folder" / "locked").chmod(0)
    give(backend, home)
    await backend.snapshot("one")  # now it lies in a layer
    (home / "later ü").write_text("later")
    file = tmp_path / f"one.tar.{suffix}"
    await backend.export("one", file)
    told = await backend.import_from(file, "two")
    assert told == backend.spec("two") == Spec(disk_mb=300)
    there = upper(backend, "two")
    assert (there / "folder" / "file").read_bytes() == b"\0text" * 1000
    assert (there / "folder" / "link").readlink() == Path("file")
    assert (there / "folder" / "locked").stat().st_mode & 0o777 == 0
    assert (there / "later ü").read_text() == "later"


async def test_nothing_leaves_the_home_and_nothing_dangerous_enters_it(backend, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    device = tarfile.TarInfo("home/device")
    device.type, device.devmajor, device.devminor = tarfile.CHRTYPE, 1, 3
    setuid = tarfile.TarInfo("home/setuid")
    setuid.mode = 0o6755
    file = archive(
        tmp_path,
        [
            ("home/../../escaped", b"x"),
            ("/etc/escaped", b"x"),
            ("home//tmp/escaped", b"x"),
            link("home/out", str(outside)),
            ("home/out/escaped", b"x"),
            device,
            setuid,
        ],
        Spec(network=HOSTILE, image="/", memory_mb=1 << 20),
    )
    with pytest.raises(ComputerError, match="could not be unpacked"):
        await backend.import_from(file, "one")  # what `out` points to is not in the sandbox
    assert backend.names() == ()
    assert [path.name for path in outside.iterdir()] == ["secret"]
    rest = [link("home/hard", f"{outside}/secret", tarfile.LNKTYPE), device, setuid]
    told = await backend.import_from(archive(tmp_path, rest, Spec(network=HOSTILE)), "two")
    assert told.network == NetworkRules()
    assert [path.name for path in upper(backend, "two").iterdir()] == ["setuid"]
    assert (upper(backend, "two") / "setuid").stat().st_mode & 0o7000 == 0


async def test_an_archive_chooses_neither_image_nor_rules_nor_more_than_is_granted(
    backend, tmp_path
):
    claims = Spec(network=HOSTILE, image="/", memory_mb=1 << 20, disk_mb=1 << 30)
    told = await backend.import_from(archive(tmp_path, [], claims), "one")
    assert told == Spec()


async def test_a_bomb_is_stopped_at_the_disk_it_may_take(backend, tmp_path):
    bomb = archive(tmp_path, [("home/bomb", bytes(80 << 20))], Spec())
    with pytest.raises(ComputerError, match="holds more"):
        await backend.import_from(bomb, "one", Spec(disk_mb=64))
    assert backend.names() == ()
    await backend.create("one", Spec())  # the name is free


@pytest.mark.parametrize("content", [b"", b"\x1f\x8bnonsense", b"x" * 2000, b"\x28\xb5\x2f\xfd"])
async def test_a_file_that_is_no_archive_is_refused(backend, tmp_path, content):
    file = tmp_path / "some.tar.gz"
    file.write_bytes(content)
    with pytest.raises(ComputerError, match="some.tar.gz"):
        await backend.import_from(file, "one")
    assert backend.names() == ()


async def test_an_archive_asks_for_no_screen_that_a_host_cannot_hold(backend, tmp_path):
    claims = msgspec.structs.replace(Spec(), screen=(60_000, 60_000))
    with pytest.raises(ComputerError, match="describes no computer"):
        await backend.import_from(archive(tmp_path, [], claims), "one")
    assert backend.names() == ()


async def test_what_takes_too_long_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("doer.computers.local.archive.PACK_S", 0.01)
    backend = LocalBackend(tmp_path / "computers")
    with pytest.raises(ComputerError, match="could not be unpacked: it broke off"):
        await backend.import_from(archive(tmp_path, [], Spec()), "one")
    await backend.create("one", Spec())
    with pytest.raises(ComputerError, match="could not be packed: it broke off"):
        await backend.export("one", tmp_path / "one.tar.gz")
    assert not list(tmp_path.glob("one.tar*"))


async def test_an_archive_needs_a_name_that_says_its_kind(backend, tmp_path):
    await backend.create("one", Spec())
    with pytest.raises(ComputerError, match=r"tar\.gz"):
        await backend.export("one", tmp_path / "one.zip")
    assert not list(tmp_path.glob("*.unfinished"))
