"""The page server: what a browser gets, and what nobody does."""

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from doer.worlds.server import PageServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PageServer]:
    html = tmp_path / "html"
    (html / "miniwob").mkdir(parents=True)
    (html / "miniwob" / "a.html").write_text("<p>確定</p>")
    (tmp_path / "secret").write_text("secret")
    server = PageServer(html)
    yield server
    server.close()


@pytest.fixture
def connection(server: PageServer) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(server.origin).netloc, timeout=5)
    yield connection
    connection.close()


def test_serves_utf8_to_be_kept_over_one_connection(
    connection: http.client.HTTPConnection,
) -> None:
    sockets: set[object] = set()
    for _ in range(2):
        connection.request("GET", "/miniwob/a.html")
        answer = connection.getresponse()
        assert answer.read().decode() == "<p>確定</p>"
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "max-age" in answer.headers["Cache-Control"]
        sockets.add(connection.sock)
    assert len(sockets) == 1


@pytest.mark.parametrize("path", ["/", "/miniwob/", "/../secret", "/%2e%2e/secret", "/none.html"])
def test_serves_nothing_else(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 404
    assert b"secret" not in answer.read()


def test_listens_to_this_machine_only(server: PageServer) -> None:
    assert urlsplit(server.origin).hostname == "127.0.0.1"
