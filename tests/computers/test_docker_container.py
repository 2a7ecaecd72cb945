"""What an engine is asked for: a container that may do no more than a local computer."""

import json
import os
from pathlib import Path

import pytest
from docker_engine import compiled

from doer.computers.docker import seccomp
from doer.computers.docker.container import called, computer
from doer.computers.docker.engine import Kind
from doer.computers.docker.image import image
from doer.computers.local.folders import Folders, Owner
from doer.computers.local.keeper import seccomp as local
from doer.records.computer import Spec

DOCKER = Kind(podman=False, version="1", rootless=False, selinux=False, remapped=False)
PODMAN = Kind(podman=True, version="1", rootless=True, selinux=True, remapped=False)
SPEC = Spec(memory_mb=512, processes=100, disk_mb=300, cpus=1.5)


@pytest.fixture
def folders(tmp_path):
    made = Folders(tmp_path / "computers", Owner.here(4321))
    made.prepare()
    made.owner.show(made.of("my_one"))
    for part in ("home", "run"):
        made.owner.give(made.of("my_one") / part)
    (made.of("my_one") / "etc" / "ssl").mkdir(parents=True)
    (made.of("my_one") / "etc" / "ssl" / "x").touch()
    made.write_spec("my_one", SPEC)
    return made


def contents(fd: int) -> bytes:
    with open(fd, "rb") as file:  # noqa: PTH123
        return file.read()


def test_the_filter_is_the_very_one_of_local_computers():
    assert contents(compiled(seccomp.profile())) == contents(local.build())


def test_the_filter_leaves_namespaces_of_users_to_chromium():
    names = {name for rule in json.loads(seccomp.profile())["syscalls"] for name in rule["names"]}
    assert {"ptrace", "mount", "bpf", "clone3", "unshare", "socket"} <= names
    masks = {
        rule["args"][0]["value"]
        for rule in json.loads(seccomp.profile())["syscalls"]
        if rule["names"] == ["unshare"]
    }
    assert 0x10000000 not in masks  # CLONE_NEWUSER
    assert 0x20000 in masks  # CLONE_NEWNS


def test_a_container_may_do_nothing_and_take_what_its_spec_says(folders):
    body = computer(folders, "my_one", DOCKER)
    host = body["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["CapDrop"] == ["ALL"]
    assert host["ReadonlyRootfs"] is True
    assert host["Memory"] == host["MemorySwap"] == 512 << 20
    assert host["PidsLimit"] == 108
    assert host["NanoCpus"] == 1_500_000_000
    assert {"Name": "fsize", "Soft": 300 << 20, "Hard": 300 << 20} in host["Ulimits"]
    assert set(host["Tmpfs"]) == {"/tmp", "/var/lib/xkb"}
    assert host["ShmSize"] == 128 << 20
    assert "Privileged" not in host
    assert "UsernsMode" not in host
    assert body["Image"] == image()
    assert body["User"] == f"{folders.owner.uid}:{folders.owner.gid}"
    assert body["Hostname"] == "my-one"
    assert "http_proxy=http://127.0.0.1:3128" in body["Env"]
    daemon = " ".join(body["Cmd"])
    assert daemon.endswith("--proxy /run/vm-proxy/proxy.sock --disk-mb 300")
    json.dumps(body)


def test_only_the_home_and_the_sockets_can_be_written(folders):
    folder = folders.of("my_one")
    mounts = computer(folders, "my_one", DOCKER)["HostConfig"]["Mounts"]
    assert {mount["Type"] for mount in mounts} == {"bind"}
    writable = {m["Target"]: Path(m["Source"]) for m in mounts if not m["ReadOnly"]}
    assert writable == {"/home/agent": folder / "home", "/run/vm": folder / "run"}
    rest = {m["Target"]: Path(m["Source"]) for m in mounts if m["ReadOnly"]}
    assert rest["/run/vm-proxy"] == folder / "proxy"
    assert rest["/etc/ssl/x"] == folder / "etc" / "ssl" / "x"
    assert (rest["/opt/doer/inside"] / "__main__.py").is_file()


def test_docker_is_given_the_filter_and_podman_the_file_it_lies_in(folders):
    filtered, *rest = computer(folders, "my_one", DOCKER)["HostConfig"]["SecurityOpt"]
    assert rest == ["no-new-privileges"]
    assert json.loads(filtered.removeprefix("seccomp=")) == json.loads(seccomp.profile())
    host = computer(folders, "my_one", PODMAN)["HostConfig"]
    filtered, *rest = host["SecurityOpt"]
    assert Path(filtered.removeprefix("seccomp=")).read_text() == seccomp.profile()
    assert rest == ["no-new-privileges", "label=disable"]
    assert host["UsernsMode"] == "keep-id"


def test_two_folders_of_computers_share_an_engine(folders, tmp_path):
    other = Folders(tmp_path / "others", folders.owner)
    assert called(folders, "one") != called(other, "one")
    assert called(folders, "one").startswith("doer-")
    assert called(folders, "one").endswith("-one")
    assert len(os.fsencode(called(folders, "x" * 64))) < 128
