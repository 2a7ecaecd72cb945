"""Frames of a page that run in processes of their own: a session each, fitted like the page's.

Chromium attaches them stopped and nested: each session announces the frames inside it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from doer.computers.browser.cdp import Connection
from doer.computers.browser.fittings import Fittings

Elsewhere = Callable[[str, str, msgspec.Raw], None]
"""Hears session, method and params of an event that its receiver does not know."""


@dataclass(frozen=True)
class Document:
    """A document read by a script of its own: the first of a session, or the one with `handle` (an
    object id). It is in the frame number `portal` of the last reading of `outer`."""

    session: str
    handle: str = ""
    outer: "Document | None" = None
    portal: int = 0


class _Target(msgspec.Struct, frozen=True, rename="camel"):
    target_id: str = ""


class _Load(msgspec.Struct, rename="camel"):
    frame_id: str = ""
    reason: str = ""


class Attachment(msgspec.Struct, rename="camel"):
    """`Target.attachedToTarget`, or its opposite."""

    session_id: str = ""
    target_info: _Target = _Target()


class Frames:
    """The sessions of a page's frames by the frame's id, at any depth."""

    def __init__(self, connection: Connection, fittings: Fittings, elsewhere: Elsewhere) -> None:
        self._connection = connection
        self._fittings = fittings
        self._elsewhere = elsewhere
        self._sessions: dict[str, str] = {}
        self._loading: set[str] = set()
        self._given_up: set[str] = set()  # that were waited for in vain
        self._stirred = asyncio.Event()
        self._decode = msgspec.json.Decoder(Attachment).decode
        self._decode_load = msgspec.json.Decoder(_Load).decode

    def session(self, frame: str) -> str:
        """The session of a frame, or "" when it shares that of the document around it."""
        return self._sessions.get(frame, "")

    @property
    def sessions(self) -> tuple[str, ...]:
        return tuple(self._sessions.values())

    def hear(self, session: str, method: str, params: msgspec.Raw) -> None:
        """An event of the page's session or of a frame's."""
        match method:
            case "Target.attachedToTarget":
                attached = self._decode(params)
                self._attach(attached.session_id, attached.target_info.target_id)
            case "Target.detachedFromTarget":
                self._detach(self._decode(params).session_id, "a frame of the page is gone")
            case "Page.frameStartedLoading":
                self._loading.add(self._decode_load(params).frame_id)
            case "Page.frameStoppedLoading":
                self._stopped(self._decode_load(params).frame_id)
            case "Page.frameDetached":
                load = self._decode_load(params)
                if load.reason != "swap":  # into another process, where it goes on
                    self._stopped(load.frame_id)
            case "Inspector.targetCrashed":
                self._detach(session, "a frame of the page has crashed")
            case _:
                self._elsewhere(session, method, params)

    async def settled(self, timeout_s: float) -> bool:
        """Wait until no frame is being loaded; what goes on for ever is not waited for again. False
        when there was nothing to wait for."""
        if not self._loading - self._given_up:
            return False
        try:
            async with asyncio.timeout(timeout_s):
                while self._loading - self._given_up:
                    self._stirred.clear()
                    await self._stirred.wait()
        except TimeoutError:
            self._given_up |= self._loading
        return True

    def _stopped(self, frame: str) -> None:
        self._loading.discard(frame)
        self._given_up.discard(frame)
        self._stirred.set()

    def drop(self, why: str) -> None:
        """Fail what is pending in all of them, and forget them."""
        for session in self.sessions:
            self._detach(session, why)

    def _attach(self, session: str, frame: str) -> None:
        self._sessions[frame] = session
        hear = self.hear
        self._connection.listen(session, lambda method, params: hear(session, method, params))
        for method, params in self._fittings.frame():
            self._connection.send(method, params, session)

    def _detach(self, session: str, why: str) -> None:
        self._connection.drop(session, why)
        self._sessions = {frame: of for frame, of in self._sessions.items() if of != session}
