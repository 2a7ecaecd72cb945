"""Whether the current tab answers, and a ladder of ways to bring it back.

Each step loses more than the one before it: the script that runs, what was typed into the page, the
tab's history. The last one, another Chromium, is its owner's (see `state` for what to carry over).
"""

import asyncio
from typing import Literal

from doer.computers.browser.cdp import CdpError, Connection
from doer.computers.browser.dialogs import Blocked
from doer.computers.browser.tab import Tab
from doer.computers.browser.tabs import Tabs
from doer.errors import ComputerError, ToolError

HEART_S = 5.0  # an answer may take
STEP_S = 5.0
LOAD_S = 15.0
Health = Literal["well", "hung", "crashed", "gone"]
"""Of a browser's current tab: `hung` does not answer, `crashed` has lost its process, `gone` is the
whole Chromium."""


async def health(connection: Connection, tab: Tab, heart_s: float = HEART_S) -> Health:
    """Asks the page; a page that waits with a dialog is well."""
    if not connection.alive:
        return "gone"
    if tab.death:
        return "crashed" if tab.crashed else "hung"
    if tab.dialogs.pending is not None:
        return "well"
    return "well" if await _answers(tab, heart_s) else "hung"


async def heal(connection: Connection, tabs: Tabs) -> str:
    """Bring the current tab back; what that has cost, in words. Raises `ComputerError` when nothing
    helps: then Chromium has to be started again."""
    tab = tabs.current
    url = tab.url
    if not tab.crashed:
        for method in ("Page.stopLoading", "Runtime.terminateExecution"):
            connection.send(method, {}, tab.session)
        if await _answers_again(tabs, tab):
            return "the page did not answer: its running script was ended"
        connection.send("Page.crash", {}, tabs.current.session)
    if await _reloads(connection, tabs):
        return "the page was loaded again; what was typed into it is lost"
    try:
        async with asyncio.timeout(LOAD_S):
            fresh = await tabs.replace(tabs.current)
    except (TimeoutError, CdpError) as error:
        raise ComputerError(f"the tab cannot be brought back: {error}") from error
    if not await _loads(fresh, url):
        return f"the tab was closed; {url} does not load and the tab is blank now"
    return "the page was opened anew; its history and what was typed into it are lost"


async def _answers_again(tabs: Tabs, tab: Tab) -> bool:
    """Whether the page answers a new session. The old one was given up."""
    try:
        async with asyncio.timeout(STEP_S):
            fresh = await tabs.attach_again(tab)
    except (TimeoutError, CdpError, ComputerError):
        return False
    return await _answers(fresh, STEP_S)


async def _reloads(connection: Connection, tabs: Tabs) -> bool:
    """Whether the page loads into a new process. Only then can it be fitted: a crashed one takes no
    commands but this."""
    tab = tabs.current
    try:
        await connection.call("Page.reload", {}, tab.session, timeout_s=STEP_S)
    except (CdpError, ComputerError):
        return False
    return await _answers_again(tabs, tab) and await tabs.current.loaded(LOAD_S)


async def _answers(tab: Tab, heart_s: float) -> bool:
    try:
        async with asyncio.timeout(heart_s):
            return await tab.evaluate("1", int) == 1
    except Blocked:
        return True
    except (TimeoutError, CdpError, ComputerError, ToolError):
        return False


async def _loads(tab: Tab, url: str) -> bool:
    try:
        async with asyncio.timeout(LOAD_S):
            return not await tab.navigate(url or "about:blank", LOAD_S / 2) and tab.alive
    except (TimeoutError, CdpError, ComputerError, ToolError):
        return False
