"""One request that may pass: its body to the other side, the answer back, both at once."""

import asyncio

import h11

from doer.computers.network import headers
from doer.computers.network.caller import Caller
from doer.computers.network.entry import Entry
from doer.computers.network.gate import Deadlines
from doer.computers.network.refusal import Refusal
from doer.computers.network.streams import relay
from doer.computers.network.upstream import Upstream


async def exchange(
    caller: Caller, upstream: Upstream, ask: h11.Request, entry: Entry, times: Deadlines
) -> None:
    """Pass a request on and its answer back; then, for a WebSocket, bytes until either side ends.
    Raises `Refusal`, and `OSError` or `TimeoutError` when the caller has gone."""
    try:
        await upstream.send(ask)
    except h11.LocalProtocolError as error:
        raise Refusal("malformed", f"This request cannot be passed on: {error}.") from None
    except OSError as error:
        raise Refusal("failed", f"The connection broke: {error}.") from None
    up = asyncio.ensure_future(_upload(caller, upstream, times))
    down = asyncio.ensure_future(_download(caller, upstream, times))
    try:
        await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        if not down.done():
            up.result()
            raise ConnectionResetError("the caller has gone")
        status = down.result()
    finally:
        for one in (up, down):
            one.cancel()
        await asyncio.gather(up, down, return_exceptions=True)
    entry.write("allowed", status)
    if status == 101:
        try:
            await _switched(caller, upstream, times)
        finally:
            entry.write("closed", status)


async def _upload(caller: Caller, upstream: Upstream, times: Deadlines) -> None:
    """Ends when the caller has gone."""
    while True:
        async with asyncio.timeout(times.stall_s):
            event = await caller.hear()
        if isinstance(event, h11.ConnectionClosed):
            return
        # Trailers are dropped: nobody judged them.
        sent = h11.Data(data=event.data) if isinstance(event, h11.Data) else h11.EndOfMessage()
        try:
            await upstream.send(sent)
        except OSError:  # it may have answered before it closed: that is for `_download` to say
            await asyncio.get_running_loop().create_future()
        if isinstance(sent, h11.EndOfMessage):
            break
    await caller.wire.gone()


async def _download(caller: Caller, upstream: Upstream, times: Deadlines) -> int:
    """The status of the answer, once all of it has been passed on."""
    status = 0
    while True:
        event = await upstream.hear(times.answer_s)
        if isinstance(event, h11.Response):
            status = event.status_code
            kept = headers.passed_on(event)
            await caller.send(h11.Response(status_code=status, headers=kept, reason=event.reason))
        elif isinstance(event, h11.InformationalResponse):
            if event.status_code == 101:
                kept = [*headers.passed_on(event), *headers.UPGRADED]
                await caller.send(h11.InformationalResponse(status_code=101, headers=kept))
                return 101
            if event.status_code != 100:  # the caller got one from us
                kept = headers.passed_on(event)
                await caller.send(
                    h11.InformationalResponse(status_code=event.status_code, headers=kept)
                )
        elif isinstance(event, h11.Data):
            await caller.send(h11.Data(data=event.data))
        else:
            await caller.send(h11.EndOfMessage())
            return status


async def _switched(caller: Caller, upstream: Upstream, times: Deadlines) -> None:
    if early := upstream.leftover:
        await caller.stream.write(early)
    if early := caller.leftover:
        await upstream.stream.write(early)
    await relay(caller.stream, upstream.stream, times.idle_s, times.half_open_s)
