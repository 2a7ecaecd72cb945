"""What a computer has sent and received, its limit, and its pace."""

import asyncio
from pathlib import Path

import msgspec

from doer.computers.network.refusal import Refusal

FILE = "network.bytes"
_UNSAVED_BYTES = 256 * 1024


class _Counted(msgspec.Struct):
    up: int = 0
    down: int = 0


class Meter:
    """Bytes of all connections of one computer: `up` left it, `down` came to it.

    Kept in the computer's folder, so that a limit outlives the proxy; one that is killed forgets
    at most the last 256 KiB."""

    def __init__(self, folder: Path, max_bytes: int = 0, bytes_per_s: int = 0) -> None:
        self.max_bytes = max_bytes
        self.bytes_per_s = bytes_per_s
        self._file = folder / FILE
        self._counted = _load(self._file)
        self._unsaved = 0
        self._paid_until = 0.0

    @property
    def up(self) -> int:
        return self._counted.up

    @property
    def down(self) -> int:
        return self._counted.down

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
        """Count bytes, and wait as long as the pace asks."""
        self._counted.up += up
        self._counted.down += down
        self._unsaved += up + down
        if self._unsaved > _UNSAVED_BYTES:
            self.save()
        if self.bytes_per_s:
            now = asyncio.get_running_loop().time()
            self._paid_until = max(now, self._paid_until) + (up + down) / self.bytes_per_s
            await asyncio.sleep(self._paid_until - now)

    def save(self) -> None:
        """Raises nothing: on a full disk the count is kept in memory only."""
        self._unsaved = 0
        unfinished = self._file.with_suffix(".unfinished")
        try:
            unfinished.write_bytes(msgspec.json.encode(self._counted))
            unfinished.replace(self._file)
        except OSError:
            return


def _load(file: Path) -> _Counted:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Counted)
    except (OSError, msgspec.MsgspecError):
        return _Counted()
