"""The files of a computer's home, through the daemon inside: nothing here follows a symbolic link,
leaves the home, or takes more into memory than it says."""

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec

from doer.computers.link import JSON, OUT, Call, Link
from doer.errors import ComputerError, ToolError
from doer.records.entry import Change, Entry

MAX_BYTES = 1 << 20  # of a file that is read or written at once; more goes by ranges or streams
MAX_FILES = 1000
MAX_ENTRIES = 1 << 14  # the daemon tells of fewer
MAX_DEPTH = 16
_CHUNK = 1 << 18
_CALL_S = 30.0
_STREAM_S = 3600.0


class Home:
    """Paths are relative to the home, or begin with `~/` or its own path. Every method raises
    `ToolError` for what cannot be done and `ComputerError` when the computer does not answer."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def list(self, path: str = "") -> tuple[str, ...]:
        """The paths of all regular files below a folder, sorted. Those with a hidden name (or in a
        hidden folder) are not there; nor are links. Raises when there are over `MAX_FILES`."""
        found = await self.entries(path, depth=MAX_DEPTH, hidden=False)
        files = tuple(sorted(entry.path for entry in found if entry.kind == "file"))
        if len(files) > MAX_FILES:
            raise ToolError(f"there are {len(files)} files; list one folder at a time")
        return files

    async def entries(
        self, path: str = "", *, depth: int = 1, hidden: bool = True
    ) -> tuple[Entry, ...]:
        """What lies in a folder, and below it down to `depth`, sorted. Raises when it is too
        much to tell."""
        found: list[Entry] = []
        fields = {"path": path, "depth": depth, "hidden": hidden}
        async with self._link.call("files_list", fields, _CALL_S) as call:
            while (part := await call.answer(_Listed)).complete is None:
                found += part.entries
                if len(found) > MAX_ENTRIES:
                    raise ComputerError("files_list: the computer's daemon tells too much")
            if not part.complete:
                raise ToolError(f"too much lies below {path or '~'}; list one folder at a time")
        return tuple(found)

    async def stat(self, path: str) -> Entry:
        """One file, folder or link as it is now."""
        return await self._link.ask("files_stat", {"path": path}, of=Entry)

    async def read(self, path: str) -> str:
        """The text of a file, exactly as it is stored; `MAX_BYTES` at most."""
        try:
            return (await self.read_bytes(path)).decode()
        except UnicodeDecodeError:
            raise ToolError(f"{path} is not UTF-8 text and cannot be read as such") from None

    async def read_bytes(self, path: str, offset: int = 0, length: int = 0) -> bytes:
        """The bytes of a file, or `length` of them from `offset` on (fewer at its end)."""
        if length > MAX_BYTES:
            raise ToolError(f"{length} bytes are too many at once; read {MAX_BYTES} at most")
        data = b""
        fields = {"path": path, "offset": offset, "length": length or MAX_BYTES + 1}
        async with self._link.call("files_read", fields, _CALL_S) as call:
            size = (await call.answer(Entry)).bytes
            if not length and size - offset > MAX_BYTES:
                at_once = f"read {MAX_BYTES} at a time, or download it"
                raise ToolError(f"{path} has {size} bytes; {at_once}")
            async for chunk in _chunks(call):
                data += chunk
                if len(data) > MAX_BYTES:
                    raise ToolError(f"{path} grows while it is read; read a range of it")
        return data

    async def write(self, path: str, text: str) -> None:
        """Replace the text of a file, or make a new file and the folders it lies in."""
        try:
            await self.write_bytes(path, text.encode())
        except UnicodeEncodeError:
            raise ToolError("the text is not valid Unicode; write it without surrogates") from None

    async def write_bytes(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """The same with bytes and permissions. A reader sees the old file or the new one."""
        if len(data) > MAX_BYTES:
            raise ToolError(f"{len(data)} bytes are too many at once; write {MAX_BYTES} at most")
        async with self._link.call("files_write", {"path": path, "mode": mode}, _CALL_S) as call:
            if data:
                call.send(OUT, data)
            call.send(OUT, b"")
            await call.answer(_Count)

    async def make_folder(self, path: str) -> None:
        """Make a folder and those it lies in; one that is there already is left alone."""
        await self._link.ask("files_mkdir", {"path": path}, of=_Done)

    async def move(self, path: str, to: str, *, replace: bool = False) -> None:
        """Move or rename; what is at `to` stays unless it may be replaced."""
        fields = {"path": path, "to": to, "replace": replace}
        await self._link.ask("files_move", fields, of=_Done)

    async def remove(self, path: str, *, recursive: bool = False) -> None:
        """Remove a file, a link, an empty folder, or a folder with all that is in it."""
        fields = {"path": path, "recursive": recursive}
        await self._link.ask("files_remove", fields, of=_Done, timeout_s=300)

    async def upload(self, source: Path, path: str, mode: int = 0o644) -> int:
        """Copy a file of the host into the home, replacing what is there; its bytes."""
        file = await asyncio.to_thread(source.open, "rb")
        try:
            fields = {"path": path, "mode": mode}
            async with self._link.call("files_write", fields, _STREAM_S) as call:
                # A refusal (a full disk) comes before the end, and ends the sending.
                refusal = asyncio.ensure_future(call.answer(_Count))
                try:
                    while not refusal.done() and (
                        data := await asyncio.to_thread(file.read, _CHUNK)
                    ):
                        call.send(OUT, data)
                        await call.drain()
                    if not refusal.done():
                        call.send(OUT, b"")
                    return (await refusal).bytes
                finally:
                    refusal.cancel()
                    with suppress(asyncio.CancelledError, ComputerError, ToolError):
                        await refusal
        finally:
            file.close()

    async def download(self, path: str, target: Path, max_bytes: int = 1 << 30) -> int:
        """Copy a file of the home to the host, whole or not at all; its bytes. Raises `ToolError`
        when it has more than `max_bytes`."""
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        count = 0
        file = await asyncio.to_thread(part.open, "xb")
        try:
            async with self._link.call("files_read", {"path": path}, _STREAM_S) as call:
                size = (await call.answer(Entry)).bytes
                async for chunk in _chunks(call):
                    count += len(chunk)
                    if max(count, size) > max_bytes:
                        size = max(count, size)
                        raise ToolError(f"{path} has {size} bytes; {max_bytes} are allowed")
                    await asyncio.to_thread(file.write, chunk)
            file.close()
            os.replace(part, target)  # noqa: PTH105 (not to wait between the two)
        finally:
            file.close()
            part.unlink(missing_ok=True)
        return count

    def close(self) -> None:
        """Nothing is held."""

    @asynccontextmanager
    async def watch(
        self, path: str = "", *, recursive: bool = False, timeout_s: float = _STREAM_S
    ) -> AsyncGenerator[AsyncIterator[Change]]:
        """Changes in a folder from now on, as they happen; for `timeout_s` in all. Of very many
        folders the first thousand are watched."""
        fields = {"path": path, "recursive": recursive}
        async with self._link.call("watch", fields, timeout_s) as call:
            await call.answer(_Watched)
            yield _changes(call)


class _Listed(msgspec.Struct):
    entries: tuple[Entry, ...] = ()
    complete: bool | None = None


class _Count(msgspec.Struct):
    bytes: int


class _Done(msgspec.Struct):
    pass


class _Watched(msgspec.Struct):
    folders: int


class _Changed(msgspec.Struct):
    events: tuple[Change, ...]


async def _chunks(call: Call) -> AsyncIterator[bytes]:
    """Bytes up to the JSON frame that ends them."""
    while True:
        kind, data = await call.receive()
        if kind == JSON:
            call.decode(data, _Count)
            return
        yield data


async def _changes(call: Call) -> AsyncIterator[Change]:
    while True:
        for change in (await call.answer(_Changed)).events:
            yield change
