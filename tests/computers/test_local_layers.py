"""Frozen layers: copied as an overlay keeps them, safe at every moment, gone when not needed."""

import os
import stat
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doer.computers.local.backend import LocalBackend
from doer.computers.local.keeper.copying import Copier
from doer.computers.local.keeper.usage import blocks
from doer.computers.local.layers import Home
from doer.errors import ComputerError
from doer.records.computer import Spec


@pytest.fixture
def backend(tmp_path):
    return LocalBackend(tmp_path / "computers")


def upper(backend: LocalBackend, name: str) -> Path:
    return backend._folders.of(name) / "upper"


def layers_on_disk(backend: LocalBackend) -> set[str]:
    folder = backend._folders.layers
    return {path.name for path in folder.iterdir()} - {".empty"}


async def test_a_stopped_home_is_frozen_by_renaming_and_shared(backend):
    await backend.create("one", Spec())
    (upper(backend, "one") / "file").write_text("kept")
    inode = (upper(backend, "one") / "file").stat().st_ino
    snapshot = await backend.snapshot("one")
    await backend.fork("one", "two")
    (layer,) = layers_on_disk(backend)
    assert (backend._folders.layers / layer / "file").stat().st_ino == inode
    assert backend.snapshots() == (snapshot,)
    assert not any(upper(backend, "one").iterdir())
    assert not any(upper(backend, "two").iterdir())


async def test_freezing_an_unchanged_home_makes_no_layer(backend):
    await backend.create("one", Spec())
    await backend.snapshot("one")
    assert not layers_on_disk(backend)


async def test_layers_stay_as_long_as_anybody_needs_them(backend):
    await backend.create("one", Spec())
    (upper(backend, "one") / "file").write_text("x")
    await backend.fork("one", "two")
    snapshot = await backend.snapshot("two")
    for name in ("one", "two"):
        await backend.destroy(name)
        assert len(layers_on_disk(backend)) == 1
    await backend.forget(snapshot)
    assert not layers_on_disk(backend)
    with pytest.raises(ComputerError, match="snapshot"):
        await backend.forget(snapshot)
    with pytest.raises(ComputerError, match="snapshot"):
        await backend.forget("../one/layers")


@pytest.mark.parametrize("renamed", [False, True])
async def test_a_kill_while_freezing_loses_nothing(backend, renamed):
    """The two moments at which a process may be killed, and what whoever comes next makes of it."""
    await backend.create("one", Spec())
    (upper(backend, "one") / "file").write_text("kept")
    home = backend._folders.of("one") / "layers.json"
    home.write_bytes(msgspec.json.encode(Home(freezing="0123456789")))
    if renamed:
        upper(backend, "one").rename(backend._folders.layers / "0123456789")
    await backend.fork("one", "two")
    layers = msgspec.json.decode(home.read_bytes(), type=Home)
    assert len(layers.layers) == 1
    assert not layers.freezing
    file = backend._folders.layers / layers.layers[0] / "file"
    assert file.read_text() == "kept"
    assert upper(backend, "one").is_dir()


async def test_what_a_killed_process_left_half_made_is_swept_away(backend):
    await backend.create("one", Spec())
    layer, folder = backend._layers.room()
    (folder / "half").write_text("x")
    room = backend._make_room("half", ())
    assert backend.names() == ("one",)
    await backend.destroy("one")
    assert not folder.exists()
    assert not room.exists()
    assert layer not in layers_on_disk(backend)


async def test_a_layer_in_the_making_is_not_swept_by_others(backend):
    await backend.create("one", Spec())
    with backend._folders.keep_layers():
        layer, _ = backend._layers.room()
        await backend.destroy("one")
        backend._layers.finish(layer)
    assert layers_on_disk(backend) == {layer}


def test_a_copy_keeps_what_an_overlay_says_by_files(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    for folder in (source / "opaque", target):
        folder.mkdir(parents=True)
    os.setxattr(source / "opaque", "user.overlay.opaque", b"y")
    os.mknod(source / "gone", stat.S_IFCHR | 0o600, 0)
    os.mkfifo(source / "pipe")
    (source / "one").write_text("linked")
    os.link(source / "one", source / "two")
    with (source / "holes").open("wb") as file:
        file.seek(64 << 20)
        file.write(b"end")
    (source / "link").symlink_to("/etc/passwd")
    (source / "locked").write_text("x")
    (source / "locked").chmod(0o640)
    os.utime(source / "locked", ns=(1, 2_000_000_003))
    Copier().copy(str(source), str(target))
    assert os.getxattr(target / "opaque", "user.overlay.opaque") == b"y"
    gone = (target / "gone").lstat()
    assert stat.S_ISCHR(gone.st_mode)
    assert gone.st_rdev == 0
    assert stat.S_ISFIFO((target / "pipe").lstat().st_mode)
    assert (target / "one").stat().st_ino == (target / "two").stat().st_ino
    assert (target / "holes").stat().st_size == (64 << 20) + 3
    assert blocks(str(target)) < 1 << 20
    assert (target / "link").readlink() == Path("/etc/passwd")
    assert (target / "locked").stat().st_mode & 0o777 == 0o640
    assert (target / "locked").stat().st_mtime_ns == 2_000_000_003


def test_a_copier_follows_no_link_and_no_endless_path(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    (source / "out").symlink_to(tmp_path, target_is_directory=True)
    Copier().copy(str(source), str(target))
    assert (target / "out").is_symlink()
    deep = os.open(source, os.O_RDONLY)
    for _ in range(250):
        os.mkdir("d", dir_fd=deep)
        deeper = os.open("d", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = deeper
    os.close(deep)
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(OSError, match="deep"):
        Copier().copy(str(source), str(other))


names = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1, max_size=20
).filter(lambda name: name not in (".", ".."))
trees = st.recursive(
    st.binary(max_size=5000) | st.none(),
    lambda inner: st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
).filter(lambda tree: isinstance(tree, dict))


def build(folder: Path, tree: dict[str, object]) -> None:
    for name, content in tree.items():
        if isinstance(content, dict):
            (folder / name).mkdir()
            build(folder / name, content)
        elif isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            (folder / name).symlink_to("nowhere")


def look(folder: Path) -> dict[str, object]:
    def one(path: Path) -> object:
        if path.is_symlink():
            return None
        return look(path) if path.is_dir() else path.read_bytes()

    return {path.name: one(path) for path in folder.iterdir()}


@settings(max_examples=25, deadline=None)
@given(tree=trees)
def test_any_tree_is_copied_as_it_is(tree):
    with tempfile.TemporaryDirectory() as place:
        source, target = Path(place, "source"), Path(place, "target")
        source.mkdir()
        target.mkdir()
        build(source, tree)
        Copier().copy(str(source), str(target))
        assert look(target) == tree == look(source)
