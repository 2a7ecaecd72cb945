"""Files that pages give: where they go, how far they are, and what is too large for us."""

import asyncio
from pathlib import PurePosixPath

import msgspec

from doer.computers.browser.cdp import Command, Connection
from doer.computers.browser.notes import CHARS, Notes

MAX_BYTES = 1 << 30
ENDED = frozenset({"completed", "canceled"})


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """One file. `total` is 0 while the site has not told its size. `path` is the browser's; it
    holds the whole file when `state` is completed."""

    name: str
    url: str
    path: str = ""
    received: int = 0
    total: int = 0
    state: str = "inProgress"
    refused: bool = False  # cancelled by us


class _Event(msgspec.Struct, rename="camel"):
    guid: str = ""
    url: str = ""
    suggested_filename: str = ""
    total_bytes: float = 0
    received_bytes: float = 0
    state: str = ""
    file_path: str = ""


class Downloads:
    """Of one Chromium, into `folder` as Chromium sees it. Without a folder all are denied."""

    def __init__(
        self, connection: Connection, folder: str, notes: Notes, max_bytes: int = MAX_BYTES
    ) -> None:
        self._connection = connection
        self._folder = folder
        self._notes = notes
        self._max_bytes = max_bytes
        self._all: dict[str, Download] = {}
        self._fresh: set[str] = set()  # begun since the last view
        self._stirred = asyncio.Event()
        self._decode = msgspec.json.Decoder(_Event).decode

    @property
    def commands(self) -> list[Command]:
        """What sets Chromium up for it."""
        params: dict[str, object] = {"behavior": "deny", "eventsEnabled": True}
        if self._folder:
            params |= {"behavior": "allow", "downloadPath": self._folder}
        return [("Browser.setDownloadBehavior", params)]

    def files(self) -> tuple[Download, ...]:
        """All of this Chromium, in order of their beginning."""
        return tuple(self._all.values())

    async def settled(self, timeout_s: float) -> None:
        """Give what has just begun the time to end, so that small files are told of at once; what
        goes on is noted."""
        try:
            async with asyncio.timeout(timeout_s):
                while any(self._all[guid].state not in ENDED for guid in self._fresh):
                    self._stirred.clear()
                    await self._stirred.wait()
        except TimeoutError:
            pass
        for guid in self._fresh:
            if (one := self._all[guid]).state not in ENDED:
                size = f" of {one.total:,}" if one.total else ""
                self._notes.add(f"downloading {one.name}: {one.received:,}{size} bytes so far")
        self._fresh.clear()

    @property
    def fresh(self) -> bool:
        return bool(self._fresh)

    def hear(self, method: str, params: msgspec.Raw) -> None:
        """An event of the whole browser."""
        if method == "Browser.downloadWillBegin":
            event = self._decode(params)
            name = event.suggested_filename[:CHARS]
            path = str(PurePosixPath(self._folder, name)) if self._folder else ""
            self._all[event.guid] = Download(name=name, url=event.url, path=path)
            self._fresh.add(event.guid)
        elif method == "Browser.downloadProgress":
            event = self._decode(params)
            if event.guid in self._all:
                self._progress(event)

    def _progress(self, event: _Event) -> None:
        before = self._all[event.guid]
        if before.state in ENDED:
            return
        now = msgspec.structs.replace(
            before,
            received=int(event.received_bytes),
            total=int(event.total_bytes),
            state=event.state,
            path=event.file_path or before.path,
        )
        too_large = max(now.total, now.received) > self._max_bytes
        if too_large and not now.refused and now.state != "completed":
            self._connection.send("Browser.cancelDownload", {"guid": event.guid})
            now = msgspec.structs.replace(now, refused=True)
        self._all[event.guid] = now
        if now.state in ENDED:
            self._notes.add(self._told(now))
            self._stirred.set()

    def _told(self, one: Download) -> str:
        if one.state == "completed":
            before = [other for other in self._all.values() if other.path == one.path]
            instead = " in place of the one before" if len(before) > 1 else ""
            return f"downloaded {one.name} ({one.received:,} bytes) to {one.path}{instead}"
        if one.refused:
            size = f"{max(one.total, one.received):,} bytes"
            limit = f"the limit is {self._max_bytes:,}"
            return f"the download of {one.name} was cancelled: {size} are too many, {limit}"
        if not self._folder:
            return f"the download of {one.name} was blocked: this browser keeps no files"
        return f"the download of {one.name} was cancelled after {one.received:,} bytes"
