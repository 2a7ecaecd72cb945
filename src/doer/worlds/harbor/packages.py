"""Packages of Debian that a Dockerfile installs. A computer sees the programs of its host, so what
the host has is there already; what it has not, nobody in a computer could install."""

import re
import subprocess
from functools import cache

_ENDS = re.compile(r"(\s*(?:&&|;|\n)\s*)")
_APT = re.compile(
    r"(?:sudo\s+)?(?:\w+=\S*\s+)*apt(?:-get)?\s+(?:-\S+\s+)*"
    r"(?:update|clean|autoclean|autoremove|install((?:\s+[\w.+:=~*-]+)+))(?:\s+-\S+)*\s*"
)


def without_installing(script: str) -> tuple[str, tuple[str, ...]]:
    """The script with nothing in the place of plain calls of apt, and the packages that they were
    to install."""
    found: list[str] = []
    parts = _ENDS.split(script)
    for at, part in enumerate(parts):
        if call := _APT.fullmatch(part):
            words = (call[1] or "").split()
            found += [re.split("[=:]", word)[0] for word in words if not word.startswith("-")]
            parts[at] = "true"
    return "".join(parts), tuple(found)


@cache
def installed() -> frozenset[str]:
    """What this machine has; nothing where it is no Debian."""
    query = ["dpkg-query", "-W", "-f=${Package} ${db:Status-Status} ${Provides}\n"]
    try:
        told = subprocess.run(query, capture_output=True, text=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    lines = (line.replace(",", " ").split() for line in told.splitlines())
    return frozenset(
        name for words in lines if words[1:2] == ["installed"] for name in (words[0], *words[2:])
    )
