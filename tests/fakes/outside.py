"""What there is to be reached outside a computer: files, processes and servers of the host's, which
answer OUTSIDE."""

import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nOUTSIDE"


@contextmanager
def outside(folder: Path) -> Generator[dict[str, str]]:
    """The environment variables that `escapes` names, with everything behind them in place."""
    mark = f"mark-{secrets.token_hex(8)}"
    secret = folder / "secret"
    secret.write_text("secret")
    with ExitStack() as stack:
        victim = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", "import signal; signal.pause()", mark],
                env={"HOST_MARK": mark},
            )
        )
        stack.callback(victim.kill)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("0.0.0.0", 0))
        stack.enter_context(_answering(udp, _datagram))
        yield {
            "SECRET": str(secret),
            "STATE": str(folder),
            "MARK": mark,
            "VICTIM": str(victim.pid),
            "TCP": str(stack.enter_context(_tcp(b"OUTSIDE"))),
            "HTTP": str(stack.enter_context(_tcp(PAGE))),
            "UDP": str(udp.getsockname()[1]),
            "UNIX": stack.enter_context(_unix(str(folder / "unix"))),
            "ABSTRACT": stack.enter_context(_unix("\0" + mark)).removeprefix("\0"),
            "CONTROL": str(folder / "unix"),
            "ADDRESS": own_address(),
        }


def own_address() -> str:
    """The address this machine would send from; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return probe.getsockname()[0]


@contextmanager
def _tcp(answer: bytes) -> Generator[int]:
    server = socket.socket(socket.AF_INET6)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind(("::", 0))
    server.listen()
    with _answering(server, lambda: _stream(server, answer)):
        yield server.getsockname()[1]


@contextmanager
def _unix(path: str) -> Generator[str]:
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    if not path.startswith("\0"):
        Path(path).chmod(0o777)
    server.listen()
    with _answering(server, lambda: _stream(server, b"OUTSIDE")):
        yield path


@contextmanager
def _answering(server: socket.socket, answer: Callable[..., None]) -> Generator[None]:
    def serve() -> None:
        try:
            while True:
                answer() if server.type == socket.SOCK_STREAM else answer(server)
        except OSError:
            return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        if server.type == socket.SOCK_STREAM:
            server.shutdown(socket.SHUT_RDWR)
        else:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
                port = server.getsockname()[1]
                waker.sendto(b"stop", ("127.0.0.1", port))
        thread.join()
        server.close()


def _stream(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.settimeout(5)
        if answer == PAGE:
            connection.recv(4096)
        connection.sendall(answer)


def _datagram(server: socket.socket) -> None:
    data, sender = server.recvfrom(4096)
    if data == b"stop":
        raise OSError("stopped")
    server.sendto(b"OUTSIDE", sender)
