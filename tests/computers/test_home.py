"""The files of the home, through the daemon, run as plain processes."""

import asyncio
import os
from pathlib import Path

import pytest
from guest_daemon import GuestDaemon
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doer.computers.home import MAX_BYTES, MAX_FILES, Home
from doer.errors import ToolError
from doer.records.entry import Change

pytestmark = pytest.mark.slow  # real processes and sockets


@pytest.fixture
def root(guest: GuestDaemon, request: pytest.FixtureRequest) -> Path:
    """A folder in the home for this test alone."""
    root = guest.home / request.node.name.replace("/", "_").replace("[", "-")[:100]
    root.mkdir()
    return root


@pytest.fixture
def home(guest: GuestDaemon) -> Home:
    return Home(guest.link)


async def test_text_goes_in_and_comes_out_exactly(home, root):
    text = "één\r\n\ttwo\n\0"
    await home.write(f"{root.name}/new/folders/a.txt", text)
    assert (root / "new/folders/a.txt").read_bytes() == text.encode()
    assert await home.read(f"{root.name}/new/folders/a.txt") == text


async def test_a_path_may_begin_with_the_home(home, root, guest):
    (root / "a").write_text("x")
    for path in (f"{root.name}/a", f"~/{root.name}/a", f"{root}/a", f"./{root.name}//a"):
        assert await home.read(path) == "x"


async def test_replacing_is_whole_and_keeps_nothing_else(home, root):
    (root / "a").write_text("a long old text")
    before = (root / "a").stat().st_ino
    await home.write_bytes(f"{root.name}/a", b"new", 0o755)
    assert (root / "a").read_text() == "new"
    assert (root / "a").stat().st_ino != before
    assert (root / "a").stat().st_mode & 0o777 == 0o755
    assert [one.name for one in root.iterdir()] == ["a"]


async def test_a_write_that_is_cut_off_leaves_the_old_file(home, root, guest):
    (root / "a").write_text("old")
    async with guest.link.call("files_write", {"path": f"{root.name}/a"}) as call:
        call.send(1, b"half")
        await call.drain()
    async with home.watch(root.name) as changes:
        # The daemon notices in its own time: its unfinished file goes.
        if len(list(root.iterdir())) > 1:
            async with asyncio.timeout(20):
                async for change in changes:
                    if change.kind == "gone":
                        break
    assert [(one.name, one.read_text()) for one in root.iterdir()] == [("a", "old")]


async def test_ranges_are_read_of_a_file_too_big_to_read(home, root):
    with (root / "big").open("wb") as file:
        file.truncate(10 << 30)  # ten gigabytes, none of them on the disk
        file.seek(5 << 30)
        file.write(b"here")
    with pytest.raises(ToolError, match=f"10737418240 bytes; read {MAX_BYTES} at a time"):
        await home.read(f"{root.name}/big")
    assert await home.read_bytes(f"{root.name}/big", (5 << 30) - 1, 6) == b"\0here\0"
    assert await home.read_bytes(f"{root.name}/big", (10 << 30) - 2, 100) == b"\0\0"
    with pytest.raises(ToolError, match="too many at once"):
        await home.read_bytes(f"{root.name}/big", 0, MAX_BYTES + 1)
    (root / "big").unlink()


@pytest.mark.parametrize("size", [0, 1, MAX_BYTES])
async def test_bytes_of_every_size_come_back(home, root, size):
    data = os.urandom(size)
    await home.write_bytes(f"{root.name}/a", data)
    assert await home.read_bytes(f"{root.name}/a") == data


async def test_files_are_listed_without_what_is_hidden_or_no_file(home, root):
    for path in ("b", "a", "deep/er/c", ".hidden", ".folder/d"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x")
    (root / "link").symlink_to(root / "a")
    (root / "bad\nname").write_text("x")
    os.mkfifo(root / "pipe")
    listed = await home.list(root.name)
    assert listed == tuple(f"{root.name}/{path}" for path in ("a", "b", "deep/er/c"))


async def test_entries_say_what_lies_in_a_folder(home, root):
    (root / "file").write_text("12345")
    (root / "folder/inner").mkdir(parents=True)
    (root / "link").symlink_to("/etc/passwd")
    os.mkfifo(root / "pipe")
    found = {
        one.path.removeprefix(f"{root.name}/"): one.kind for one in await home.entries(root.name)
    }
    assert found == {"file": "file", "folder": "folder", "link": "link", "pipe": "other"}
    entry = await home.stat(f"{root.name}/file")
    assert (entry.kind, entry.bytes, entry.mode) == ("file", 5, 0o644)
    assert entry.changed_at == pytest.approx((root / "file").stat().st_mtime)
    deep = await home.entries(root.name, depth=2)
    assert f"{root.name}/folder/inner" in [one.path for one in deep]
    assert (await home.stat("~")).kind == "folder"


async def test_a_folder_with_too_many_files_is_told(home, root):
    for number in range(MAX_FILES + 1):
        (root / str(number)).touch()
    with pytest.raises(ToolError, match="1001 files; list one folder"):
        await home.list(root.name)
    assert len(await home.entries(root.name)) == MAX_FILES + 1


async def test_things_are_moved_and_removed(home, root):
    (root / "a").write_text("a")
    await home.move(f"{root.name}/a", f"{root.name}/new/b")
    assert (root / "new/b").read_text() == "a"
    (root / "c").write_text("c")
    with pytest.raises(ToolError, match="is there already"):
        await home.move(f"{root.name}/c", f"{root.name}/new/b")
    await home.move(f"{root.name}/c", f"{root.name}/new/b", replace=True)
    assert (root / "new/b").read_text() == "c"
    with pytest.raises(ToolError, match="not empty"):
        await home.remove(f"{root.name}/new")
    await home.make_folder(f"{root.name}/new/x/y")
    await home.make_folder(f"{root.name}/new/x/y")
    await home.remove(f"{root.name}/new", recursive=True)
    assert list(root.iterdir()) == []


async def test_removing_does_not_go_through_links(home, root, tmp_path):
    (tmp_path / "precious").write_text("x")
    (root / "folder").mkdir()
    (root / "folder/out").symlink_to(tmp_path)
    await home.remove(f"{root.name}/folder", recursive=True)
    (root / "out").symlink_to(tmp_path)
    await home.remove(f"{root.name}/out", recursive=True)  # the link itself
    assert (tmp_path / "precious").read_text() == "x"
    assert list(root.iterdir()) == []


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "a/../../x", "~/../x", "out/x", "~other/x", "/", "//etc/passwd"],
)
async def test_no_path_leads_out_of_the_home(home, root, guest, tmp_path, path):
    (guest.home / "out").unlink(missing_ok=True)
    (guest.home / "out").symlink_to(tmp_path)
    (tmp_path / "x").write_text("secret")
    (guest.home.parent / "x").write_text("secret")
    mine = root / "mine"
    mine.write_text("mine")
    for call in (
        home.read(path),
        home.write(path, "evil"),
        home.stat(path),
        home.remove(path),
        home.move(f"{root.name}/mine", path),
        home.move(path, f"{root.name}/theirs"),
        home.make_folder(f"{path}/new"),
    ):
        if path == "~other/x":
            call.close()  # a common name, which happens to begin with ~
            continue
        with pytest.raises(ToolError):
            await call
    assert (tmp_path / "x").read_text() == "secret"
    assert (guest.home.parent / "x").read_text() == "secret"
    assert mine.exists()
    assert not (root / "theirs").exists()


@given(path=st.text(st.sampled_from("ab/.~\0\n ü"), max_size=12))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_any_path_is_done_or_refused(guest, path):
    home = Home(guest.link)
    before = sorted(one.name for one in guest.folder.iterdir())
    try:
        await home.write(path, "x")
    except ToolError:
        pass
    else:
        assert await home.read(path) == "x"
    assert sorted(one.name for one in guest.folder.iterdir()) == before


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("no/such", "there is no"),
        ("root/folder", "is a folder"),
        ("root/link", "symbolic link"),
        ("root/pipe", "no regular file"),
        ("root/file/below", "not a folder"),
        ("root/" + "x" * 300, "too long a name"),
        ("x/" * 100, "too deep"),
        ("root/latin", "not UTF-8"),
        ("", "home itself"),
    ],
)
async def test_what_cannot_be_read_is_told(home, root, path, why):
    (root / "folder").mkdir()
    (root / "file").write_text("x")
    (root / "link").symlink_to(root / "file")
    (root / "latin").write_bytes(b"\xe9\xff")
    os.mkfifo(root / "pipe")
    with pytest.raises(ToolError, match=why):
        await home.read(path.replace("root", root.name, 1))


async def test_a_folder_or_a_pipe_is_not_written_over(home, root):
    (root / "folder").mkdir()
    os.mkfifo(root / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(ToolError, match="no regular file"):
            await home.write(f"{root.name}/{name}", "x")
    with pytest.raises(ToolError, match="too many at once"):
        await home.write(f"{root.name}/a", "x" * (MAX_BYTES + 1))
    with pytest.raises(ToolError, match="not valid Unicode"):
        await home.write(f"{root.name}/a", "\ud800")


async def test_files_are_copied_in_and_out(home, root, tmp_path):
    data = os.urandom(3_000_001)
    (tmp_path / "in").write_bytes(data)
    assert await home.upload(tmp_path / "in", f"{root.name}/there", 0o600) == len(data)
    assert (root / "there").read_bytes() == data
    assert await home.download(f"{root.name}/there", tmp_path / "out") == len(data)
    assert (tmp_path / "out").read_bytes() == data


async def test_a_download_that_is_refused_leaves_nothing(home, root, tmp_path):
    (root / "big").write_bytes(b"x" * 1000)
    (tmp_path / "out").write_text("old")
    with pytest.raises(ToolError, match="has 1000 bytes; 999 are allowed"):
        await home.download(f"{root.name}/big", tmp_path / "out", max_bytes=999)
    with pytest.raises(ToolError, match="there is no"):
        await home.download(f"{root.name}/none", tmp_path / "out")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("out", "old")]


async def test_an_upload_that_is_refused_says_why_in_the_middle(home, root, tmp_path):
    (root / "folder").mkdir()
    (tmp_path / "in").write_bytes(b"x" * 20_000_000)
    with pytest.raises(ToolError, match="no regular file"):
        await home.upload(tmp_path / "in", f"{root.name}/folder")


async def test_changes_are_told_as_they_happen(home, root):
    (root / "inner").mkdir()
    async with home.watch(root.name, recursive=True) as changes, asyncio.timeout(30):
        (root / "inner/a").write_text("x")
        (root / "inner/a").rename(root / "b")
        (root / "b").unlink()
        seen: list[Change] = []
        while not seen or seen[-1].kind != "gone" or not seen[-1].path.endswith("/b"):
            seen.append(await anext(changes))
    told = [(one.kind, one.path.removeprefix(f"{root.name}/")) for one in seen]
    assert told == [
        ("made", "inner/a"),
        ("written", "inner/a"),
        ("gone", "inner/a"),
        ("came", "b"),
        ("gone", "b"),
    ]


async def test_a_folder_made_later_is_watched_too(home, root):
    async with home.watch(root.name, recursive=True) as changes, asyncio.timeout(30):
        (root / "later").mkdir()
        assert (await anext(changes)).path == f"{root.name}/later"
        await home.stat(root.name)  # the daemon has had its turn
        (root / "later/a").write_text("x")
        assert (await anext(changes)).path == f"{root.name}/later/a"


async def test_a_watch_that_ends_is_no_more(home, root, guest):
    def watches() -> int:
        fds = Path(f"/proc/{guest.process.pid}/fd")
        return sum("inotify" in str(one.readlink()) for one in fds.iterdir())

    async with home.watch(root.name):
        assert watches() == 1
    await home.stat(root.name)  # the daemon has had its turn
    assert watches() == 0
