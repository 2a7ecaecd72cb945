"""Serves the web pages of a folder to this machine's browsers."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

POLL_S = 0.05  # how long closing may wait for the accept loop
IDLE_S = 60.0  # how long a kept connection may stay silent


class PageServer:
    """A threaded HTTP server on a free port of 127.0.0.1, alive from construction to `close`.

    Threads, not the event loop: pages load while the loop is busy with something else.
    """

    def __init__(self, folder: Path) -> None:
        handler = partial(_Handler, directory=str(folder))
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = Thread(target=self._http.serve_forever, args=(POLL_S,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open
    disable_nagle_algorithm = True  # headers and body go out at once, not 40 ms apart
    timeout = IDLE_S

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "max-age=3600")
        super().end_headers()

    def guess_type(self, path: Any) -> str:
        kind = super().guess_type(path)
        return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind

    def list_directory(self, path: Any) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: pages are asked for thousands of times."""
