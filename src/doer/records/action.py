"""What an agent does and what comes back: Action, Element, Observation."""

from typing import Any

import msgspec

MALFORMED = "_malformed"
"""The only argument of an action whose arguments were not a JSON object: the text as it came."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a tool. `arguments` are checked against the tool's own record in dispatch."""

    tool: str
    arguments: dict[str, Any] = {}
    id: str = ""  # the model's id of the call; empty when it has none


class Element(msgspec.Struct, frozen=True, array_like=True):
    """One thing on a page that can be read or acted on. `role` is an ARIA role, or `text`.

    `ref` is the number an action names it by; it holds until the page is read again.
    `value` is None for things that cannot hold one; an empty field has the value "".
    `states`: any of checked, disabled, expanded, focused, readonly, selected.
    `box` is x, y, width, height in CSS pixels of the viewport.
    """

    ref: int
    role: str
    name: str
    value: str | None = None
    states: tuple[str, ...] = ()
    box: tuple[float, float, float, float] = (0, 0, 0, 0)


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What came back from one action. `text` is rendered from `elements` when there are any.

    `signal` is what the page itself reports to its world (see `Browser`), as a JSON object;
    it is never shown to a model.
    """

    text: str
    elements: tuple[Element, ...] = ()
    sources: tuple[str, ...] = ()  # origins the content came from, e.g. "https://example.com"
    error: bool = False  # the action was not carried out; `text` says why
    signal: dict[str, Any] = {}
    blobs: tuple[str, ...] = ()  # digests of screenshots or files in the blob store
