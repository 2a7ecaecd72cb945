"""One page of one browser context: scripts run in it, and what it reports about itself.

Its own dialogs are answered at once, because a page stands still while one is open: alerts and
"leave this page?" are accepted, every other question is declined. All are noted for the reader.
"""

import asyncio
from typing import Any, TypeVar

import msgspec

from doer.computers.browser.cdp import CdpError, Command, Connection
from doer.errors import ComputerError, SiteError

T = TypeVar("T")
ACCEPTED = frozenset({"alert", "beforeunload"})
NOTE_CHARS = 200


class _Frame(msgspec.Struct, rename="camel"):
    id: str
    loader_id: str = ""


class _Event(msgspec.Struct, rename="camel"):
    """The fields we need of all the events we listen to."""

    frame_id: str = ""
    frame: _Frame | None = None
    type: str = ""
    message: str = ""
    url: str = ""


class _Remote(msgspec.Struct):
    value: msgspec.Raw = msgspec.Raw(b"null")


class _Thrown(msgspec.Struct):
    text: str = ""
    exception: dict[str, Any] = {}


class _Evaluated(msgspec.Struct, rename="camel"):
    result: _Remote
    exception_details: _Thrown | None = None


class Tab:
    """`session` is the attached session of the page `target`, whose main frame has the same id."""

    def __init__(self, connection: Connection, session: str, target: str) -> None:
        self.notes: list[str] = []
        self.loading = False
        self._connection = connection
        self._session = session
        self._target = target
        self._death = ""
        self._loaders: set[str] = set()
        self._stirred = asyncio.Event()
        self._decode_event = msgspec.json.Decoder(_Event).decode
        self._decode_evaluated = msgspec.json.Decoder(_Evaluated).decode
        connection.listen(session, self._hear)

    @property
    def alive(self) -> bool:
        return not self._death and self._connection.alive

    def die(self, why: str) -> None:
        """Give the page up: what is pending and whatever is asked later fails at once."""
        self._death = self._death or why
        self._connection.drop(self._session, why)
        self._stirred.set()

    def send(
        self, method: str, params: dict[str, Any] | None = None
    ) -> asyncio.Future[msgspec.Raw]:
        """See `Connection.send`. Raises `ComputerError` when the page is dead."""
        if self._death:
            raise ComputerError(self._death)
        return self._connection.send(method, params, self._session)

    async def send_all(self, commands: list[Command]) -> None:
        """Send commands together, wait for all answers."""
        for answer in [self.send(method, params) for method, params in commands]:
            await answer

    async def evaluate(self, expression: str, type: type[T]) -> T:
        """Run a script in the page; a promise is awaited. Raises `SiteError` when it throws,
        `CdpError` when the page went away meanwhile."""
        params = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        answer = self._decode_evaluated(await self.send("Runtime.evaluate", params))
        if thrown := answer.exception_details:
            raise SiteError(str(thrown.exception.get("description", thrown.text)))
        return msgspec.json.decode(answer.result.value, type=type)

    async def navigate(self, url: str, patience_s: float) -> str:
        """Go to an address and wait until it has loaded. Returns what went wrong, or "".

        A site that is not done after `patience_s` is stopped. It is used as it is when something
        has come. Does not return while the page itself is hung: its caller has the deadline.
        """
        self._loaders.clear()
        try:
            async with asyncio.timeout(patience_s):
                answer = msgspec.json.decode(await self.send("Page.navigate", {"url": url}))
                if not answer.get("errorText") and (loader := answer.get("loaderId")):
                    await self._until_loaded(loader)
                return answer.get("errorText", "")
        except CdpError as error:
            return str(error)
        except TimeoutError:
            await self.send("Page.stopLoading")
            await self.evaluate("0", int)
            return "" if self._loaders else f"no answer in {patience_s:g} s"

    async def loaded(self, timeout_s: float) -> bool:
        """Wait until nothing is being loaded. False when the time was over first: a page may go on
        loading for ever and be usable all the same."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._until_loaded("")
        except TimeoutError:
            return False
        return True

    async def _until_loaded(self, loader: str) -> None:
        while self.loading or (loader and loader not in self._loaders):
            if self._death:
                raise ComputerError(self._death)
            self._stirred.clear()
            await self._stirred.wait()

    def _hear(self, method: str, params: msgspec.Raw) -> None:
        match method:
            case "Page.frameStartedLoading" | "Page.frameStoppedLoading":
                if self._decode_event(params).frame_id == self._target:
                    self.loading = method == "Page.frameStartedLoading"
                    self._stirred.set()
            case "Page.frameNavigated":
                frame = self._decode_event(params).frame
                if frame and frame.id == self._target:
                    self._loaders.add(frame.loader_id)
                    self.loading = True
                    self._stirred.set()
            case "Page.javascriptDialogOpening":
                self._answer_dialog(self._decode_event(params))
            case "Page.windowOpen":
                url = self._decode_event(params).url[:NOTE_CHARS]
                self.notes.append(f"the page opened a window that is not shown: {url}")
            case "Inspector.targetCrashed" | "Inspector.detached":
                self.die("the page has crashed")
            case _:
                pass

    def _answer_dialog(self, dialog: _Event) -> None:
        accept = dialog.type in ACCEPTED
        self.send("Page.handleJavaScriptDialog", {"accept": accept})
        done = "accepted" if accept else "declined"
        message = dialog.message[:NOTE_CHARS]
        self.notes.append(f'the page showed a dialog, {dialog.type} "{message}": {done}')
