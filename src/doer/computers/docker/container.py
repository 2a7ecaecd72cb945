"""A computer as an engine is told to make it: what the container sees, may do, and may take.

The agent inside has the ids of whoever owns the computer's files on this machine, so that nothing
needs to be handed over; by its name it is `agent` everywhere.
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from doer.computers.docker import seccomp
from doer.computers.docker.engine import Kind
from doer.computers.docker.image import image
from doer.computers.local.folders import Folders
from doer.computers.local.starting import GUEST, environment
from doer.records.computer import Spec

LABEL = "doer.computer"
INIT = ("/usr/bin/tini", "--")
"""The first process: it reaps, and ends with the daemon, which as the first could not be killed."""
PROXY = "/run/vm-proxy"
DAEMON = (
    *("/usr/bin/python3", "-I", "/opt/doer/inside", "/run/vm/daemon.sock"),
    *("--proxy", f"{PROXY}/proxy.sock"),
)
PROFILE = "seccomp.json"
MB = 1 << 20


@dataclass(frozen=True)
class Bind:
    """A folder or file of this machine, and where it is inside."""

    source: Path
    target: str
    writable: bool = False

    def encode(self) -> dict[str, Any]:
        return {
            "Type": "bind",
            "Source": str(self.source),
            "Target": self.target,
            "ReadOnly": not self.writable,
        }


def called(folders: Folders, name: str) -> str:
    """The container's name: an engine has many users, and a user may have many folders."""
    return f"doer-{sha256(bytes(folders.root)).hexdigest()[:8]}-{name}"


def computer(
    folders: Folders, name: str, kind: Kind, beside: tuple[Bind, ...] = ()
) -> dict[str, Any]:
    """The body of the request that makes a computer's container. Its folder must be filled;
    `beside` are folders beside the home."""
    folder, spec = folders.of(name), folders.spec(name)
    made = folder / "etc"
    binds = [
        Bind(folder / "home", "/home/agent", writable=True),
        Bind(folder / "run", "/run/vm", writable=True),
        *beside,
        Bind(folder / "proxy", PROXY),
        Bind(GUEST, "/opt/doer/inside"),
        *(
            Bind(path, f"/etc/{path.relative_to(made)}")
            for path in sorted(made.rglob("*"))
            if path.is_file()
        ),
    ]
    body = container(folders, folder, spec, kind, binds)
    body["Entrypoint"], body["Cmd"] = INIT, (*DAEMON, "--disk-mb", str(spec.disk_mb))
    body["Env"] = [f"{key}={value}" for key, value in environment(spec).items()]
    body["Hostname"] = name.replace("_", "-").strip("-")[:63]
    body["Labels"] = {LABEL: name}
    return body


def container(
    folders: Folders, folder: Path, spec: Spec, kind: Kind, binds: list[Bind]
) -> dict[str, Any]:
    """One that may do no more than a computer, whatever it runs. `folder` takes its filter."""
    (folder / PROFILE).write_text(filter_ := seccomp.profile())
    # The one reads what it is told, the other the file whose name it is told.
    security = [f"seccomp={folder / PROFILE if kind.podman else filter_}", "no-new-privileges"]
    if kind.selinux:  # it would keep the agent from files and sockets that this user made
        security.append("label=disable")
    share = spec.memory_mb * MB // 4
    host = {
        "NetworkMode": "none",
        "CapDrop": ["ALL"],
        "SecurityOpt": security,
        "ReadonlyRootfs": True,
        "PidsLimit": spec.processes + 8,
        "Memory": spec.memory_mb * MB,
        "MemorySwap": spec.memory_mb * MB,  # both together: none
        "ShmSize": share,
        "Tmpfs": {
            "/tmp": f"rw,exec,nosuid,nodev,mode=1777,size={share}",
            "/var/lib/xkb": f"rw,nosuid,nodev,mode=1777,size={8 * MB}",
        },
        "IpcMode": "private",
        "Mounts": [bind.encode() for bind in binds],
        "Ulimits": [
            _limit("core", 0),
            _limit("nofile", 16384),
            _limit("fsize", spec.disk_mb * MB),
        ],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
    }
    if spec.cpus:
        host["NanoCpus"] = int(spec.cpus * 1e9)
    if kind.rootless:
        host["UsernsMode"] = "keep-id"
    return {
        "Image": spec.image or image(),
        "User": f"{folders.owner.uid}:{folders.owner.gid}",
        "WorkingDir": "/home/agent",
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": host,
    }


def _limit(name: str, amount: int) -> dict[str, Any]:
    return {"Name": name, "Soft": amount, "Hard": amount}
