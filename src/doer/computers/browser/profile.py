"""One Chromium with its one profile, as a computer has it: tabs, downloads, logins, cookies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from doer.computers.browser.cdp import Connection
from doer.computers.browser.downloads import MAX_BYTES, Downloads
from doer.computers.browser.fittings import Fittings, page_js
from doer.computers.browser.logins import Credentials, Logins
from doer.computers.browser.notes import Notes
from doer.computers.browser.tab import Tab
from doer.computers.browser.tabs import LIMIT, Tabs

DOWNLOAD_S = 1.0  # a download that has just begun may take before a view goes out without it
WINDOW_S = 2.0  # Chromium may take to make a window that a page has opened
PDF = "application/pdf"
# Of the copy in the browser's cache; the site is not asked again.
PDF_BYTES = """fetch(location.href, { cache: "only-if-cached", mode: "same-origin" })
.then((answer) => answer.blob()).then((blob) => blob.size).catch(() => 0)"""
Cookie = dict[str, Any]
"""A cookie as CDP gives and takes it (Network.Cookie): name, value, domain, path, ..."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the owner of a Chromium decides. `downloads`: the folder for them as Chromium sees it,
    "" for none. `viewport`: in CSS pixels, None for that of the window. `init_script` runs in every
    document before its own scripts."""

    downloads: str = ""
    download_bytes: int = MAX_BYTES
    credentials: Credentials | None = None
    tabs: int = LIMIT
    viewport: tuple[int, int] | None = None
    init_script: str = ""


class Profile:
    """`open` it. Takes over the tabs that Chromium has, and hears all its events."""

    def __init__(self, connection: Connection, options: Options) -> None:
        self.notes = Notes()
        self._connection = connection
        self._logins = Logins(connection, options.credentials, self.notes)
        fittings = Fittings(
            script=page_js(searching=True) + options.init_script,
            viewport=options.viewport,
            asks=True,
            logins=options.credentials is not None,
        )
        self.tabs = Tabs(connection, fittings, self.notes, self._logins.hear, options.tabs)
        self.downloads = Downloads(
            connection, options.downloads, self.notes, options.download_bytes
        )

    @classmethod
    async def open(cls, connection: Connection, options: Options) -> "Profile":
        """Raises `CdpError`, `ComputerError`."""
        self = cls(connection, options)
        connection.listen("", self._hear)
        for method, params in self.downloads.commands:
            await connection.call(method, params)
        await self.tabs.adopt()
        return self

    @property
    def alive(self) -> bool:
        return self._connection.alive

    async def told(self, tab: Tab) -> None:
        """See to it that what happened is known before a view of a tab goes out."""
        if tab.windows > 0:
            await self.tabs.arrived(tab, WINDOW_S)
        if self.downloads.fresh:
            await self.downloads.settled(DOWNLOAD_S)
        if tab.mime == PDF and tab.dialogs.pending is None:
            size = await tab.evaluate(PDF_BYTES, int)
            of = f" of {size:,} bytes" if size else ""
            tab.notes.add(f"this is a PDF{of}: read it with the text view")

    def take_notes(self, tab: Tab) -> tuple[str, ...]:
        """What a reader of a tab must know of, its own notes first."""
        return (*tab.notes.take(), *self.notes.take(), *self.tabs.take_notes())

    def _hear(self, method: str, params: msgspec.Raw) -> None:
        self.tabs.hear(method, params)
        self.downloads.hear(method, params)


async def cookies(connection: Connection, context: str) -> tuple[Cookie, ...]:
    """All cookies of a context, "" for the default one."""
    where = {"browserContextId": context} if context else {}
    answer = await connection.call("Storage.getCookies", where)
    return tuple(answer["cookies"])


async def set_cookies(connection: Connection, context: str, cookies: Sequence[Cookie]) -> None:
    """Add or replace cookies, as `cookies` gave them. Raises `CdpError` for an invalid one."""
    where = {"browserContextId": context} if context else {}
    await connection.call("Storage.setCookies", {"cookies": list(cookies), **where})
