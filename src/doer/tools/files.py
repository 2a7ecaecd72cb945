"""The verbs on the computer's files: list, read, write. Each shows the folder as it is now."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from doer.computers.files import Files, files_view
from doer.records.action import Observation
from doer.records.computer import Part
from doer.tools.tool import ToolContext

Path = Annotated[str, Meta(description="path inside the folder, for example notes/a.txt")]


class ListFiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """List all files and what is in them."""


class ReadFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Read one file."""

    path: Path


class WriteFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Write a file, replacing what was in it."""

    path: Path
    text: str


@dataclass(frozen=True)
class FilesTool:
    """One verb: its arguments' record, and the call that carries it out."""

    name: str
    Arguments: type[msgspec.Struct]
    act: Callable[[Files, Any], Awaitable[Observation]]
    part: Part = "files"

    async def facts(self, context: ToolContext, arguments: Any) -> dict[str, Any]:
        path = getattr(arguments, "path", None)
        return {} if path is None else {"path": path}

    async def run(self, context: ToolContext, arguments: Any) -> Observation:
        return await self.act(context.computer.files, arguments)


async def _read(files: Files, arguments: ReadFile) -> Observation:
    text = await files.read(arguments.path)
    shown = await files_view(files)
    return msgspec.structs.replace(shown, text=text)


async def _write(files: Files, arguments: WriteFile) -> Observation:
    await files.write(arguments.path, arguments.text)
    return await files_view(files)


LIST = FilesTool("list", ListFiles, lambda files, _: files_view(files))
READ_FILE = FilesTool("read_file", ReadFile, _read)
WRITE_FILE = FilesTool("write_file", WriteFile, _write)
