"""The daemon inside a computer, spoken to frame by frame."""

import ast
import asyncio
import json
import os
import struct
import sys

import pytest
from guest_daemon import INSIDE, GuestDaemon

from doer.computers.link import ERR, JSON, OUT

pytestmark = pytest.mark.slow  # real processes and sockets


async def frames(guest: GuestDaemon, *sent: tuple[int, bytes]) -> list[tuple[int, bytes]]:
    """Send frames, and read until the daemon closes."""
    reader, writer = await asyncio.open_unix_connection(sock=await guest.dial("daemon"))
    try:
        async with asyncio.timeout(30):
            for kind, load in sent:
                writer.write(struct.pack(">IB", len(load), kind) + load)
            data = await reader.read()
    finally:
        writer.close()
    found: list[tuple[int, bytes]] = []
    while data:
        length, kind = struct.unpack_from(">IB", data)
        found.append((kind, data[5 : 5 + length]))
        data = data[5 + length :]
    return found


async def call(guest: GuestDaemon, op: str, **fields: object) -> dict:
    """The last frame's object."""
    kind, payload = (await frames(guest, (JSON, json.dumps({"op": op, **fields}).encode())))[-1]
    assert kind == JSON
    return json.loads(payload)


@pytest.mark.parametrize("file", sorted(INSIDE.glob("*.py")), ids=lambda file: file.name)
def test_a_file_is_python_3_9_of_the_standard_library_alone(file):
    tree = ast.parse(file.read_text(), feature_version=(3, 9))
    ours = {one.stem for one in INSIDE.glob("*.py")}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            assert name.split(".")[0] in ours | set(sys.stdlib_module_names)


async def test_ping_tells_how_it_is(guest):
    told = await call(guest, "ping")
    assert told["uptime_s"] > 0
    assert told["pids"] > 1
    assert len(told["load"]) == 3
    assert told["browser"] is False


async def test_both_outputs_come_apart(guest):
    *output, last = await frames(
        guest, (JSON, b'{"op": "run", "script": "echo out; echo err >&2; exit 3"}')
    )
    assert sorted(output) == [(OUT, b"out\n"), (ERR, b"err\n")]
    assert json.loads(last[1])["exit"] == 3


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (b"[]", "one JSON object"),
        (b"{", "one JSON object"),
        (b"[" * 100_000, "one JSON object"),
        (b'{"op": 3}', "'op' must be a string"),
        (b'{"op": "fly"}', "there is no 'fly'"),
        (b'{"op": "run"}', "'script' must be a string"),
        (b'{"op": "run", "argv": []}', "'argv' is empty"),
        (b'{"op": "run", "argv": ["a\\u0000b"]}', "without NUL"),
        (b'{"op": "run", "argv": ["no-such"]}', "no program 'no-such'"),
        (b'{"op": "run", "argv": ["/tmp"]}', "no program '/tmp'"),
        (b'{"op": "run", "argv": ["true"], "cwd": "nowhere"}', "cannot be started in"),
        (b'{"op": "run", "argv": ["true"], "timeout_s": -1}', "'timeout_s' must lie"),
        (b'{"op": "run", "argv": ["true"], "timeout_s": NaN}', "of common size"),
        (b'{"op": "run", "argv": ["true"], "head": 0.5}', "whole number"),
        (b'{"op": "run", "argv": ["true"], "timeout_s": true}', "must be a number"),
        (b'{"op": "run", "argv": ["true"], "env": {"A=B": "c"}}', "'A=B'"),
        (b'{"op": "run", "argv": ["true"], "head": 1e400}', "of common size"),
        (b'{"op": "screen", "width": 1, "height": 1}', "64 or more"),
        (b'{"op": "browser", "argv": [], "profile": ""}', "are needed"),
        (b'{"op": "open", "app": "games"}', "no 'games' is installed"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(guest, request_, why):
    (answer,) = await frames(guest, (JSON, request_))
    told = json.loads(answer[1])
    assert why in told["error"]
    assert "broken" not in told


async def test_garbage_ends_its_connection_only(guest):
    assert await frames(guest, (9, os.urandom(100))) != []
    reader, writer = await asyncio.open_unix_connection(sock=await guest.dial("daemon"))
    writer.write(b"\xff" * 100)
    assert await reader.read() == b""
    writer.close()
    assert "error" not in await call(guest, "ping")


async def test_one_call_does_not_hold_up_another(guest):
    slow = asyncio.create_task(call(guest, "run", argv=["sleep", "100"]))
    try:
        async with asyncio.timeout(20):
            assert (await call(guest, "run", argv=["true"]))["exit"] == 0
        assert not slow.done()
    finally:
        slow.cancel()
        await asyncio.wait([slow])


async def test_processes_are_told_with_what_they_cost(guest):
    found = await frames(guest, (JSON, b'{"op": "processes"}'))
    told = [one for _, load in found for one in json.loads(load).get("processes", ())]
    (daemon,) = [one for one in told if one["pid"] == guest.process.pid]
    assert daemon["memory_mb"] > 1
    assert daemon["parent"] == os.getpid()
    assert str(INSIDE) in daemon["command"]
