"""A tab nobody sees, in the browser context of the one people see, so that both have the same
cookies, cache, proxy and identity.

A page is fetched by a real top-level navigation that is caught when its answer has come: cookies go
out and are kept as always, and nothing is shown or run. Or it is rendered, for pages that scripts
make. One thing at a time; whoever is interrupted in the middle closes the tab.
"""

import asyncio
import base64
from contextlib import suppress
from importlib.resources import files
from typing import Any, Self

import msgspec

from doer.computers.browser.cdp import CdpError, Command, Connection
from doer.computers.text.page import Fetched, is_readable
from doer.errors import ComputerError, ToolError

REDIRECTS = 10
CHUNK = 4 * 1024 * 1024
LOOK = 1024  # bytes of an unreadable type, to see what it is
CATCH = {
    "patterns": [{"urlPattern": "*", "resourceType": "Document", "requestStage": "Response"}],
    "handleAuthRequests": True,  # a window that asks for a password would stay open for ever
}
DOM_JS = files("doer.computers.text").joinpath("dom.js").read_text()
QUIET_JS = files("doer.computers.text").joinpath("quiet.js").read_text()
ALONE_JS = "window.open = () => null; window.print = () => {};"
SETTINGS: tuple[Command, ...] = (
    ("Page.enable", {}),
    ("Inspector.enable", {}),
    ("Network.enable", {"maxTotalBufferSize": 0}),
    ("Network.setBypassServiceWorker", {"bypass": True}),
    ("Page.addScriptToEvaluateOnNewDocument", {"source": ALONE_JS}),
    ("Fetch.enable", CATCH),
)
SCRIPTED = frozenset({"Fetch", "XHR", "Script"})
QUIET_S = 6.0
CRASHED = "the hidden tab has crashed"


class _Header(msgspec.Struct):
    name: str
    value: str


class _Request(msgspec.Struct):
    url: str


class _Paused(msgspec.Struct, rename="camel"):
    """A caught answer. `error` is why there is none."""

    request_id: str
    request: _Request
    status: int = msgspec.field(default=0, name="responseStatusCode")
    error: str = msgspec.field(default="", name="responseErrorReason")
    headers: list[_Header] = msgspec.field(default_factory=list[_Header], name="responseHeaders")

    @property
    def moved(self) -> bool:
        return 300 <= self.status < 400 and bool(self.header("location"))

    def header(self, name: str) -> str:
        return next((h.value for h in self.headers if h.name.lower() == name), "")


class _Sent(msgspec.Struct, rename="camel"):
    """What we need of the events about requests and dialogs."""

    request_id: str = ""
    type: str = ""


class _Navigated(msgspec.Struct, rename="camel"):
    error_text: str = ""


class _Read(msgspec.Struct, rename="camel"):
    data: str = ""
    base64_encoded: bool = False
    eof: bool = False


class Rendered(msgspec.Struct):
    """What the script that walks a rendered page answers."""

    url: str
    html: str
    type: str = "text/html"
    cut: bool = False


class HiddenTab:
    """Made by `open`. Every method raises `ComputerError` when the tab or Chromium has died."""

    def __init__(self, connection: Connection, session: str, target: str) -> None:
        self.target = target
        self._connection = connection
        self._session = session
        self._dead = False
        self._happened: asyncio.Queue[_Paused | str] = asyncio.Queue()
        self._under_way: set[str] = set()  # what scripts have asked servers for
        self._answered = asyncio.Event()
        connection.listen(session, self._hear)

    @classmethod
    async def open(cls, connection: Connection, context: str) -> Self:
        """`context` "" is the default one: that of the windows people see."""
        target = await _new_target(connection, context)
        try:
            attach = {"targetId": target, "flatten": True}
            session = (await connection.call("Target.attachToTarget", attach))["sessionId"]
            self = cls(connection, session, target)
            for answer in [self._send(method, params) for method, params in SETTINGS]:
                await answer
        except BaseException:
            connection.send("Target.closeTarget", {"targetId": target})
            raise
        return self

    @property
    def alive(self) -> bool:
        return not self._dead and self._connection.alive

    def close(self) -> None:
        """May be repeated; waits for nothing."""
        self._dead = True
        self._connection.drop(self._session, CRASHED)
        self._connection.send("Target.closeTarget", {"targetId": self.target})

    async def fetch(self, url: str, timeout_s: float, max_bytes: int) -> Fetched | None:
        """What the server answers, after redirects. None for an address without a request, such as
        `data:`. Raises `ToolError` when nothing answers there in time."""
        self._happened = asyncio.Queue()
        navigation = self._send("Page.navigate", {"url": url})
        navigation.add_done_callback(lambda _: self._happened.put_nowait("navigated"))
        try:
            async with asyncio.timeout(timeout_s):
                paused = await self._caught(url)
                fetched = await self._taken(paused, max_bytes) if paused else None
        except TimeoutError:
            raise ToolError(f"{url} cannot be opened: no answer in {timeout_s:g} s") from None
        if paused is not None:
            abort = {"requestId": paused.request_id, "errorReason": "Aborted"}
            await self._send("Fetch.failRequest", abort)
            with suppress(CdpError):
                await navigation
        elif error := msgspec.json.decode(await navigation, type=_Navigated).error_text:
            raise ToolError(f"{url} cannot be opened: {error}")
        return fetched

    async def _caught(self, url: str) -> _Paused | None:
        """The answer, held back; None when the navigation ends without one."""
        for _ in range(REDIRECTS + 1):
            paused = await self._happened.get()
            if isinstance(paused, str):
                self._check_alive()
                return None
            if not paused.error and not paused.moved:
                return paused
            await self._send("Fetch.continueRequest", {"requestId": paused.request_id})
        raise ToolError(f"{url} leads from one address to the next: more than {REDIRECTS} times")

    async def _taken(self, paused: _Paused, max_bytes: int) -> Fetched:
        kind = paused.header("content-type")
        length = paused.header("content-length")
        packed = paused.header("content-encoding").lower() not in ("", "identity")
        known = length.isascii() and length.isdigit() and not packed
        most = max_bytes if is_readable(kind) else LOOK
        content, cut = await self._body(paused.request_id, most)
        return Fetched(
            url=paused.request.url,
            content=content,
            status=paused.status,
            content_type=kind,
            disposition=paused.header("content-disposition"),
            size=int(length) if known and len(length) < 19 else -1,
            cut=cut,
        )

    async def _body(self, request: str, most: int) -> tuple[bytes, bool]:
        """The body's first bytes, and whether there are more."""
        try:
            answer = await self._send("Fetch.takeResponseBodyAsStream", {"requestId": request})
        except CdpError:
            return b"", False  # an answer that has no body
        stream = msgspec.json.decode(answer)["stream"]
        content = bytearray()
        ended = False
        with suppress(CdpError):  # the connection broke in the middle
            while len(content) <= most and not ended:
                size = min(CHUNK, most + 1 - len(content))
                raw = await self._send("IO.read", {"handle": stream, "size": size})
                read = msgspec.json.decode(raw, type=_Read)
                packed = read.base64_encoded
                content += base64.b64decode(read.data) if packed else read.data.encode()
                ended = read.eof
            await self._send("IO.close", {"handle": stream})
        return bytes(content[:most]), not ended or len(content) > most

    async def render(self, url: str) -> Rendered:
        """The page as its scripts make it, once it is quiet. The tab is empty again afterwards."""
        await self._send("Fetch.disable")
        self._under_way.clear()
        await self._go(url)
        rendered = await self._walked()
        await self._go("about:blank")
        await self._send("Fetch.enable", CATCH)
        return rendered

    async def _go(self, url: str) -> None:
        answer = await self._send("Page.navigate", {"url": url})
        if error := msgspec.json.decode(answer, type=_Navigated).error_text:
            raise ToolError(f"{url} cannot be opened: {error}")

    async def _walked(self) -> Rendered:
        for _ in range(REDIRECTS):
            with suppress(CdpError):  # the document made way for another
                await self._quiet()
                return msgspec.convert(await self._evaluate(DOM_JS), Rendered)
        raise ToolError("this page leads from one address to the next without end")

    async def _quiet(self) -> None:
        """Wait until the page is there and stays as it is; a page that says little is given time to
        get what it asked for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(QUIET_S):
                while not await self._evaluate(QUIET_JS) and self._under_way:
                    self._answered.clear()
                    await self._answered.wait()

    async def _evaluate(self, expression: str) -> Any:
        params = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        answer = msgspec.json.decode(await self._send("Runtime.evaluate", params))
        if thrown := answer.get("exceptionDetails"):
            raise CdpError(str(thrown.get("text")))
        return answer["result"].get("value")

    def _send(self, method: str, params: dict[str, Any] | None = None) -> asyncio.Future[Any]:
        self._check_alive()
        return self._connection.send(method, params, self._session)

    def _check_alive(self) -> None:
        if not self.alive:
            raise ComputerError(CRASHED)

    def _hear(self, method: str, params: msgspec.Raw) -> None:
        match method:
            case "Fetch.requestPaused":
                self._happened.put_nowait(msgspec.json.decode(params, type=_Paused))
            case "Fetch.authRequired":
                id = msgspec.json.decode(params)["requestId"]
                refusal = {"authChallengeResponse": {"response": "CancelAuth"}}
                self._send("Fetch.continueWithAuth", {"requestId": id, **refusal})
            case "Network.requestWillBeSent":
                request = msgspec.json.decode(params, type=_Sent)
                if request.type in SCRIPTED:
                    self._under_way.add(request.request_id)
            case "Network.loadingFinished" | "Network.loadingFailed":
                request = msgspec.json.decode(params, type=_Sent)
                self._under_way.discard(request.request_id)
                self._answered.set()
            case "Page.javascriptDialogOpening":
                leaving = msgspec.json.decode(params, type=_Sent).type == "beforeunload"
                self._send("Page.handleJavaScriptDialog", {"accept": leaving})
            case "Inspector.targetCrashed" | "Inspector.detached":
                self._dead = True
                self._connection.drop(self._session, CRASHED)
                self._happened.put_nowait(CRASHED)
            case _:
                pass


async def _new_target(connection: Connection, context: str) -> str:
    """A blank page. When the caller is cancelled meanwhile, what was made is closed again."""
    place: dict[str, Any] = {"url": "about:blank", "background": True, "hidden": True}
    if context:
        place["browserContextId"] = context
    made = connection.send("Target.createTarget", place)
    try:
        return msgspec.json.decode(await asyncio.shield(made))["targetId"]
    except CdpError:  # a Chromium that knows no hidden tabs
        del place["hidden"]
        return (await connection.call("Target.createTarget", place))["targetId"]
    except asyncio.CancelledError:
        made.add_done_callback(lambda answer: _close_made(connection, answer))
        raise


def _close_made(connection: Connection, made: asyncio.Future[msgspec.Raw]) -> None:
    if not made.cancelled() and made.exception() is None:
        connection.send("Target.closeTarget", msgspec.json.decode(made.result()))
