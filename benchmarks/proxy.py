"""What the network proxy costs: requests and bytes through it beside the same without it, its
memory, and one computer's requests while another sends all it can. Run:

    python benchmarks/proxy.py [--megabytes N] [--requests N]

The server is a process of its own; clients are bare sockets, one request after the other.
"""

import argparse
import asyncio
import os
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

from doer.computers.network.client import ensure
from doer.records.computer import NetworkRules, Route

BLOCK = b"x" * 65536
Dial = Callable[[], socket.socket]


def serve(port_fd: int) -> None:
    """Answers `/N` with N blocks, on one thread a connection."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    os.write(port_fd, str(listener.getsockname()[1]).encode() + b"\n")
    while True:
        sock, _ = listener.accept()
        Thread(target=answer, args=(sock,), daemon=True).start()


def answer(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with sock, sock.makefile("rb") as requests:
        while line := requests.readline():
            blocks = int(line.split(b" ")[1].rpartition(b"/")[2] or b"0")
            while requests.readline() not in (b"\r\n", b""):
                pass
            length = len(BLOCK) * blocks or 1000
            try:
                sock.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode())
                for _ in range(blocks):
                    sock.sendall(BLOCK)
                if not blocks:
                    sock.sendall(BLOCK[:1000])
            except OSError:
                return


def ask(sock: socket.socket, target: str) -> None:
    """One request, read to its end."""
    sock.sendall(f"GET {target} HTTP/1.1\r\nHost: shop.test\r\n\r\n".encode())
    data = sock.recv(65536)
    while b"\r\n\r\n" not in data:
        data += sock.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    left = int(head.lower().split(b"content-length: ")[1].split(b"\r")[0]) - len(rest)
    while left > 0:
        left -= len(sock.recv(1 << 18))


def connect(port: int, where: str) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if where:
        sock.sendall(f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += sock.recv(1000)
        assert b" 200 " in data, data
    return sock


def milliseconds(count: int, work: Callable[[], None]) -> tuple[float, float]:
    """Median and minimum."""
    took: list[float] = []
    for _ in range(count):
        started = time.perf_counter()
        work()
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took), min(took)


def measure(name: str, dial: Dial, target: str, requests: int, megabytes: int) -> None:
    def fresh() -> None:
        with dial() as sock:
            ask(sock, target + "/")

    with dial() as sock:
        ask(sock, target + "/")
        kept, least = milliseconds(requests, lambda: ask(sock, target + "/"))
        blocks = megabytes * 16
        whole, _ = milliseconds(3, lambda: ask(sock, f"{target}/{blocks}"))
    new, _ = milliseconds(max(10, requests // 4), fresh)
    print(f"{name:32} {kept:8.2f} {least:8.2f} {new:8.2f} {megabytes / whole * 1000:9.0f}")


def memory_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(text.split("Pss:")[1].split()[0]) / 1024


def flood(port: int) -> None:
    """32 connections that ask without pause, for ever."""

    def ask_on() -> None:
        while True:
            with connect(port, "") as sock:
                for _ in range(20):
                    ask(sock, "http://shop.test/")

    for _ in range(32):
        Thread(target=ask_on).start()


def spawn(*words: str, pass_fds: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, __file__, *words], pass_fds=pass_fds)


async def run(requests: int, megabytes: int) -> None:
    reading, writing = os.pipe()
    server = spawn("--serve", str(writing), pass_fds=(writing,))
    port = int(os.read(reading, 20))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        started = time.perf_counter()
        proxy = await ensure(root)
        pid = await proxy.pid()
        print(f"start {(time.perf_counter() - started) * 1000:.0f} ms, {memory_mb(pid):.0f} MB")
        routed = NetworkRules(
            mode="open",
            private=("localhost",),
            routes=(Route(host="shop.test", to=f"127.0.0.1:{port}"),),
        )
        doors: list[socket.socket] = []
        for number in range(10):
            home = root / f"c{number}"
            home.mkdir()
            doors.append(socket.create_server(("127.0.0.1", 0), backlog=128))
            await proxy.register(f"c{number}", doors[-1], routed, home)
        print(f"10 computers registered: {memory_mb(pid):.0f} MB")
        here = doors[0].getsockname()[1]
        trust = ssl.create_default_context(cafile=str(root / "c0" / "ca.pem"))

        def secure() -> socket.socket:
            return trust.wrap_socket(connect(here, "shop.test:443"), server_hostname="shop.test")

        print(f"{'':32} {'kept ms':>8} {'least':>8} {'new ms':>8} {'MB/s':>9}")
        for name, dial, target in (
            ("direct", lambda: connect(port, ""), ""),
            ("plain HTTP", lambda: connect(here, ""), "http://shop.test"),
            ("tunnel", lambda: connect(here, f"localhost:{port}"), ""),
            ("TLS that ends in the proxy", secure, ""),
        ):
            await asyncio.to_thread(measure, name, dial, target, requests, megabytes)
        flooding = spawn("--flood", str(doors[1].getsockname()[1]))
        name, dial = "plain HTTP, another floods", lambda: connect(here, "")
        await asyncio.to_thread(measure, name, dial, "http://shop.test", requests, megabytes)
        flooding.kill()
        flooding.wait()
        print(f"afterwards: {memory_mb(pid):.0f} MB")
        os.kill(pid, signal.SIGTERM)
        await proxy.lost()
        for one in doors:
            one.close()
    server.kill()
    server.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--flood", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
    elif given.flood:
        flood(given.flood)
    else:
        asyncio.run(run(given.requests, given.megabytes))
