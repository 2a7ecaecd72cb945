"""The jail of `Folder`: whatever the path, nothing outside the folder is read or changed."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doer.computers.files import MAX_BYTES, MAX_DEPTH, MAX_FILES, MAX_SHOWN, Folder, files_view
from doer.errors import ToolError

SECRET = "the secret outside"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with an honest file, and every way out that a name can be."""
    (tmp_path / "secret.txt").write_text(SECRET)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text(SECRET)
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "here.txt").write_text("here")
    (root / "sub" / "deep.txt").write_text("deep")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    (root / "up").symlink_to(tmp_path)
    (root / "sub" / "out").symlink_to("../../outside")
    (root / "round").symlink_to(".")
    os.mkfifo(root / "pipe")
    return root


@pytest.fixture
def files(root: Path) -> Iterator[Folder]:
    files = Folder(root)
    yield files
    files.close()


async def test_reads_and_writes_below_the_folder(files: Folder, root: Path) -> None:
    assert await files.list() == ("here.txt", "sub/deep.txt")
    assert await files.read("sub/deep.txt") == "deep"
    await files.write("sub/deep.txt", "d")
    await files.write("new/folder/é.txt", "line\r\n")
    assert (root / "sub" / "deep.txt").read_text() == "d"
    assert await files.read("new/folder/é.txt") == "line\r\n"
    assert await files.list() == ("here.txt", "new/folder/é.txt", "sub/deep.txt")


ODD = ("", ".", "..", "/", "//", "~", "\0", "\n", "here.txt", "sub", "deep.txt", "out", "up")
NAMES = st.sampled_from((*ODD, "round", "link.txt", "pipe", "secret.txt", "outside", "root"))
PATHS = st.lists(NAMES, max_size=MAX_DEPTH + 2).map("/".join) | st.text(max_size=300)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS)
async def test_no_path_leads_outside(files: Folder, root: Path, path: str) -> None:
    with suppress(ToolError):
        assert await files.read(path) != SECRET
    try:
        await files.write(path, "written")
    except ToolError:
        pass
    else:
        assert await files.read(path) == "written"
        assert path in await files.list()
    assert (root.parent / "secret.txt").read_text() == SECRET
    assert (root.parent / "outside" / "secret.txt").read_text() == SECRET
    assert sorted(p.name for p in root.parent.iterdir()) == ["outside", "root", "secret.txt"]
    assert [p.name for p in (root.parent / "outside").iterdir()] == ["secret.txt"]


@pytest.mark.parametrize(
    "path",
    ["link.txt", "up/secret.txt", "sub/out/secret.txt", "round/here.txt", "pipe", "sub", "../x"]
    + ["/etc/passwd", "sub/../here.txt", "here.txt/x", "", "a\0b", "\ud800", "x" * 256]
    + ["a/" * MAX_DEPTH + "b"],
)
async def test_refuses(files: Folder, path: str) -> None:
    with pytest.raises(ToolError):
        await files.read(path)
    with pytest.raises(ToolError):
        await files.write(path, "x")


@pytest.fixture
def exchanged(files: Folder, root: Path) -> Folder:
    """The folder is moved away while it is in use, and a link out put in its place."""
    root.rename(root.parent / "moved")
    root.symlink_to(root.parent / "outside")
    return files


async def test_holds_the_folder_itself_and_not_its_name(exchanged: Folder) -> None:
    assert await exchanged.read("here.txt") == "here"
    with pytest.raises(ToolError):
        await exchanged.read("secret.txt")


async def test_a_refused_write_leaves_the_file(files: Folder) -> None:
    for text in ("x" * (MAX_BYTES + 1), "\ud800"):
        with pytest.raises(ToolError):
            await files.write("here.txt", text)
    assert await files.read("here.txt") == "here"


async def test_refuses_what_is_too_big_or_not_text(files: Folder, root: Path) -> None:
    (root / "big").write_bytes(b"x" * (MAX_BYTES + 1))
    (root / "binary").write_bytes(b"\xff\xfe")
    for path in ("big", "binary"):
        with pytest.raises(ToolError):
            await files.read(path)
    await files.write("most", "x" * MAX_BYTES)
    assert len(await files.read("most")) == MAX_BYTES


async def test_refuses_one_file_too_many(files: Folder, root: Path) -> None:
    for number in range(MAX_FILES - len(await files.list())):
        (root / f"{number}").touch()
    with pytest.raises(ToolError):
        await files.write("one more", "")
    await files.write("here.txt", "still writable")


async def test_unprintable_names_are_not_there(files: Folder, root: Path) -> None:
    (root / "two\nlines").touch()
    (root / os.fsdecode(b"\xff")).touch()
    assert await files.list() == ("here.txt", "sub/deep.txt")


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_opens_nothing_that_it_does_not_close(files: Folder) -> None:
    before = open_files()
    for path in ("sub/deep.txt", "sub/out/secret.txt", "pipe", "new/a/b", "none/x"):
        with suppress(ToolError):
            await files.write(path, "x")
            await files.read(path)
    await files.list()
    assert open_files() == before


async def test_view_shows_each_file_as_a_field(files: Folder, root: Path) -> None:
    await files.write("a.txt", "two\nlines\n")
    await files.write("long", "x" * (MAX_SHOWN + 1))
    (root / "binary").write_bytes(b"\xff\xfe")
    view = await files_view(files)
    assert [(e.ref, e.role, e.name, e.value) for e in view.elements] == [
        (1, "textbox", "a.txt", "two\nlines\n"),
        (2, "textbox", "binary", None),
        (3, "textbox", "here.txt", "here"),
        (4, "textbox", "long", None),
        (5, "textbox", "sub/deep.txt", "deep"),
    ]
    assert "[1] a.txt\ntwo\nlines\n" in view.text
    assert "xx" not in view.text
