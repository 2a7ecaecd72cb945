"""One page of one browser context: scripts run in it, and what it reports about itself."""

import asyncio
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from doer.computers.browser.cdp import CdpError, Command, Connection
from doer.computers.browser.dialogs import Blocked, Dialog, Dialogs
from doer.computers.browser.fittings import RESUME, Fittings
from doer.computers.browser.frames import Document, Elsewhere, Frames
from doer.computers.browser.notes import CHARS, Notes
from doer.errors import ComputerError, SiteError, ToolError

T = TypeVar("T")
CRASHED = "the page has crashed"
CLOSED = "this tab was closed"
RESTORED = "BackForwardCacheRestore"  # a document as it was left: nothing is loaded


class _Frame(msgspec.Struct, rename="camel"):
    id: str
    loader_id: str = ""
    url: str = ""
    mime_type: str = ""


class _Event(msgspec.Struct, rename="camel"):
    """The fields we need of all the events we listen to."""

    frame_id: str = ""
    frame: _Frame | None = None
    url: str = ""
    user_gesture: bool = True
    mode: str = ""
    type: str = ""
    backend_node_id: int = 0


class _Remote(msgspec.Struct):
    value: msgspec.Raw = msgspec.Raw(b"null")


class _Thrown(msgspec.Struct):
    text: str = ""
    exception: dict[str, Any] = {}


class _Evaluated(msgspec.Struct, rename="camel"):
    result: _Remote
    exception_details: _Thrown | None = None


class _Navigated(msgspec.Struct, rename="camel"):
    error_text: str = ""
    loader_id: str = ""
    is_download: bool = False


class _Entry(msgspec.Struct):
    id: int


class _History(msgspec.Struct, rename="camel"):
    current_index: int
    entries: list[_Entry]


class Chooser(msgspec.Struct, frozen=True):
    """A page's wish for files: the input they go into, and the session that knows it."""

    session: str
    node: int
    several: bool


class Tab:
    """`session` is the attached session of the page `target`, whose main frame has the same id.
    `url` is that of the last document, `chooser` the last wish for files that is not fulfilled."""

    def __init__(
        self,
        connection: Connection,
        session: str,
        target: str,
        fittings: Fittings,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.notes = Notes()
        self.loading = False
        self.url = ""
        self.mime = ""
        self.chooser: Chooser | None = None
        self.windows = 0  # that the page has opened and Chromium has still to make
        self.session = session
        self.target = target
        self.dialogs = Dialogs(self._send_unasked, self.notes, fittings.asks)
        self.frames = Frames(connection, fittings, self._hear_any)
        self._connection = connection
        self._fittings = fittings
        self._elsewhere = elsewhere
        self._death = ""
        self._loaders: set[str] = set()
        self._moves = 0  # documents entered, and jumps within one
        self._stirred = asyncio.Event()
        self._decode_event = msgspec.json.Decoder(_Event).decode
        self._decode_evaluated = msgspec.json.Decoder(_Evaluated).decode
        self._fitting: list[asyncio.Future[msgspec.Raw]] = []
        connection.listen(session, self._hear)

    @property
    def alive(self) -> bool:
        return not self._death and self._connection.alive

    @property
    def death(self) -> str:
        """Why the page was given up, or ""."""
        return self._death

    @property
    def crashed(self) -> bool:
        """Its process is gone."""
        return self._death == CRASHED

    def die(self, why: str) -> None:
        """Give the page up: what is pending and whatever is asked later fails at once."""
        self._death = self._death or why
        self._connection.drop(self.session, why)
        self.frames.drop(why)
        self._stirred.set()

    def closed(self) -> None:
        """Its page is gone, as somebody wished. What is pending is `Blocked`, which is no fault."""
        self._death = CLOSED
        self._fail_blocked()
        self.die(self._death)

    def send(
        self, method: str, params: dict[str, Any] | None = None, session: str = ""
    ) -> asyncio.Future[msgspec.Raw]:
        """See `Connection.send`; to the page, or to one of its frames. Raises `ComputerError` when
        the page is dead, `ToolError` while it waits for an answer to a dialog."""
        if self._death:
            raise ComputerError(self._death)
        if self.dialogs.pending is not None:
            raise ToolError(f"the page shows a dialog, {self.dialogs.pending}: answer it first")
        return self._connection.send(method, params, session or self.session)

    async def send_all(self, commands: list[Command]) -> None:
        """Send commands together, wait for all answers, or until a dialog opens."""
        try:
            for answer in [self.send(method, params) for method, params in commands]:
                await answer
        except Blocked:
            return  # it does not undo what was sent

    def fit(self) -> None:
        """Fit the page, and let it go where it was stopped for that."""
        self._fitting = [
            self._connection.send(method, params, self.session)
            for method, params in (*self._fittings.page(), RESUME)
        ]

    async def fitted(self) -> None:
        """Wait until it is. A page that is sent elsewhere before may crash."""
        fitting, self._fitting = self._fitting, []
        with suppress(CdpError):
            for answer in fitting:
                await answer

    async def evaluate(self, expression: str, type: type[T], document: Document | None = None) -> T:
        """Run a script in the page or in a frame; a promise is awaited. Raises `SiteError` when it
        throws, `CdpError` when the document went away meanwhile."""
        params: dict[str, Any] = {"returnByValue": True, "awaitPromise": True}
        if document is None or not document.handle:
            params["expression"] = expression
            session = document.session if document else ""
            answer = await self.send("Runtime.evaluate", params, session)
        else:
            params["objectId"] = document.handle
            params["functionDeclaration"] = f"function () {{ return {expression}; }}"
            answer = await self.send("Runtime.callFunctionOn", params, document.session)
        evaluated = self._decode_evaluated(answer)
        if thrown := evaluated.exception_details:
            raise SiteError(str(thrown.exception.get("description", thrown.text)))
        return msgspec.json.decode(evaluated.result.value, type=type)

    async def navigate(self, url: str, patience_s: float) -> str:
        """Go to an address and wait until it has loaded. Returns what went wrong, or "".

        A site that is not done after `patience_s` is stopped. It is used as it is when something
        has come. Does not return while the page itself is hung: its caller has the deadline.
        """
        self._loaders.clear()
        try:
            async with asyncio.timeout(patience_s):
                await self.fitted()
                sent = await self.send("Page.navigate", {"url": url})
                answer = msgspec.json.decode(sent, type=_Navigated)
                if answer.is_download and self._fittings.asks:
                    return ""
                if not answer.error_text and answer.loader_id:
                    await self._until_loaded(answer.loader_id)
                return answer.error_text
        except Blocked:
            return ""
        except CdpError as error:
            return str(error)
        except TimeoutError:
            await self.send("Page.stopLoading")
            await self.evaluate("0", int)
            return "" if self._loaders else f"no answer in {patience_s:g} s"

    async def travel(self, step: int, patience_s: float) -> None:
        """Go through the history (-1 is back), or load the page anew (0), and wait until it has
        loaded. Raises `ToolError` at the history's end."""
        if not step:
            call: Command = ("Page.reload", {})
        else:
            answer = await self.send("Page.getNavigationHistory")
            history = msgspec.json.decode(answer, type=_History)
            index = history.current_index + step
            if not 0 <= index < len(history.entries):
                where = "before" if step < 0 else "after"
                raise ToolError(f"there is no page {where} this one in the tab's history")
            call = ("Page.navigateToHistoryEntry", {"entryId": history.entries[index].id})
        moves = self._moves
        await self.send_all([call])
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while self._moves == moves and self.dialogs.pending is None:
                    self._stirred.clear()
                    await self._stirred.wait()
                await self._until_loaded("")

    async def loaded(self, timeout_s: float) -> bool:
        """Wait until nothing is being loaded. False when the time was over first: a page may go on
        loading for ever and be usable all the same."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._until_loaded("")
        except TimeoutError:
            return False
        return True

    async def asked_for_files(self) -> Chooser:
        """Wait until the page wants files; its caller has the deadline."""
        while self.chooser is None:
            self._stirred.clear()
            await self._stirred.wait()
        return self.chooser

    async def _until_loaded(self, loader: str) -> None:
        while self.loading or (loader and loader not in self._loaders):
            if self.dialogs.pending is not None or self._death == CLOSED:
                raise Blocked
            if self._death:
                raise ComputerError(self._death)
            self._stirred.clear()
            await self._stirred.wait()

    def _hear(self, method: str, params: msgspec.Raw) -> None:
        match method:
            case "Page.frameStartedLoading" | "Page.frameStoppedLoading":
                if self._decode_event(params).frame_id == self.target:
                    self.loading = method == "Page.frameStartedLoading"
                    self._stirred.set()
                else:
                    self.frames.hear(self.session, method, params)
            case "Page.frameNavigated":
                event = self._decode_event(params)
                if event.frame and event.frame.id == self.target:
                    self._entered(event.frame, event.type == RESTORED)
            case "Page.navigatedWithinDocument":
                if (event := self._decode_event(params)).frame_id == self.target:
                    self._moved(event.url)
            case "Inspector.targetCrashed" | "Inspector.detached":
                self.die(CRASHED)
            case _ if method.startswith(("Target.", "Page.frameDetached")):
                self.frames.hear(self.session, method, params)
            case _ if method.startswith("Page.javascriptDialog"):
                self._hear_dialog(method, params)
            case _:
                self._hear_any(self.session, method, params)

    def _hear_dialog(self, method: str, params: msgspec.Raw) -> None:
        if method == "Page.javascriptDialogClosed":
            self.dialogs.closed()
        elif self.dialogs.opened(msgspec.json.decode(params, type=Dialog)):
            self._fail_blocked()
            self._stirred.set()
        elif self.dialogs.endless:
            self._send_unasked("Page.crash", {})
            self.die("the page shows dialogs without end")

    def _fail_blocked(self) -> None:
        for session in (self.session, *self.frames.sessions):
            self._connection.fail(session, Blocked())

    def _hear_any(self, session: str, method: str, params: msgspec.Raw) -> None:
        """An event that may come from a frame as well."""
        match method:
            case "Page.windowOpen":
                self._window_opened(self._decode_event(params))
            case "Page.fileChooserOpened":
                event = self._decode_event(params)
                several = event.mode == "selectMultiple"
                self.chooser = Chooser(session, event.backend_node_id, several)
                what = "files" if several else "a file"
                self.notes.add(f"the page asks for {what}: upload what it is to get")
                self._stirred.set()
            case _ if self._elsewhere is not None:
                self._elsewhere(session, method, params)
            case _:
                pass

    def _entered(self, frame: _Frame, restored: bool) -> None:
        self._loaders.add(frame.loader_id)
        self.mime, self.chooser = frame.mime_type, None
        self.loading = not restored
        self._moved(frame.url)

    def _moved(self, url: str) -> None:
        self.url = url
        self._moves += 1
        self._stirred.set()

    def _window_opened(self, event: _Event) -> None:
        url = event.url[:CHARS]
        if not self._fittings.asks:
            self.notes.add(f"the page opened a window that is not shown: {url}")
        elif event.user_gesture:
            self.windows += 1
        else:
            self.notes.add(f"the page tried to open a window by itself, which is blocked: {url}")

    def _send_unasked(self, method: str, params: dict[str, Any]) -> None:
        self._connection.send(method, params, self.session)
