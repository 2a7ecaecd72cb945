"""The process that makes text of what was fetched. Pages are hostile and parsers are written in C:
here a page may exhaust memory, time or the parser's luck, and only this process dies of it.

Frames on both pipes: u32 length, little-endian, then MessagePack. In: `Fetched`. Out: `Answer`.
"""

import resource
import signal
import sys
from typing import BinaryIO

import msgspec

from doer.computers.text.extract import extract
from doer.computers.text.page import Answer, Fetched
from doer.errors import ToolError

MEMORY = 2 * 1024**3
ALARM_S = 60  # nobody waits so long; ends a worker whose parent has died meanwhile


def main() -> None:
    """Answer until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    into, out = sys.stdin.buffer, sys.stdout.buffer
    while frame := _read(into):
        signal.alarm(ALARM_S)
        content = msgspec.msgpack.encode(_answer(frame))
        out.write(len(content).to_bytes(4, "little") + content)
        out.flush()
        signal.alarm(0)


def _read(pipe: BinaryIO) -> bytes:
    head = pipe.read(4)
    return pipe.read(int.from_bytes(head, "little")) if len(head) == 4 else b""


def _answer(frame: bytes) -> Answer:
    try:
        document, by_scripts = extract(msgspec.msgpack.decode(frame, type=Fetched))
        return Answer(document=document, by_scripts=by_scripts)
    except ToolError as error:
        return Answer(refused=str(error))


if __name__ == "__main__":
    main()
