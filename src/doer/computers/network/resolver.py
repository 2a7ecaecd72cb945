"""Names to addresses, once for each connection: what is checked is what is dialled."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

from doer.computers.network.addresses import closed
from doer.computers.network.hosts import Address, address
from doer.computers.network.refusal import Refusal

_KEPT_S = 30
_KEPT_NAMES = 1024


class Resolver:
    """One computer's look-ups, in a few threads of their own: names that never resolve hold up
    nobody else. Answers are kept for half a minute."""

    def __init__(self, deadline_s: float = 10, threads: int = 4) -> None:
        self._deadline_s = deadline_s
        self._threads = ThreadPoolExecutor(threads, "names")
        self._kept: dict[str, tuple[float, tuple[Address, ...]]] = {}

    async def addresses(self, host: str, private: bool) -> tuple[Address, ...]:
        """The addresses of a canonical host that may be dialled, in order. Raises `Refusal` when
        there are none; `private` lets all of them pass."""
        found = await self._look_up(host)
        reasons = {one: closed(one) for one in found}
        usable = tuple(one for one in found if private or not reasons[one])
        if not usable:
            shown = ", ".join(f"{one} ({reasons[one]})" for one in found[:4])
            raise Refusal(
                "denied",
                f"{host} is not on the public internet: {shown}. Such addresses are reached only "
                "when this computer's rules name the host as private.",
                "address",
            )
        return usable

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _look_up(self, host: str) -> tuple[Address, ...]:
        literal = address(host)
        if literal:
            return (literal,)
        loop = asyncio.get_running_loop()
        until, found = self._kept.pop(host, (0.0, ()))
        if until < loop.time():
            found = await self._ask(loop, host)
            until = loop.time() + _KEPT_S
        self._kept[host] = (until, found)
        if len(self._kept) > _KEPT_NAMES:
            del self._kept[next(iter(self._kept))]
        return found

    async def _ask(self, loop: asyncio.AbstractEventLoop, host: str) -> tuple[Address, ...]:
        try:
            async with asyncio.timeout(self._deadline_s):
                answers = await loop.run_in_executor(self._threads, _ask, host)
        except TimeoutError:
            raise Refusal("failed", f"The name {host} could not be looked up in time.") from None
        except (OSError, UnicodeError):
            raise Refusal("failed", f"There is no host named {host}.") from None
        return tuple(dict.fromkeys(ip_address(one.partition("%")[0]) for one in answers))


def _ask(host: str) -> list[str]:
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in answers]
