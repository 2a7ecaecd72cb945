"""The browser's verbs: act by the reference of an element, get back what the page is now."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from doer.computers.browser.browser import Browser
from doer.computers.browser.page_view import PageView, origin_of, render
from doer.errors import ToolError
from doer.records.action import Observation
from doer.records.computer import Part
from doer.tools.tool import ToolContext

NO_TUNNEL = "ERR_TUNNEL_CONNECTION_FAILED"
"""All that Chromium tells of what the proxy refuses."""
Ref = Annotated[int, Meta(ge=0, description="the number in brackets before the element")]


class Open(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Open a web page."""

    url: Annotated[str, Meta(description="full address, with https://")]


class Read(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Read the page again as it is now."""


class Click(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Click an element."""

    ref: Ref


class Type(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Replace the content of a text field."""

    ref: Ref
    text: str


class Select(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Choose an option of a drop-down list by its text."""

    ref: Ref
    option: str


class Press(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Press a key or a combination in the focused element."""

    keys: Annotated[str, Meta(description="for example Enter, ArrowDown, Control+a")]


class Scroll(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Scroll the page, or the scrollable area an element is in."""

    dy: Annotated[int, Meta(description="pixels; down is positive")]
    ref: Ref | None = None


class Drag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Drag an element onto another one, or by an offset in pixels."""

    ref: Ref
    to: Ref | None = None
    dx: int = 0
    dy: int = 0


def observation(view: PageView) -> Observation:
    """A page as an observation; its origin, and those of its frames, are the sources."""
    sources = (origin_of(view.url), *view.origins)
    return Observation(
        text=render(view), elements=view.elements, sources=sources, signal=view.signal
    )


@dataclass(frozen=True)
class BrowserTool:
    """One verb: its arguments' record, and the call on the browser that carries it out."""

    name: str
    Arguments: type[msgspec.Struct]
    act: Callable[[Browser, Any], Awaitable[PageView]]
    part: Part = "browser"

    async def facts(self, context: ToolContext, arguments: Any) -> dict[str, Any]:
        ref = getattr(arguments, "ref", None)
        return {} if ref is None else await context.computer.browser.describe(ref)

    async def run(self, context: ToolContext, arguments: Any) -> Observation:
        computer = context.computer
        try:
            return observation(await self.act(computer.browser, arguments))
        except ToolError as error:
            if NO_TUNNEL not in str(error) or "network" not in computer.parts:
                raise
            raise ToolError(f"{error}: {computer.network.refused()}") from None


async def _open(browser: Browser, arguments: Open) -> PageView:
    await browser.open(arguments.url)
    return await browser.read()


OPEN = BrowserTool("open", Open, _open)
READ = BrowserTool("read", Read, lambda browser, _: browser.read())
CLICK = BrowserTool("click", Click, lambda browser, a: browser.click(a.ref))
TYPE = BrowserTool("type", Type, lambda browser, a: browser.type(a.ref, a.text))
SELECT = BrowserTool("select", Select, lambda browser, a: browser.select(a.ref, a.option))
PRESS = BrowserTool("press", Press, lambda browser, a: browser.press(a.keys))
SCROLL = BrowserTool("scroll", Scroll, lambda browser, a: browser.scroll(a.ref, a.dy))
DRAG = BrowserTool("drag", Drag, lambda browser, a: browser.drag(a.ref, a.to, a.dx, a.dy))
