"""Fetches a page, or takes the one that is shown, and makes a document of it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Self
from urllib.parse import urlsplit

import msgspec

from doer.computers.browser.cdp import CdpError, Connection
from doer.computers.text.extractor import Extractor
from doer.computers.text.hidden_tab import DOM_JS, HiddenTab, Rendered
from doer.computers.text.page import MAX_BYTES, Fetched
from doer.errors import ComputerError, ToolError
from doer.records.document import Document

FETCH_S = 30.0
TABS = 3
RENDER_S = 20.0
TAB_S = 15.0  # for what Chromium does by itself: it makes a tab, hands over a body
SCHEMES = frozenset({"http", "https"})


Evaluate = Callable[[str], Awaitable[object]]


class Reader:
    """Reads in one browser context. Several may read at once, in up to `TABS` hidden tabs.

    `timeout_s` is how long a server may take. `schemes` are those of the addresses it opens; add
    `file` for a Chromium that lives in a computer.

    Every method raises `ToolError` for what cannot be read, `ComputerError` when Chromium does not
    answer in time; the next call works again as long as Chromium lives.
    """

    def __init__(
        self,
        connection: Connection,
        context: str = "",
        *,
        schemes: frozenset[str] = SCHEMES,
        timeout_s: float = FETCH_S,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._connection = connection
        self._context = context
        self._schemes = schemes
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._idle: list[HiddenTab] = []
        self._busy: set[HiddenTab] = set()
        self._places = asyncio.Semaphore(TABS)
        self._extractor = Extractor()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def targets(self) -> frozenset[str]:
        """The hidden tabs there are now."""
        return frozenset(tab.target for tab in (*self._idle, *self._busy))

    async def fetch(self, url: str) -> Document:
        """The page at an address. The visible tab stays as it is. A page that its scripts make is
        rendered out of sight."""
        scheme = urlsplit(url).scheme.lower()
        if scheme not in self._schemes:
            raise ToolError(f"{url[:200]}: only {', '.join(sorted(self._schemes))} can be opened")
        async with self._tab(url, self._timeout_s + TAB_S) as tab:
            fetched = await tab.fetch(url, self._timeout_s, self._max_bytes)
            answer = await self._extractor.extract(fetched) if fetched else None
        if answer is not None and answer.document is not None and not answer.by_scripts:
            return answer.document
        try:
            async with self._tab(url, min(RENDER_S, self._timeout_s)) as tab:
                rendered = await tab.render(url)
            return await self._document(rendered, fetched)
        except (ComputerError, ToolError) as error:
            if answer is None or answer.document is None:
                raise
            note = f"its scripts may have more to show, but it could not be rendered: {error}"
            notes = (*answer.document.notes, note)
            return msgspec.structs.replace(answer.document, notes=notes)

    async def current(self, evaluate: Evaluate) -> Document:
        """The page a tab shows now, with what was typed into it. A PDF or a picture, which has no
        text of its own there, is fetched. `evaluate` runs a script in the tab (`Browser.evaluate`)
        and has its deadline."""
        rendered = msgspec.convert(await evaluate(DOM_JS), Rendered)
        if rendered.type == "application/pdf" or rendered.type.startswith("image/"):
            return await self.fetch(rendered.url)
        return await self._document(rendered, None)

    async def close(self) -> None:
        """Close the hidden tabs and end the worker. May be repeated."""
        for tab in self._idle:
            tab.close()
        self._idle.clear()
        await self._extractor.close()

    async def _document(self, rendered: Rendered, fetched: Fetched | None) -> Document:
        page = Fetched(
            url=rendered.url,
            content=rendered.html.encode("utf-8", "replace"),
            content_type="text/html; charset=utf-8",
            status=fetched.status if fetched else 0,
            cut=rendered.cut,
            rendered=fetched is not None,
        )
        answer = await self._extractor.extract(page)
        assert answer.document is not None
        return answer.document

    @asynccontextmanager
    async def _tab(self, url: str, timeout_s: float) -> AsyncGenerator[HiddenTab]:
        """A hidden tab of one's own. What is interrupted in the middle is thrown away."""
        tab = None
        try:
            async with self._places, asyncio.timeout(timeout_s):
                tab = await self._take()
                self._busy.add(tab)
                yield tab
                self._idle.append(tab)
                self._busy.discard(tab)
                tab = None
        except TimeoutError:
            raise ComputerError(f"{url}: Chromium did not answer in {timeout_s:g} s") from None
        except CdpError as error:
            raise ComputerError(f"{url}: {error}") from error
        finally:
            if tab is not None:
                self._busy.discard(tab)
                tab.close()

    async def _take(self) -> HiddenTab:
        while self._idle:
            tab = self._idle.pop()
            if tab.alive:
                return tab
            tab.close()
        return await HiddenTab.open(self._connection, self._context)
