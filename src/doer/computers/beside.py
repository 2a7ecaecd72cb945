"""Folders beside the home that a computer may write (`Spec.folders`): what may be one, and which
one a path lies in. The rest of a computer's root belongs to its system."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from doer.errors import ComputerError

MOST = 32
TAKEN = (
    *("/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib32", "/lib64", "/libx32", "/opt/doer"),
    *("/opt/google", "/proc", "/run", "/sbin", "/sys", "/tmp", "/usr", "/var/cache/fontconfig"),
    *("/var/lib/xkb", "/var/lock", "/var/run", "/var/tmp"),
)
"""The system's own places: nothing above, in or below them."""


def check(folders: Sequence[str]) -> None:
    """Raises `ComputerError` for folders that a computer cannot have."""
    if len(folders) > MOST:
        raise ComputerError(f"{len(folders)} folders beside the home are too many; {MOST} may be")
    for folder in folders:
        path = PurePosixPath(folder)
        plain = str(path) == folder and folder.startswith("/") and not folder.startswith("//")
        if not plain or ".." in path.parts or not folder.isprintable():
            raise ComputerError(f"{folder!r} is no plain absolute path, such as /app")
        if _is_taken(path):
            raise ComputerError(f"{folder} belongs to the system; name another, such as /app")
    for folder in folders:
        inside = [one for one in folders if PurePosixPath(one).is_relative_to(folder)]
        if len(inside) > 1:
            raise ComputerError(f"{folder} is named twice, or holds another: {', '.join(inside)}")


def holder(path: str) -> str:
    """The folder, as high as it can lie, in which an absolute path can be written; "" where there
    can be none."""
    parts = PurePosixPath("/" + path.lstrip("/")).parts  # two slashes would stay two
    if ".." in parts:
        return ""
    above = (PurePosixPath(*parts[:depth]) for depth in range(2, len(parts) + 1))
    return next((str(one) for one in above if not _is_taken(one)), "")


def _is_taken(path: PurePosixPath) -> bool:
    return any(path.is_relative_to(one) or PurePosixPath(one).is_relative_to(path) for one in TAKEN)
