"""What a computer has sent and received, its limit, and its pace."""

import asyncio

from doer.computers.network.refusal import Refusal


class Meter:
    """Bytes of all connections of one computer: `up` left it, `down` came to it."""

    def __init__(self, max_bytes: int = 0, bytes_per_s: int = 0) -> None:
        self.up = 0
        self.down = 0
        self.max_bytes = max_bytes
        self.bytes_per_s = bytes_per_s
        self._paid_until = 0.0

    def chunk(self, most: int) -> int:
        """How much to move at once, so that a pace is kept without long waits."""
        return min(most, max(1024, self.bytes_per_s // 4)) if self.bytes_per_s else most

    def check(self) -> None:
        """Raises `Refusal` when the limit is used up."""
        if self.max_bytes and self.up + self.down >= self.max_bytes:
            raise Refusal(
                "over_limit",
                f"This computer has used up its {self.max_bytes:,} bytes of network. "
                "Ask the person you work for to raise the limit.",
                "max_bytes",
            )

    async def count(self, up: int = 0, down: int = 0) -> None:
        """Count bytes, and wait as long as the pace asks. Raises `Refusal` over the limit."""
        self.check()
        self.up += up
        self.down += down
        if self.bytes_per_s:
            now = asyncio.get_running_loop().time()
            self._paid_until = max(now, self._paid_until) + (up + down) / self.bytes_per_s
            await asyncio.sleep(self._paid_until - now)
