"""What was last read of a tab, put together from all its documents, and where references lead.

A page without frames of other origins, and without shadow roots that its script cannot see, is one
document read in one round trip, and its references are the script's own. Otherwise each such frame
is read by a script of its own, in its place among the elements, and its boxes are moved to where
the frame is. Only a few frames, not too deep, and none that does not answer in time.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec

from doer.computers.browser.cdp import CdpError
from doer.computers.browser.dialogs import Blocked
from doer.computers.browser.frames import Document
from doer.computers.browser.page_view import PageView, origin_of
from doer.computers.browser.tab import Tab
from doer.errors import ComputerError, SiteError, ToolError
from doer.records.action import Element

FRAME_S = 2.0  # a frame may take, with all that is in it
LOADING_S = 1.5  # a frame that is being loaded is waited for
FRAMES = 24  # in one document
DEPTH = 4
LIMIT = 128  # elements in one view, as in reading.js
VIEW_CHARS = 4000
LINE_CHARS = 25
GROUP = "doer"  # of the handles that one reading needs
Place = tuple[Document | None, int]
"""The document an element is in (None: the page's own), and its reference there."""


class Reading(PageView, frozen=True, kw_only=True):
    """What `__doer.read` answers. `portals`: before which element a frame of another origin stands,
    and its corner; `hollow`: how many elements may have a shadow root that a script cannot see."""

    portals: tuple[tuple[int, float, float], ...] = ()
    hollow: int = 0

    def plain(self) -> PageView:
        return PageView(
            url=self.url,
            title=self.title,
            elements=self.elements,
            above=self.above,
            below=self.below,
            signal=self.signal,
        )


class _Object(msgspec.Struct, frozen=True, rename="camel"):
    object_id: str = ""


class _Property(msgspec.Struct):
    name: str
    value: _Object = _Object()


class _Result(msgspec.Struct):
    """Of evaluate (an object) or getProperties (a list)."""

    result: Any = None


class _Root(msgspec.Struct, rename="camel"):
    backend_node_id: int
    shadow_root_type: str = ""


class _Node(msgspec.Struct, rename="camel"):
    backend_node_id: int
    frame_id: str = ""
    content_document: _Root | None = None
    shadow_roots: list[_Root] = []


class _Described(msgspec.Struct):
    node: _Node


class _Resolved(msgspec.Struct):
    object: _Object


@dataclass
class _Part:
    """The elements of one document and of those inside it, and where each can be found."""

    elements: list[Element] = field(default_factory=list[Element])
    places: list[Place] = field(default_factory=list[Place])
    below: int = 0
    origins: set[str] = field(default_factory=set[str])


class Sight:
    """Of one tab."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self._places: list[Place] | None = None
        self._decode = msgspec.json.Decoder(Reading).decode

    def place(self, ref: int) -> Place:
        """Raises `ToolError` for a reference that the last reading did not give."""
        if self._places is None:
            return None, ref
        if 0 <= ref < len(self._places):
            return self._places[ref]
        known = len(self._places)
        there = (
            f"references go from 0 to {known - 1}" if known else "nothing has been read here yet"
        )
        raise ToolError(f"there is no element {ref}: {there}; read the page again")

    async def see(self, text: str) -> PageView:
        """The view of a page whose own document has just answered `text` to a read."""
        reading = self._decode(text)
        self._places = None
        if not reading.portals and not reading.hollow:
            return reading.plain()
        self._places = []
        for session in (self.tab.session, *self.tab.frames.sessions):
            self.tab.send("Runtime.releaseObjectGroup", {"objectGroup": GROUP}, session)
        page = Document(self.tab.session)
        if reading.portals and await self.tab.frames.settled(LOADING_S):
            reading = self._decode(await self.tab.evaluate("__doer.read()", str))
        reading = await self._searched(page, reading)
        if not reading.portals:
            self._places = None
            return reading.plain()
        return self._cut(reading, await self._with_frames(page, reading, 0))

    def blocked(self) -> PageView:
        """What can be told of a page that waits with a dialog: its elements cannot be read."""
        self._places = []
        waits = f"the page waits with a dialog, {self.tab.dialogs.pending}: answer it first"
        return PageView(url=self.tab.url, title="", notes=(waits,))

    def _cut(self, reading: Reading, part: _Part) -> PageView:
        """The part that is one view: from where the page is scrolled to, when it is more."""
        size = sum(LINE_CHARS + len(element.name) for element in part.elements)
        start = 0
        if len(part.elements) > LIMIT or size > VIEW_CHARS:
            shown = (n for n, e in enumerate(part.elements) if e.box[1] + e.box[3] > 0)
            start = next(shown, 0)
        end = start + LIMIT
        self._places = part.places[start:end]
        elements = tuple(
            Element(ref, e.role, e.name, e.value, e.states, e.box)
            for ref, e in enumerate(part.elements[start:end])
        )
        below = reading.below + part.below + len(part.elements[end:])
        return msgspec.structs.replace(
            reading.plain(),
            elements=elements,
            above=reading.above + start,
            below=below,
            origins=tuple(sorted(part.origins)),
        )

    async def _with_frames(self, document: Document, reading: Reading, depth: int) -> _Part:
        inside = await self._behind(document, min(len(reading.portals), FRAMES))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._read_frame(one, depth + 1)) for one in inside]
        part = _Part()
        own = None if document.outer is None else document
        start = 0
        for (before, x, y), task in zip(reading.portals, tasks, strict=False):
            _add(part, own, reading.elements[start:before])
            start = before
            for element, place in zip(task.result().elements, task.result().places, strict=True):
                left, top, width, height = element.box
                box = (round(left + x, 1), round(top + y, 1), width, height)
                part.elements.append(
                    Element(0, element.role, element.name, element.value, element.states, box)
                )
                part.places.append(place)
            part.below += task.result().below
            part.origins |= task.result().origins
        _add(part, own, reading.elements[start:])
        return part

    async def _read_frame(self, document: Document | None, depth: int) -> _Part:
        if document is None:
            return _Part()
        try:
            async with asyncio.timeout(FRAME_S / depth):
                text = await self.tab.evaluate("__doer.settledRead()", str, document)
                reading = await self._searched(document, self._decode(text))
                if reading.portals and depth < DEPTH:
                    part = await self._with_frames(document, reading, depth)
                else:
                    part = _Part()
                    _add(part, document, reading.elements)
                part.below += reading.above + reading.below
                part.origins.add(origin_of(reading.url))
                return part
        except TimeoutError:
            self.tab.notes.add("a frame of the page does not answer and is left out")
        except (CdpError, ComputerError, SiteError, ToolError, Blocked):
            self.tab.notes.add("a frame of the page could not be read and is left out")
        return _Part()

    async def _behind(self, document: Document, count: int) -> list[Document | None]:
        """The documents in the frames that were just found, None where there is none."""
        described = await self._described(document, "__doer.frames()", count)
        return [
            await self._inside(document, node, portal) if node else None
            for portal, node in enumerate(described)
        ]

    async def _inside(self, outer: Document, node: _Node, portal: int) -> Document | None:
        if session := self.tab.frames.session(node.frame_id):
            return Document(session, "", outer, portal)
        if node.content_document is None:
            return None
        handle = await self._resolve(node.content_document.backend_node_id, outer.session)
        return Document(outer.session, handle, outer, portal) if handle else None

    async def _searched(self, document: Document, reading: Reading) -> Reading:
        """The reading after the document's script was told of the closed shadow roots there."""
        if not reading.hollow:
            return reading
        found = [
            root
            for node in await self._described(document, "__doer.hollowElements()", reading.hollow)
            for root in (node.shadow_roots if node else [])
            if root.shadow_root_type == "closed"
        ]
        if not found:
            return reading
        for root in found:
            handle = await self._resolve(root.backend_node_id, document.session)
            reveal = "function () { __doer.reveal(this); }"
            params = {"objectId": handle, "functionDeclaration": reveal}
            await self.tab.send("Runtime.callFunctionOn", params, document.session)
        return self._decode(await self.tab.evaluate("__doer.read()", str, document))

    async def _described(
        self, document: Document, expression: str, count: int
    ) -> list[_Node | None]:
        """What the debugger knows of the elements in a script's list."""
        send, session = self.tab.send, document.session
        params: dict[str, Any] = {"objectGroup": GROUP}
        if document.handle:
            params |= {"objectId": document.handle}
            params["functionDeclaration"] = f"function () {{ return {expression}; }}"
            answer = await send("Runtime.callFunctionOn", params, session)
        else:
            answer = await send("Runtime.evaluate", params | {"expression": expression}, session)
        listed = msgspec.json.decode(answer, type=_Result)
        params = {"objectId": listed.result.get("objectId", ""), "ownProperties": True}
        answer = await send("Runtime.getProperties", params, session)
        properties = msgspec.convert(
            msgspec.json.decode(answer, type=_Result).result, list[_Property]
        )
        handles = [one.value.object_id for one in properties if one.name.isdigit()][:count]
        asked = [
            send("DOM.describeNode", {"objectId": h, "pierce": True}, session) for h in handles
        ]
        nodes: list[_Node | None] = []
        for answer in asked:
            try:
                nodes.append(msgspec.json.decode(await answer, type=_Described).node)
            except CdpError:
                nodes.append(None)
        return nodes

    async def _resolve(self, node: int, session: str) -> str:
        params = {"backendNodeId": node, "objectGroup": GROUP}
        try:
            answer = await self.tab.send("DOM.resolveNode", params, session)
        except CdpError:
            return ""
        return msgspec.json.decode(answer, type=_Resolved).object.object_id


def _add(part: _Part, document: Document | None, elements: tuple[Element, ...]) -> None:
    part.elements += elements
    part.places += [(document, element.ref) for element in elements]
