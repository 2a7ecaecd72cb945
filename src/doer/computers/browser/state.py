"""What a browser carries over into another Chromium: cookies, tabs, and what their pages hold.

A page's own memory, IndexedDB, caches and history are not carried; nor are passwords that were
typed and values of hidden fields. `restore` fills stores before a page's own scripts run. When an
address leads to another site instead, a blank page of the one it was is opened for that, which the
network never sees.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Any

import msgspec

from doer.computers.browser.cdp import CdpError, Connection
from doer.computers.browser.dialogs import Blocked
from doer.computers.browser.pointing import js
from doer.computers.browser.profile import Cookie, Profile, cookies, set_cookies
from doer.computers.browser.tab import Tab
from doer.errors import ComputerError, SiteError, ToolError

STATE_JS = files("doer.computers.browser").joinpath("page", "state.js").read_text()
TAB_S = 5.0  # a page may take to tell its state
LOAD_S = 20.0  # and to load again
WEB = ("http:", "https:")
HTML = ({"name": "Content-Type", "value": "text/html"},)
OPENED = (*WEB, "about:", "data:", "file:")
FAULTS = (TimeoutError, CdpError, ComputerError, SiteError, ToolError, Blocked)

Stored = tuple[str, str]
Field = tuple[int, str, Any]
"""Its number among the page's fields, what it is, and its value."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a page holds. `scroll` in CSS pixels; `fields`: visible ones that were changed."""

    scroll: tuple[float, float] = (0, 0)
    fields: tuple[Field, ...] = ()
    origin: str = ""
    local: tuple[Stored, ...] = ()
    session: tuple[Stored, ...] = ()


class TabState(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    held: Held = Held()
    current: bool = False


class BrowserState(msgspec.Struct, frozen=True, kw_only=True):
    """Can be written as JSON. It holds logins: keep it like a password."""

    cookies: tuple[Cookie, ...] = ()
    tabs: tuple[TabState, ...] = ()


async def save(connection: Connection, profile: Profile) -> BrowserState:
    """Take it all down; a tab that does not answer gives its address only."""
    tabs = profile.tabs
    listed = tabs.items()
    helds = await asyncio.gather(*(_held(tab) for _, tab in listed))
    infos = {info.number: info for info in await tabs.infos()}
    return BrowserState(
        cookies=await cookies(connection, ""),
        tabs=tuple(
            TabState(url=infos[n].url or tab.url, held=held, current=n == tabs.number)
            for (n, tab), held in zip(listed, helds, strict=True)
            if n in infos
        ),
    )


def remembered(profile: Profile, last: BrowserState) -> BrowserState:
    """What is known without asking Chromium, dead or alive: the last state, with the tabs as they
    are now; what a page held counts as long as its tab has not gone elsewhere."""
    held = {tab.url: tab.held for tab in last.tabs}
    tabs = profile.tabs
    return BrowserState(
        cookies=last.cookies,
        tabs=tuple(
            TabState(url=tab.url, held=held.get(tab.url, Held()), current=number == tabs.number)
            for number, tab in tabs.items()
        ),
    )


async def restore(connection: Connection, profile: Profile, state: BrowserState) -> str:
    """Bring it back into a fresh Chromium, whose tabs are taken over. What came back, in words."""
    with suppress(CdpError):
        await set_cookies(connection, "", state.cookies)
    tabs = profile.tabs
    places = [n for n, _ in tabs.items()]
    opened = filled = wanted = current = 0
    for tab_state in state.tabs:
        if not tab_state.url.startswith(OPENED):
            continue
        if opened >= len(places):
            try:
                await tabs.open()
            except ToolError:
                break
            places.append(tabs.number)
        number = places[opened]
        tab = dict(tabs.items())[number]
        filled += await _bring_back(connection, tab, tab_state)
        wanted += len(tab_state.held.fields)
        opened += 1
        current = number if tab_state.current else current
    if current and current != tabs.number:
        await tabs.switch(current)
    told = f"{opened} of {len(state.tabs)} tabs and {len(state.cookies)} cookies came back"
    return f"{told}; {filled} of {wanted} changed form fields were filled again" if wanted else told


async def _held(tab: Tab) -> Held:
    call = f"(() => {{ {STATE_JS} return save(); }})()"
    try:
        async with asyncio.timeout(TAB_S):
            return await tab.evaluate(call, Held)
    except (*FAULTS, msgspec.ValidationError):
        return Held()


async def _bring_back(connection: Connection, tab: Tab, state: TabState) -> int:
    """Open the tab's page as it was; how many fields were filled."""
    held = state.held
    try:
        async with asyncio.timeout(LOAD_S * 2):
            stores = held.origin.startswith(WEB) and bool(held.local or held.session)
            async with _filled_first(tab, held if stores else None):
                await tab.navigate(state.url, LOAD_S)
            if stores and not tab.url.startswith(f"{held.origin}/"):
                await _store(connection, tab, held)
                await tab.navigate(state.url, LOAD_S)
            if not held.fields and held.scroll == (0, 0):
                return 0  # a page that is still busy would keep its caller waiting
            call = f"(() => {{ {STATE_JS} return restore({js(held)}); }})()"
            return await tab.evaluate(call, int)
    except FAULTS:
        return 0  # the tab shows what came of it


@asynccontextmanager
async def _filled_first(tab: Tab, held: Held | None) -> AsyncGenerator[None]:
    """Pages of its origin that the tab opens meanwhile find their stores filled."""
    if held is None:
        yield
        return
    here = f"if (location.origin === {js(held.origin)})"
    script = f"(() => {{ {STATE_JS} {here} store({js(held.local)}, {js(held.session)}); }})()"
    raw = await tab.send("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        yield
    finally:
        tab.send("Page.removeScriptToEvaluateOnNewDocument", msgspec.json.decode(raw))


async def _store(connection: Connection, tab: Tab, held: Held) -> None:
    async with _blank_page(connection, tab):
        await tab.navigate(f"{held.origin}/", LOAD_S)
        call = f"(() => {{ {STATE_JS} store({js(held.local)}, {js(held.session)}); return 1; }})()"
        await tab.evaluate(call, int)


@asynccontextmanager
async def _blank_page(connection: Connection, tab: Tab) -> AsyncGenerator[None]:
    """Every page that the tab opens meanwhile is blank; the network is not asked. By a session of
    its own: the tab's may have requests stopped for another reason."""
    attach = {"targetId": tab.target, "flatten": True}
    session = (await connection.call("Target.attachToTarget", attach))["sessionId"]
    blank = {"responseCode": 200, "body": "", "responseHeaders": HTML}

    def answer(method: str, params: msgspec.Raw) -> None:
        if method == "Fetch.requestPaused":
            request = msgspec.json.decode(params, type=_Paused).request_id
            connection.send("Fetch.fulfillRequest", {"requestId": request, **blank}, session)

    connection.listen(session, answer)
    try:
        await connection.call("Fetch.enable", {"patterns": [{"urlPattern": "*"}]}, session)
        yield
    finally:
        connection.drop(session, "it was needed for a moment")
        connection.send("Target.detachFromTarget", {"sessionId": session})


class _Paused(msgspec.Struct, rename="camel"):
    request_id: str
