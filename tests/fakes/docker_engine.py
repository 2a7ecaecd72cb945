"""A small engine of containers: those parts of Docker's HTTP API that we use, on a unix socket.

Containers are real: bubblewrap gives them the mounts, the user, the environment, the limits of
files and the system call filter that the request asks for, with this machine's /usr as their image.
It knows no limits of memory and processes. Answers can be replaced, to see what becomes of faults.
"""

import contextlib
import json
import os
import re
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from doer.computers.docker.seccomp import OPERATIONS
from doer.computers.local.keeper.seccomp import Compare, Filter
from doer.computers.local.keeper.wrapping import ETC, LINKS, OTHER

BREAK, HANG = "break", "hang"
NUMBERS = {name: number for number, name in OPERATIONS.items()}


def compiled(profile: str) -> int:
    """A profile as a filter for bubblewrap."""
    told = json.loads(profile)
    assert told["defaultAction"] == "SCMP_ACT_ALLOW"
    rules = Filter()
    for rule in told["syscalls"]:
        assert rule["action"] == "SCMP_ACT_ERRNO"
        conditions = [
            Compare(one["index"], NUMBERS[one["op"]], one["value"], one["valueTwo"])
            for one in rule["args"]
        ]
        for name in rule["names"]:
            rules.deny(name, *conditions, error=rule["errnoRet"])
    return rules.export()


class Container:
    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.status = "created"
        self.pid = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `end`)

    def start(self) -> None:
        host = self.body["HostConfig"]
        (option,) = [one for one in host["SecurityOpt"] if one.startswith("seccomp=")]
        profile = option.removeprefix("seccomp=")
        filter_ = compiled(profile if profile.startswith("{") else Path(profile).read_text())
        told, telling = os.pipe()
        self._process = subprocess.Popen(
            ["bwrap", "--info-fd", str(telling), "--seccomp", str(filter_), *self._words()],
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=self._said,
            pass_fds=(telling, filter_),
        )
        os.close(telling)
        os.close(filter_)
        with open(told, "rb") as info:  # noqa: PTH123
            answer = info.read()
        assert answer, self.said()
        self.pid = json.loads(answer)["child-pid"]
        self.status = "running"

    def _words(self) -> list[str]:
        host, body = self.body["HostConfig"], self.body
        words = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
        words += ["--unshare-cgroup", "--hostname", body.get("Hostname", "box")]
        uid, gid = body["User"].split(":")
        become = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
        become += ["--inh-caps=-all", "--bounding-set=-all"]
        if os.geteuid() != 0:
            words += ["--unshare-user", "--uid", uid, "--gid", gid, "--cap-drop", "ALL"]
            become = []
        words += ["--ro-bind", "/usr", "/usr"]
        for name, target in LINKS:
            words += ["--symlink", target, f"/{name}"]
        targets = [Path(mount["Target"]) for mount in host["Mounts"]]
        ways = {str(way) for target in targets for way in target.parents} - {"/"}
        for way in sorted(ways):  # made by bubblewrap itself, only root could pass them
            words += ["--perms", "0755", "--dir", way]
        for name in (*OTHER, *(f"etc/{name}" for name in ETC)):
            words += ["--ro-bind-try", f"/{name}", f"/{name}"]
        words += ["--proc", "/proc", "--dev", "/dev", "--symlink", "/tmp", "/var/tmp"]
        for path, options in {**host["Tmpfs"], "/dev/shm": f"size={host['ShmSize']}"}.items():
            size = re.search(r"size=(\d+)", options)
            assert size
            words += ["--perms", "1777", "--size", size[1], "--tmpfs", path]
        for mount in host["Mounts"]:
            assert mount["Type"] == "bind"
            how = "--ro-bind" if mount["ReadOnly"] else "--bind"
            words += [how, mount["Source"], mount["Target"]]
        words += ["--remount-ro", "/", "--chdir", body["WorkingDir"], "--clearenv"]
        for one in body.get("Env", ["PATH=/usr/bin:/bin"]):
            words += ["--setenv", *one.split("=", 1)]
        limits = [f"--{one['Name']}={one['Soft']}:{one['Hard']}" for one in host["Ulimits"]]
        entry = [*body["Entrypoint"], *body["Cmd"]]
        if "tini" in entry[0]:  # bubblewrap's own first process does the same
            entry = entry[entry.index("--") + 1 :]
        return [*words, "--", "prlimit", *limits, "--", *become, *entry]

    def look(self) -> str:
        if self._process is not None and self._process.poll() is not None:
            self.status = "exited"
        return self.status

    def wait(self) -> int:
        assert self._process is not None
        code = self._process.wait(60)
        self.look()
        return code

    def freeze(self) -> None:
        """Stop them all, those that are made meanwhile too."""
        while moving := [pid for pid in self.pids() if _process_state(pid) not in "TZX"]:
            for pid in moving:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
        self.status = "paused"

    def thaw(self) -> None:
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.status = "running"

    def pids(self) -> list[int]:
        """Of all its processes: who shares its first one's space of process ids."""
        found: list[int] = []
        with contextlib.suppress(OSError):
            mine = Path(f"/proc/{self.pid}/ns/pid").readlink()
            for space in Path("/proc").glob("[0-9]*/ns/pid"):
                with contextlib.suppress(OSError):
                    if space.readlink() == mine:
                        found.append(int(space.parts[2]))
        return found

    def measured(self) -> dict[str, Any]:
        pids, memory, ticks = self.pids(), 0, 0
        for pid in pids:
            with contextlib.suppress(OSError):
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                memory += 1024 * int(re.findall(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[0])
                stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(stat[11]) + int(stat[12])
        nanoseconds = ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
        again = 7 << 20  # of the cache; it does not count
        return {
            "pids_stats": {"current": len(pids)},
            "memory_stats": {"usage": memory + again, "stats": {"inactive_file": again}},
            "cpu_stats": {"cpu_usage": {"total_usage": nanoseconds}},
        }

    def said(self) -> bytes:
        self._said.seek(0)
        return self._said.read()

    def end(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self._process.wait()
        self._said.close()


def _process_state(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return "X"


class Handler(BaseHTTPRequestHandler):
    server: "Server"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        engine = self.server.engine
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(content) if content.startswith(b"{") else content
        with engine.lock:
            engine.requests.append((self.command, url.path, query, body))
        for (method, part), answer in engine.instead.items():
            if method == self.command and re.fullmatch(part, url.path):
                self.instead(answer)
                return
        status, told = engine.answer(self.command, url.path, query, body)
        self.tell(status, told if isinstance(told, bytes) else json.dumps(told).encode())

    do_POST = do_DELETE = do_GET

    def instead(self, answer: Any) -> None:
        if answer == HANG:
            self.server.engine.closing.wait(60)
        if answer in (HANG, BREAK):
            if answer == BREAK:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
            self.close_connection = True
            return
        status, told = answer
        self.tell(status, told if isinstance(told, bytes) else json.dumps(told).encode())

    def tell(self, status: int, content: bytes) -> None:
        self.send_response(status)
        if status not in (204, 304):
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if status not in (204, 304):
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 32
    engine: "DockerEngine"

    def handle_error(self, request: Any, client_address: Any) -> None:
        fault = sys.exc_info()[1]
        if not isinstance(fault, ConnectionError):  # who asked may have read enough
            self.engine.faults.append(repr(fault))


class DockerEngine:
    """`images`: the names of those it has. `instead`: a method and a pattern of paths -> a status
    and an answer, or BREAK or HANG. `options`: SecurityOptions of its /info."""

    def __init__(self, path: Path, images: set[str], podman: bool = False) -> None:
        self.path = path
        self.images = images
        self.podman = podman
        self.options: list[str] = ["name=seccomp,profile=builtin"]
        self.instead: dict[tuple[str, str], Any] = {}
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.faults: list[str] = []
        self.containers: dict[str, Container] = {}
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self._server = Server(str(path), Handler)
        self._server.engine = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def environ(self) -> dict[str, str]:
        return {"DOCKER_HOST": f"unix://{self.path}"}

    def asked(self, method: str, path: str) -> list[tuple[dict[str, str], Any]]:
        """Query and body of the requests for a path."""
        return [one[2:] for one in self.requests if one[:2] == (method, path)]

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for one in self.containers.values():
            one.end()
        self.path.unlink(missing_ok=True)

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        _, room, *rest = path.split("/")
        match method, room:
            case "GET", "version":
                name = "Podman Engine" if self.podman else "Engine"
                return 200, {
                    "Version": "27.5.1",
                    "ApiVersion": "1.47",
                    "Components": [{"Name": name}],
                }
            case "GET", "info":
                return 200, {"SecurityOptions": self.options, "OSType": "linux", "Containers": 0}
            case "GET", "images":
                name = "/".join(rest[:-1])
                if name in self.images:
                    return 200, {"Id": "sha256:0", "RepoTags": [name]}
                return 404, {"message": f"No such image: {name}"}
            case "POST", "build":
                self.images.add(query["t"])
                return 200, b'{"stream":"Step 1/4 : FROM"}\r\n{"aux":{"ID":"sha256:0"}}\r\n'
            case "POST", "containers" if rest == ["create"]:
                return self._create(query["name"], body)
            case _, "containers" if rest and rest[0] in self.containers:
                return self._do(method, rest[0], rest[1] if rest[1:] else "", query)
            case _, "containers":
                return 404, {"message": f"No such container: {rest[0]}"}
        return 404, {"message": "page not found"}

    def _create(self, name: str, body: Any) -> tuple[int, Any]:
        with self.lock:
            if name in self.containers:
                return 409, {"message": f'Conflict. The container name "/{name}" is already in use'}
            if body["Image"] not in self.images:
                return 404, {"message": f"No such image: {body['Image']}"}
            for mount in body["HostConfig"]["Mounts"]:
                if not Path(mount["Source"]).exists():
                    return 400, {"message": f"bind source path does not exist: {mount['Source']}"}
            self.containers[name] = Container(body)
        return 201, {"Id": name, "Warnings": []}

    def _do(self, method: str, name: str, what: str, query: dict[str, str]) -> tuple[int, Any]:
        one = self.containers[name]
        if method == "GET":
            return _show(name, one, what)
        now = one.look()
        match method, what:
            case "POST", "start":
                if now != "created":
                    return 304, b""
                one.start()
                return 204, b""
            case "POST", "pause" | "unpause":
                if now != ("running" if what == "pause" else "paused"):
                    return 409, {"message": f"Container {name} is {now}"}
                (one.freeze if what == "pause" else one.thaw)()
                return 204, b""
            case "POST", "wait":
                return 200, {"StatusCode": one.wait(), "Error": None}
            case "DELETE", "":
                if now in ("running", "paused") and query.get("force") != "true":
                    return 409, {"message": "cannot remove a running container"}
                one.end()
                self.containers.pop(name, None)
                return 204, b""
        return 404, {"message": "page not found"}


def _show(name: str, one: Container, what: str) -> tuple[int, Any]:
    now = one.look()
    match what:
        case "json":
            running = now in ("running", "paused")
            state = {"Status": now, "Pid": one.pid if running else 0, "ExitCode": 0}
            return 200, {"Id": name, "State": state, "Config": {}}
        case "stats":
            return 200, one.measured()
        case "logs":
            said = one.said()
            return 200, b"\x01\0\0\0" + len(said).to_bytes(4) + said
    return 404, {"message": "page not found"}
