"""The pipe's framing and its futures, with the test at the far end instead of Chromium."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncGenerator

import msgspec
import pytest

from doer.computers.browser.cdp import CdpError, Connection
from doer.errors import ComputerError


class FarEnd:
    def __init__(self, read_fd: int, write_fd: int) -> None:
        self.read_fd, self.write_fd = read_fd, write_fd

    def received(self) -> list[dict[str, object]]:
        """What one read of the pipe brings."""
        *messages, rest = os.read(self.read_fd, 1 << 16).split(b"\0")
        assert rest == b""
        return [json.loads(message) for message in messages]

    def write(self, data: bytes) -> None:
        os.write(self.write_fd, data)

    def close(self) -> None:
        if self.write_fd >= 0:
            os.close(self.write_fd)
        self.write_fd = -1


@pytest.fixture
async def pipe() -> AsyncGenerator[tuple[Connection, FarEnd]]:
    their_in, our_out = os.pipe()
    our_in, their_out = os.pipe()
    connection = await Connection.open(our_in, our_out)
    far = FarEnd(their_in, their_out)
    yield connection, far
    connection.close()
    os.close(their_in)
    far.close()


async def turn() -> None:
    """Let everything run that is ready to."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_commands_of_one_turn_leave_in_one_write(pipe: tuple[Connection, FarEnd]) -> None:
    connection, far = pipe
    connection.send("Page.enable", session="S")
    connection.send("Input.insertText", {"text": "ab"}, "S")
    await turn()
    assert far.received() == [
        {"id": 1, "method": "Page.enable", "params": {}, "sessionId": "S"},
        {"id": 2, "method": "Input.insertText", "params": {"text": "ab"}, "sessionId": "S"},
    ]


async def test_answers_find_their_commands_in_any_order(pipe: tuple[Connection, FarEnd]) -> None:
    connection, far = pipe
    first, second = connection.send("A"), connection.send("B")
    far.write(b'{"id":2,"result":{"n":2}}\0{"id":1,"result":{"n":1}}\0')
    assert msgspec.json.decode(await second) == {"n": 2}
    assert msgspec.json.decode(await first) == {"n": 1}


async def test_a_message_may_come_in_pieces(pipe: tuple[Connection, FarEnd]) -> None:
    connection, _ = pipe
    answer, after = connection.send("A"), connection.send("B")
    whole = '{"id":1,"result":{"text":"Grüße"}}\0{"id":2,"result":{}}\0'.encode()
    reads = [whole[:9], whole[9:25], whole[25:26], whole[26:50], whole[50:]]
    for piece in reads:
        connection.data_received(piece)
    assert msgspec.json.decode(await answer) == {"text": "Grüße"}
    assert msgspec.json.decode(await after) == {}


async def test_a_large_message_arrives_whole(pipe: tuple[Connection, FarEnd]) -> None:
    connection, far = pipe
    text = "x" * 3_000_000  # much more than a pipe holds
    message = json.dumps({"id": 1, "result": {"text": text}}).encode() + b"\0"
    answer = connection.send("A")
    await asyncio.to_thread(_write_all, far.write_fd, message)
    assert msgspec.json.decode(await answer) == {"text": text}


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


async def test_one_socket_carries_both_directions() -> None:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    connection = await Connection.open_socket(ours)
    answer = connection.send("A", {"text": "Grüße"})
    loop = asyncio.get_running_loop()
    sent = {"id": 1, "method": "A", "params": {"text": "Grüße"}}
    assert json.loads((await loop.sock_recv(theirs, 1000)).rstrip(b"\0")) == sent
    await loop.sock_sendall(theirs, b'{"id":1,"result":{"n":1}}\0')
    assert msgspec.json.decode(await answer) == {"n": 1}
    pending = connection.send("B")
    theirs.close()
    with pytest.raises(ComputerError, match="gone away"):
        await pending
    assert not connection.alive


async def test_closing_a_connection_closes_its_socket() -> None:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    connection = await Connection.open_socket(ours)
    connection.close()
    assert await asyncio.get_running_loop().sock_recv(theirs, 1) == b""
    theirs.close()


async def test_a_refused_command_raises(pipe: tuple[Connection, FarEnd]) -> None:
    connection, far = pipe
    answer = connection.send("Nonsense")
    far.write(b'{"id":1,"error":{"code":-32601,"message":"wasn\'t found"}}\0')
    with pytest.raises(CdpError, match="wasn't found"):
        await answer
    assert connection.alive


async def test_events_go_to_the_handler_of_their_session(
    pipe: tuple[Connection, FarEnd],
) -> None:
    connection, far = pipe
    heard: list[tuple[str, str, bytes]] = []
    for session in ("S", "T"):
        connection.listen(session, lambda m, p, s=session: heard.append((s, m, bytes(p))))
    answer = connection.send("A")
    far.write(
        b'{"method":"Page.x","sessionId":"T","params":{"a":1}}\0'
        b'{"method":"Page.y","sessionId":"S","params":{}}\0'
        b'{"method":"Page.z","sessionId":"unknown","params":{}}\0{"id":1,"result":{}}\0'
    )
    await answer
    assert heard == [("T", "Page.x", b'{"a":1}'), ("S", "Page.y", b"{}")]


async def test_everything_pending_fails_when_the_pipe_closes(
    pipe: tuple[Connection, FarEnd],
) -> None:
    connection, far = pipe
    heard: list[str] = []
    connection.listen("S", lambda method, _: heard.append(method))
    pending = [connection.send("A"), connection.send("B", session="S")]
    far.close()
    for answer in [*pending, connection.send("C")]:
        with pytest.raises(ComputerError, match="gone away"):
            await answer
    assert not connection.alive
    assert heard == ["Inspector.detached"]
    with pytest.raises(ComputerError, match="gone away"):
        connection.send("D").result()


async def test_a_call_has_a_deadline(pipe: tuple[Connection, FarEnd]) -> None:
    connection, far = pipe
    with pytest.raises(ComputerError, match=r"Slow: no answer in 0\.01 s"):
        await connection.call("Slow", timeout_s=0.01)
    answer = connection.send("A")
    far.write(b'{"id":1,"result":{}}\0{"id":2,"result":{}}\0')  # the first comes too late
    assert bytes(await answer) == b"{}"


async def test_dropping_a_session_leaves_the_others_alone(
    pipe: tuple[Connection, FarEnd],
) -> None:
    connection, far = pipe
    gone, kept = connection.send("A", session="S"), connection.send("A", session="T")
    connection.drop("S", "crashed")
    far.write(b'{"id":1,"result":{}}\0{"id":2,"result":{}}\0')
    assert bytes(await kept) == b"{}"
    with pytest.raises(ComputerError, match="crashed"):
        await gone
