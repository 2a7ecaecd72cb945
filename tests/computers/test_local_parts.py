"""The small parts of local computers: names, sockets, /etc, the filter of calls, measures."""

import asyncio
import fcntl
import json
import os
import socket
import ssl
import struct
from pathlib import Path

import pytest

from doer.computers.local import cgroups, etc, image, incidents
from doer.computers.local.backend import LocalBackend
from doer.computers.local.folders import Folders, Owner, is_held
from doer.computers.local.keeper import seccomp, wrapping
from doer.computers.local.keeper.plan import Plan
from doer.computers.local.keeper.usage import blocks
from doer.computers.local.layers import Layers
from doer.computers.local.sockets import connect, dial
from doer.errors import ComputerError, ConfigError
from doer.records.computer import NetworkRules, Route, Spec, Stats


@pytest.fixture
def folders(tmp_path):
    return Folders(tmp_path / "computers", Owner.here(210_000))


@pytest.fixture
def place(tmp_path):
    """A folder whose path is longer than a unix socket's may be."""
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    return folder


def listen(folder: Path, name: str, backlog: int = 128) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    fd = os.open(folder, os.O_PATH)
    listener.bind(f"/proc/self/fd/{fd}/{name}")
    os.close(fd)
    listener.listen(backlog)
    return listener


def test_a_socket_is_found_however_long_its_path(place):
    with listen(place, "a.sock"):
        connect(place, "a.sock", os.getuid(), socket.SOCK_STREAM, 5).close()


def test_what_is_not_the_socket_that_belongs_there_is_refused(place):
    with listen(place, "real"):
        (place / "link").symlink_to("real")
        (place / "file").write_text("")
        (place / "folder").mkdir()
        for name in ("link", "file", "folder", "missing"):
            with pytest.raises(ComputerError, match=name):
                connect(place, name, os.getuid(), socket.SOCK_STREAM, 1)
        with pytest.raises(ComputerError, match="belongs"):
            connect(place, "real", os.getuid() + 1, socket.SOCK_STREAM, 1)


def test_a_socket_that_nobody_serves_does_not_answer(place):
    listen(place, "dead").close()
    with pytest.raises(ComputerError, match="does not answer"):
        connect(place, "dead", os.getuid(), socket.SOCK_STREAM, 1)


async def test_a_socket_whose_queue_is_full_is_waited_for_and_then_given_up(place):
    uid = os.getuid()
    with listen(place, "one.sock", backlog=0) as listener, await dial(place, "one.sock", uid, 60):
        with pytest.raises(ComputerError, match="queue of callers is full"):
            await dial(place, "one.sock", uid, 0.02)
        waiting = asyncio.ensure_future(dial(place, "one.sock", uid, 60))
        await asyncio.sleep(0)
        assert not waiting.done()
        listener.accept()[0].close()
        with await waiting as reached:
            assert not reached.getblocking()


def test_a_folder_that_is_gone_is_a_fault_of_the_computer(place):
    with pytest.raises(ComputerError, match="not there"):
        connect(place / "gone", "one.sock", os.getuid(), socket.SOCK_STREAM, 1)


def test_a_computer_in_other_hands_is_waited_for_and_then_given_up(folders):
    with folders.lock("one"), pytest.raises(ComputerError, match="busy"), folders.lock("one", 0.02):
        pass
    with folders.lock("one", 0):
        pass


def test_what_is_thrown_away_is_gone_at_once_and_deleted_later(folders):
    folders.prepare()
    (folders.root / "one" / "locked").mkdir(parents=True)
    (folders.root / "one" / "locked" / "file").write_text("x")
    (folders.root / "one" / "locked").chmod(0)
    folders.throw_away(folders.root / "one")
    assert not (folders.root / "one").exists()
    folders.empty_trash()
    assert not any((folders.root / ".trash").iterdir())


def test_a_lifetime_that_is_not_there_is_held_by_nobody(tmp_path):
    assert not is_held(tmp_path / "missing")
    (tmp_path / "lifetime").touch()
    assert not is_held(tmp_path / "lifetime")


async def test_rules_without_sense_are_refused_before_anything_is_made(tmp_path):
    backend = LocalBackend(tmp_path / "computers")
    rules = NetworkRules(routes=(Route(host="a.test", to="nonsense"),))
    with pytest.raises(ConfigError):
        await backend.create("one", Spec(network=rules))
    assert backend.names() == ()


def test_etc_tells_nothing_of_this_machine(tmp_path):
    folder = tmp_path / "etc"
    folder.mkdir()
    etc.write(folder, "my_computer", tmp_path / "no-system", ())
    told = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"passwd", "group", "hosts", "nsswitch.conf", "resolv.conf"} <= told
    everything = "".join((folder / path).read_text() for path in told)
    assert socket.gethostname() not in everything
    assert "my-computer" in (folder / "hosts").read_text()
    assert (folder / "resolv.conf").read_text() == ""


def test_etc_trusts_the_authorities_given_and_those_of_the_administrator(tmp_path):
    pem = next(
        ssl.DER_cert_to_PEM_cert(der)
        for der in ssl.create_default_context().get_ca_certs(binary_form=True)
    )
    system = tmp_path / "system"
    local = system / etc.LOCAL_AUTHORITIES
    bundle = system / "etc" / etc.BUNDLE
    for folder in (local, bundle.parent, tmp_path / "etc"):
        folder.mkdir(parents=True)
    bundle.write_text("those of the system\n")
    (local / "mine.crt").write_text(pem)
    etc.write(tmp_path / "etc", "one", system, (pem,))
    policy = json.loads((tmp_path / "etc/chromium/policies/managed/doer.json").read_text())
    assert len(policy["CACertificates"]) == 2
    assert pem in (tmp_path / "etc" / etc.BUNDLE).read_text()


def test_the_filter_is_a_program_of_whole_instructions():
    for pinned in (False, True):
        fd = seccomp.build(pinned)
        with os.fdopen(fd, "rb") as program:
            words = program.read()
        assert words
        assert len(words) % struct.calcsize("HBBI") == 0


def test_files_are_counted_once_however_many_names_and_holes_they_have(tmp_path):
    (tmp_path / "one").write_bytes(os.urandom(1 << 20))
    os.link(tmp_path / "one", tmp_path / "two")
    with (tmp_path / "holes").open("wb") as file:
        file.truncate(1 << 30)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert 1 << 20 <= blocks(str(tmp_path)) < (1 << 20) + 65536


def test_a_plan_survives_the_way_to_the_keeper():
    plan = Plan(
        name="one",
        folder="/f",
        layers_folder="/l",
        layers=("a", "b"),
        uid=1,
        gid=2,
        system="/",
        guest="/g",
        bubblewrap="/usr/bin/bwrap",
        environment={"A": "ü"},
        memory_mb=512,
        processes=100,
        disk_mb=64,
        cpus=1.5,
        cgroups=("/c",),
    )
    assert Plan.decode(plan.encode()) == plan
    words = wrapping.command(plan, 7, 8)
    assert "--unshare-pid" in words
    assert words[words.index("--seccomp") + 1] == "7"
    assert words[words.index("--uid") + 1] == "1000"


def test_groups_are_made_with_all_limits_or_not_at_all():
    name = f"test-{os.getpid()}"
    made = cgroups.make(name, Spec(memory_mb=512, processes=100, cpus=0.5))
    try:
        limits = [
            int(path.read_text())
            for group in made
            for path in Path(group).glob("*")
            if path.name in ("memory.limit_in_bytes", "memory.max", "pids.max")
        ]
        assert sorted(limits) == ([100, 512 << 20] if made else [])
        assert set(made) == set(cgroups.of(name))
    finally:
        cgroups.remove(made)
    assert cgroups.of(name) == ()


def test_incidents_are_read_in_order_across_a_full_file(tmp_path):
    (tmp_path / "events.jsonl.old").write_text('{"at":1,"what":"memory","said":"a"}\n')
    (tmp_path / "events.jsonl").write_text('{"at":2,"what":"ended","said":"b"}\n')
    assert [one.said for one in incidents.read(tmp_path)] == ["a", "b"]
    assert [one.said for one in incidents.read(tmp_path, after=1)] == ["b"]
    assert incidents.read(tmp_path / "nowhere") == ()


def test_a_line_that_a_full_disk_cut_hides_no_other_incident(tmp_path):
    lines = '{"at":1,"what":"disk","sa\n{"at":2,"what":"ended","said":"b"}\n'
    (tmp_path / "events.jsonl").write_text(lines)
    assert [one.said for one in incidents.read(tmp_path)] == ["b"]


def test_computers_of_one_name_in_two_folders_share_no_group(tmp_path):
    one, two = (Folders(tmp_path / part, Owner.here(210_000)) for part in "ab")
    assert one.group("desk") == one.group("desk") != two.group("desk")


async def test_a_keeper_that_does_not_answer_is_a_broken_computer(tmp_path):
    backend = LocalBackend(tmp_path / "computers")
    await backend.create("one", Spec())
    lifetime = tmp_path / "computers/one/host/lifetime"
    lifetime.touch()
    with lifetime.open("rb+") as file:
        whole = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, whole)
        assert await backend.stats("one") == Stats(state="broken")


@pytest.mark.skipif(os.geteuid() != 0, reason="only a root's folders change hands")
async def test_a_folder_that_was_made_and_not_yet_given_is_given(tmp_path):
    backend = LocalBackend(tmp_path / "computers")
    await backend.create("one", Spec())
    root = tmp_path / "computers"
    for folder in (root / "one/upper", root / ".layers/.empty"):
        os.chown(folder, 0, 0)
    await backend.create("two", Spec())
    Layers(Folders(root, Owner.here(210_000))).mend("one")
    for folder in (root / "one/upper", root / ".layers/.empty"):
        assert folder.stat().st_uid == 210_000


def test_an_image_is_built_of_this_machines_own_packages(tmp_path):
    words = image.command(tmp_path / "one", ("python3", "chromium"))
    assert words[0] == "mmdebstrap"
    assert "--include=python3,chromium" in words
    assert words[words.index(str(tmp_path / "one")) - 1].isalnum()


async def test_an_image_never_takes_the_place_of_something(tmp_path):
    (tmp_path / "bin").mkdir()
    with pytest.raises(ComputerError, match=r"already|mmdebstrap is missing"):
        await image.build(tmp_path / "bin")


async def test_an_image_that_fails_is_not_there_and_says_why(tmp_path, monkeypatch):
    failing = tmp_path / "programs" / "mmdebstrap"
    failing.parent.mkdir()
    failing.write_text("#!/bin/sh\necho no such release; mkdir $5; exit 3\n")
    failing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{failing.parent}:{os.environ['PATH']}")
    with pytest.raises(ComputerError, match="no such release"):
        await image.build(tmp_path / "one")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.log", "programs"]
