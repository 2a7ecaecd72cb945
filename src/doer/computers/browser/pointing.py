"""From a reference to the element's script and to points of the page, through frames."""

from typing import Any, TypeVar

import msgspec

from doer.computers.browser import mouse
from doer.computers.browser.cdp import CdpError
from doer.computers.browser.dialogs import Blocked
from doer.computers.browser.frames import Document
from doer.computers.browser.sight import Sight
from doer.computers.browser.tab import Tab
from doer.errors import ToolError

A = TypeVar("A", bound="Answer")
MOVES = 5  # of a page that is scrolled to something, until it stands still
GONE = "the frame that element {} is in has changed; read the page again"


class Answer(msgspec.Struct):
    """`refused` says why it was not done."""

    refused: str = ""


class Aim(Answer):
    """What `__doer.aim` and its kin answer. Points are the page's."""

    start: mouse.Point = (0, 0)
    end: mouse.Point | None = None
    parted: bool = False  # a date or the like, whose parts take keys one by one


def js(value: object) -> str:
    return msgspec.json.encode(value).decode()


async def middle_of_page(tab: Tab) -> Aim:
    return await tab.evaluate("__doer.aim(null)", Aim)


async def ask(tab: Tab, sight: Sight, call: str, ref: int, *more: Any, type: type[A] = Aim) -> A:
    """Call a function of `__doer` with a reference and further arguments, where the element is.
    Raises `ToolError` when it refuses."""
    document, own = sight.place(ref)
    arguments = "".join(f", {js(one)}" for one in more)
    try:
        answer = await tab.evaluate(f"__doer.{call}({own}{arguments})", type, document)
    except Blocked:
        return type()  # it did what it was asked, and that opened a dialog
    except CdpError:
        if document is None:
            raise
        raise ToolError(GONE.format(ref)) from None
    if answer.refused:
        raise ToolError(answer.refused.replace(f"element {own}", f"element {ref}", 1))
    return answer


async def describe(tab: Tab, sight: Sight, ref: int) -> dict[str, Any]:
    """Facts about an element, from where it is."""
    document, own = sight.place(ref)
    try:
        answer = await tab.evaluate(f"__doer.describe({own})", object, document)
    except CdpError:
        if document is None:
            raise
        raise ToolError(GONE.format(ref)) from None
    facts = msgspec.convert(answer, dict[str, Any])
    if refused := facts.get("refused"):
        raise ToolError(refused.replace(f"element {own}", f"element {ref}", 1))
    return facts


async def aim(tab: Tab, sight: Sight, ref: int, **options: Any) -> Aim:
    """Where to put the pointer for an action on `ref`; it is scrolled to."""
    found = await ask(tab, sight, "aim", ref, options)
    document, _ = sight.place(ref)
    if document is not None:
        found.start = await _out(tab, document, found.start, ref)
    return found


async def aim_between(tab: Tab, sight: Sight, ref: int, to: int) -> Aim:
    """Where to drag an element from and to."""
    (document, _), (there, other) = sight.place(ref), sight.place(to)
    if document is None and there is None:
        return await aim(tab, sight, ref, to=other)
    await aim(tab, sight, to)  # it may scroll, so the start is looked for afterwards
    found = await aim(tab, sight, ref)
    end = (await ask(tab, sight, "middle", to)).start
    found.end = end if there is None else await _climb(tab, there, end, to, scroll=False)
    return found


async def _out(tab: Tab, document: Document, point: mouse.Point, ref: int) -> mouse.Point:
    """A point of a frame as a point of the page, when nothing moves any more."""
    before = await _climb(tab, document, point, ref)
    for _ in range(MOVES):
        now = await _climb(tab, document, point, ref)
        if now == before:
            return now
        before = now
    return before


async def _climb(
    tab: Tab, document: Document, point: mouse.Point, ref: int, scroll: bool = True
) -> mouse.Point:
    at = document
    while at.outer is not None:
        call = f"__doer.through({at.portal}, {js(point)}, {js({'scroll': scroll})})"
        try:
            answer = await tab.evaluate(call, Aim, at.outer)
        except CdpError:
            raise ToolError(GONE.format(ref)) from None
        if answer.refused:
            raise ToolError(f"element {ref} cannot be reached: {answer.refused}")
        point, at = answer.start, at.outer
    return point
