"""Keeps one worker process for as long as it lives, and starts another when it has died."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from typing import Self

import msgspec

from doer.computers.text.page import Answer, Fetched
from doer.errors import ComputerError, ToolError

EXTRACT_S = 30.0
TOO_MUCH = "this page cannot be made into text: look at it in the screen view"


class Extractor:
    """One page at a time; others wait. The worker starts with the first."""

    def __init__(self, timeout_s: float = EXTRACT_S) -> None:
        self.timeout_s = timeout_s
        self._worker: Process | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def extract(self, fetched: Fetched) -> Answer:
        """Raises `ToolError` when no text can be made of it, in time or at all."""
        async with self._turn:
            worker = await self._ready()
            try:
                async with asyncio.timeout(self.timeout_s):
                    answer = await _ask(worker, fetched)
            except BaseException as error:
                await self._kill()  # it is in the middle of something
                if isinstance(error, TimeoutError):
                    raise ToolError(f"{TOO_MUCH} (it takes too long)") from None
                if isinstance(error, OSError | EOFError):
                    raise ToolError(f"{TOO_MUCH} (it breaks the parser)") from None
                raise
        if answer.refused:
            raise ToolError(answer.refused)
        return answer

    async def close(self) -> None:
        """End the worker. May be repeated."""
        async with self._turn:
            await self._kill()

    async def _ready(self) -> Process:
        if self._worker is not None and self._worker.returncode is None:
            return self._worker
        await self._kill()
        path = os.pathsep.join(filter(None, sys.path))
        try:
            self._worker = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "doer.computers.text.worker"),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": path},
            )
        except OSError as error:
            raise ComputerError(f"no process to read pages in: {error}") from error
        return self._worker

    async def _kill(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        await worker.wait()
        if worker.stdin is not None:
            worker.stdin.close()


async def _ask(worker: Process, fetched: Fetched) -> Answer:
    assert worker.stdin is not None
    assert worker.stdout is not None
    content = msgspec.msgpack.encode(fetched)
    worker.stdin.write(len(content).to_bytes(4, "little") + content)
    await worker.stdin.drain()
    length = int.from_bytes(await worker.stdout.readexactly(4), "little")
    return msgspec.msgpack.decode(await worker.stdout.readexactly(length), type=Answer)
