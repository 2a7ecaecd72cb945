"""What lies in a computer's home, and what happens to it."""

from typing import Literal

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in the home. `path`: relative to it. `changed_at`: seconds since 1970. `mode`: the
    permission bits."""

    path: str
    kind: Literal["file", "folder", "link", "other"]
    bytes: int
    changed_at: float
    mode: int


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something happened to `path`: it was `made`, `written` (and closed), it `came` or is `gone`
    (moved or deleted), or changes were `lost` because there were too many at once."""

    kind: Literal["made", "written", "came", "gone", "lost"]
    path: str
    folder: bool = False
