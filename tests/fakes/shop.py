"""A small shop with a login, served on the host's loopback: what practice sites are like."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOGIN = """<title>Sign in</title><h1>Sign in</h1><form method=post action=/login>
<input name=user aria-label=User autofocus style="font-size: 30px; width: 400px">
<button style="font-size: 30px">Enter</button></form>"""
HOME = """<title>Home</title><h1>Welcome %s</h1><a href=/report.bin download>Report</a>
<textarea aria-label=Note></textarea>
<script>localStorage.visits = 1 + Number(localStorage.visits || 0)</script>
<p>%s</p>"""
REPORT = bytes(range(256)) * 100


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        user = next(
            (c[5:] for c in self.headers.get("Cookie", "").split("; ") if c[:5] == "user="), ""
        )
        if self.path == "/report.bin":
            self._answer(REPORT, "application/octet-stream")
        elif self.path == "/hang":
            self._answer(
                b"<title>Hang</title><h1>Hang</h1><button onclick='for(;;);'>Hang</button>"
            )
        elif user:
            self._answer((HOME % (user, "text " * 50)).encode())
        else:
            self._answer(LOGIN.encode())

    def do_POST(self) -> None:
        said = self.rfile.read(int(self.headers["Content-Length"])).decode()
        user = said.partition("user=")[2]
        self._answer(
            b"", status=303, more={"Location": "/", "Set-Cookie": f"user={user}; HttpOnly"}
        )

    def _answer(
        self,
        body: bytes,
        type: str = "text/html",
        status: int = 200,
        more: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": type,
            "Content-Length": str(len(body)),
            **(more or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def shop() -> Generator[str]:
    """The address it listens at, for a `Route`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
