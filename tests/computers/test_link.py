"""The host's end of a call, against daemons that behave badly: real sockets, wrong answers."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doer.computers.home import Home
from doer.computers.link import JSON, OUT, Link, Pong
from doer.computers.shell import Shell
from doer.errors import ComputerError, DoerError, ToolError

Daemon = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def frame(kind: int, load: bytes) -> bytes:
    return struct.pack(">IB", len(load), kind) + load


@contextlib.asynccontextmanager
async def linked(daemon: Daemon) -> AsyncGenerator[Link]:
    """A link whose calls are answered by `daemon`."""
    tasks: list[asyncio.Task[None]] = []

    async def serve(end: socket.socket) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=end)
        try:
            await daemon(reader, writer)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
        finally:
            writer.close()

    async def dial(service: str) -> socket.socket:
        assert service == "daemon"
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        tasks.append(asyncio.create_task(serve(theirs)))
        return ours

    try:
        yield Link(dial)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def saying(data: bytes) -> Daemon:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return say


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def test_a_call_is_answered(guest):
    pong = await guest.link.ping()
    assert pong.boot == (await guest.link.ping()).boot
    assert not pong.browser


@pytest.mark.parametrize(
    ("said", "error", "why"),
    [
        (b"", ComputerError, "ping: the computer's daemon has gone away"),
        (frame(JSON, b"{}")[:-1], ComputerError, "has gone away"),
        (b"\xff" * 64, ComputerError, "has gone away"),
        (frame(OUT, b"hello"), ComputerError, "out of turn"),
        (frame(JSON, b"{"), ComputerError, "answers oddly"),
        (frame(JSON, b"\xff\xfe"), ComputerError, "answers oddly"),
        (frame(JSON, b'{"boot": 3}'), ComputerError, "answers oddly"),
        (frame(JSON, b'{"error": "do it so"}'), ToolError, "do it so"),
        (frame(JSON, b'{"error": "dead", "broken": true}'), ComputerError, "dead"),
    ],
)
async def test_a_wrong_answer_is_a_typed_error(said, error, why):
    async with linked(saying(said)) as link:
        with pytest.raises(error, match=why):
            await link.ping()


async def test_no_answer_is_told_at_the_deadline():
    async with linked(silent) as link:
        with pytest.raises(ComputerError, match="did not answer in 0.05 s"):
            await link.ping(timeout_s=0.05)


async def test_a_dial_that_hangs_is_told_at_the_deadline():
    async def dial(_: str) -> socket.socket:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(ComputerError, match="did not answer in 0.05 s"):
        await Link(dial).ping(timeout_s=0.05)


async def test_a_dial_that_fails_is_told():
    async def dial(_: str) -> socket.socket:
        raise FileNotFoundError("no socket")

    with pytest.raises(ComputerError, match="cannot be reached.*no socket"):
        await Shell(Link(dial)).run("true")


async def test_a_cancelled_call_closes_its_connection():
    heard, closed = asyncio.Event(), asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        heard.set()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        closed.set()

    async with linked(listen) as link, asyncio.timeout(20):
        call = asyncio.create_task(link.ask("run", of=Pong, timeout_s=1000))
        await heard.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await closed.wait()


async def test_output_without_end_is_bounded_on_the_host():
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(200):
            writer.write(frame(OUT, b"x" * 100_000))
            await writer.drain()
        stream = b'{"bytes": 10, "file": "", "stored": 0}'
        ended = (
            b'{"exit": 0, "timed_out": false, "seconds": 1, "left": [], "stdout": %b, "stderr": %b}'
        )
        writer.write(frame(JSON, ended % (stream, stream)))

    async with linked(flood) as link:
        result = await Shell(link).run("true", keep=(1000, 1000))
    assert len(result.stdout.kept) <= 2000


@pytest.mark.parametrize("what", ["processes", "entries"])
async def test_a_list_without_end_is_bounded_on_the_host(what):
    one = {
        "processes": b'{"pid": 1, "parent": 1, "name": "", "command": "", "state": "R",'
        b' "cpu_s": 0, "memory_mb": 0}',
        "entries": b'{"path": "", "kind": "file", "bytes": 0, "changed_at": 0, "mode": 0}',
    }
    part = frame(JSON, b'{"%b": [%b]}' % (what.encode(), b",".join([one[what]] * 2000)))

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(part)
                await writer.drain()

    async with linked(flood) as link:
        with pytest.raises(ComputerError, match="tells too much"):
            await (link.processes() if what == "processes" else Home(link).entries())


async def test_a_long_refusal_is_shortened():
    async with linked(saying(frame(JSON, b'{"error": "%b"}' % (b"x" * 100_000)))) as link:
        with pytest.raises(ToolError) as told:
            await link.ping()
    assert len(str(told.value)) == 2000


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda load: frame(JSON, load)))
@settings(max_examples=80, deadline=None)
async def test_whatever_a_daemon_says_is_an_answer_or_a_typed_error(said):
    async with linked(saying(said)) as link:
        with contextlib.suppress(DoerError):
            await link.ping()
        with contextlib.suppress(DoerError):
            _, pipe = await link.browser(["chromium"], "profile")
            pipe.close()


async def test_the_browser_pipe_begins_where_the_answer_ends():
    async with linked(saying(frame(JSON, b'{"started": 7}') + b"CDP follows")) as link:
        pid, pipe = await link.browser(["chromium"], "profile")
        with pipe:
            assert pid == 7
            assert not pipe.getblocking()
            assert await asyncio.get_running_loop().sock_recv(pipe, 100) == b"CDP follows"
