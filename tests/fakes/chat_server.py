"""A real HTTP server on a free local port that speaks Chat Completions from a script."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


def says(text: str | None = None, *calls: dict[str, Any], **choice: Any) -> dict[str, Any]:
    """The body of a reply with this text and these tool calls."""
    message = {"role": "assistant", "content": text, "tool_calls": list(calls) or None}
    return {
        "id": "1",
        "object": "chat.completion",
        "model": "tiny-1",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message, **choice}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }


def calls(name: str, arguments: Any, **call: Any) -> dict[str, Any]:
    """One tool call as servers write it; `arguments` as they stand on the wire."""
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **call}


@dataclass(frozen=True)
class Reply:
    """`body` is sent as JSON, or as it is when it is text. `hangs` answers only at the end."""

    body: Any = field(default_factory=lambda: says("hello"))
    status: int = 200
    hangs: bool = False


@dataclass(frozen=True)
class Call:
    path: str
    key: str
    body: dict[str, Any]


class ChatServer:
    """Gives its replies in order, the last one for ever; keeps what it was asked in `asked`."""

    def __init__(self, *replies: Reply) -> None:
        self.asked: list[Call] = []
        self._replies = list(replies) or [Reply()]
        self._closing = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = False
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                asked = json.loads(self.rfile.read(length))
                server.asked.append(Call(self.path, self.headers["authorization"], asked))
                replies = server._replies
                reply = replies.pop(0) if len(replies) > 1 else replies[0]
                if reply.hangs:
                    server._closing.wait(30)
                    return
                text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
                self.send_response(reply.status)
                kind = "text/html" if isinstance(reply.body, str) else "application/json"
                self.send_header("content-type", kind)
                self.send_header("retry-after-ms", "1")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        return Handler
