"""Commands in a computer: each on its own, ended with all it started when its time is over."""

from collections.abc import Mapping, Sequence

import msgspec

from doer.computers.link import ERR, JSON, OUT, Call, Link
from doer.records.shell import Output, RunResult

HEAD = TAIL = 8192
"""Bytes kept at either end of an output; the rest is in a file inside."""

_SLACK_S = 15.0  # beyond a command's own time: for its end, and a loaded machine


class Shell:
    """Runs commands through the daemon inside. Raises `ToolError` for what cannot be started and
    `ComputerError` when the computer does not answer. Commands begin in `cwd`, the home by default,
    with the variables of `env` beside the computer's own, unless they are told otherwise."""

    def __init__(self, link: Link, cwd: str = "", env: Mapping[str, str] | None = None) -> None:
        self._link, self._cwd, self._env = link, cwd, dict(env or {})

    async def run(
        self,
        command: str | Sequence[str],
        *,
        timeout_s: float = 60.0,
        cwd: str = "",
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        keep: tuple[int, int] = (HEAD, TAIL),
    ) -> RunResult:
        """Run a script (a string, by bash) or a program with its arguments, and wait for its end.

        `cwd`: relative to the home. `env` is added to what there is.
        `keep`: bytes of each output's head and tail, 1 MiB each at most. Past `timeout_s` the
        command is ended, with whatever it started; so it is when this call is cancelled. What it
        leaves in the background by itself goes on.
        """
        fields: dict[str, object] = {
            "timeout_s": timeout_s,
            "cwd": cwd or self._cwd,
            "env": {**self._env, **(env or {})},
            "head": keep[0],
            "tail": keep[1],
            "stdin": bool(stdin),
        }
        if isinstance(command, str):
            fields["script"] = command
        else:
            fields["argv"] = list(command)
        async with self._link.call("run", fields, timeout_s + _SLACK_S) as call:
            if stdin:
                call.send(OUT, stdin)
                call.send(OUT, b"")
            return await _result(call, keep)


class _Stream(msgspec.Struct):
    bytes: int
    file: str
    stored: int


class _Ended(msgspec.Struct):
    exit: int
    timed_out: bool
    seconds: float
    left: tuple[int, ...]
    stdout: _Stream
    stderr: _Stream


async def _result(call: Call, keep: tuple[int, int]) -> RunResult:
    got = {OUT: bytearray(), ERR: bytearray()}
    while True:
        kind, data = await call.receive()
        if kind == JSON:
            ended = call.decode(data, _Ended)
            break
        if kind in got and len(got[kind]) <= sum(keep):
            got[kind] += data
    return RunResult(
        exit_code=ended.exit,
        stdout=_output(bytes(got[OUT]), ended.stdout, keep),
        stderr=_output(bytes(got[ERR]), ended.stderr, keep),
        timed_out=ended.timed_out,
        seconds=ended.seconds,
        left=ended.left,
    )


def _output(data: bytes, told: _Stream, keep: tuple[int, int]) -> Output:
    """Head and tail come one after the other; what was told of them must fit."""
    head, tail = data[: keep[0]], data[keep[0] :][-keep[1] or len(data) :]
    total = max(told.bytes, len(head) + len(tail))
    return Output(head=head, tail=tail, total=total, file=told.file, stored=told.stored)
