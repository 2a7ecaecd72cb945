"""One VNC viewer (noVNC, say) on a computer's screen, over a connection of its own. What the server
sends goes through as it is; what the viewer sends is sifted (`viewer.py`)."""

import asyncio
from collections.abc import Awaitable, Callable

from doer.computers.screen.mirror import Dial
from doer.computers.screen.viewer import Unspeakable, ViewerMessages
from doer.errors import ComputerError

CHUNK = 1 << 16

Receive = Callable[[], Awaitable[bytes]]
"""Gives what a viewer has sent, and nothing when it has gone."""
Send = Callable[[bytes], Awaitable[None]]


async def bridge(dial: Dial, receive: Receive, send: Send, may_write: Callable[[], bool]) -> str:
    """Serve a viewer until one side goes, and say why it ended.

    `may_write` is asked for every piece that the viewer sends: keys, pointer, clipboard and size
    are dropped while it says no. A viewer that sends anything unknown is cut off. Raises
    `ComputerError` when there is no screen.
    """
    try:
        reader, writer = await asyncio.open_connection(sock=await dial())
    except OSError as error:
        raise ComputerError(f"the screen cannot be reached: {error}") from error
    messages = ViewerMessages()

    async def show() -> str:
        while data := await reader.read(CHUNK):
            await send(data)
        return "the screen has gone away"

    async def act() -> str:
        while data := await receive():
            try:
                writer.write(messages.feed(data, may_write()))
            except Unspeakable as reason:
                return str(reason)
            await writer.drain()
        return "the viewer has gone"

    both = {asyncio.create_task(show()), asyncio.create_task(act())}
    try:
        done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    except OSError as error:
        return str(error)
    finally:
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)
        writer.transport.abort()
