"""What came of a command, and what a terminal shows, with renderings for a model."""

import re
from typing import Literal

import msgspec

_ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # control sequences: colours, cursor
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles
    r"|[PX^_][^\x1b]*(?:\x1b\\)?"  # strings for the terminal
    r"|[ -/]*[0-~])"
)
_MAX_LINE = 2000


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """One output of a command: its first bytes, its last ones, and how many lie between.

    `total`: all of them, in bytes. `file`: where inside the computer the output lies when bytes
    were cut, of which it holds the first `stored`.
    """

    head: bytes = b""
    tail: bytes = b""
    total: int = 0
    file: str = ""
    stored: int = 0

    @property
    def cut(self) -> int:
        return self.total - len(self.head) - len(self.tail)

    @property
    def kept(self) -> bytes:
        """All bytes that are here; what was cut lies between head and tail."""
        return self.head + self.tail

    def text(self) -> str:
        """As a model reads it: without control sequences, with a line in place of what was cut."""
        if is_binary(self.kept):
            return f"[binary output, {self.total} bytes{self._where()}]"
        if not self.cut:
            return plain(self.kept.decode(errors="replace"))
        head = plain(self.head.decode(errors="replace"))
        tail = plain(self.tail.decode(errors="replace"))
        return f"{head}\n[{self.cut} bytes cut{self._where()}]\n{tail}"

    def _where(self) -> str:
        if not self.file:
            return ""
        if self.stored < self.total:
            return f"; the first {self.stored} of {self.total} are in {self.file}"
        return f"; all {self.total} are in {self.file}"


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended. `exit_code`: minus the signal's number when a signal ended it. `left`:
    processes it left in the background with its outputs open."""

    exit_code: int
    stdout: Output = Output()
    stderr: Output = Output()
    timed_out: bool = False
    seconds: float = 0
    left: tuple[int, ...] = ()

    def text(self) -> str:
        """As a model reads it: what it printed, what went wrong, how it ended."""
        parts: list[str] = []
        if self.stdout.total:
            parts.append(self.stdout.text().rstrip("\n"))
        if self.stderr.total:
            parts.append(f"[stderr]\n{self.stderr.text()}".rstrip("\n"))
        if self.timed_out:
            parts.append(f"[time-out after {self.seconds:.1f} s; it was ended with all it started]")
        elif self.exit_code < 0:
            parts.append(f"[ended by signal {-self.exit_code}]")
        elif self.exit_code or not parts:
            parts.append(f"[exit code {self.exit_code}]")
        if self.left:
            parts.append(f"[still running in the background: {' '.join(map(str, self.left))}]")
        return "\n".join(parts)


class TerminalView(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal's state and what it printed since it was last read.

    `raw`: the bytes themselves. `lost`: bytes that came before them and are no longer kept.
    `quiet_s`: how long nothing was printed. `why` the reading ended: the pattern was found, it was
    quiet for long enough, the program ended, or the time was over.
    """

    name: str
    raw: bytes = b""
    running: bool = True
    exit_code: int | None = None
    quiet_s: float = 0
    lost: int = 0
    why: Literal["match", "idle", "exited", "timeout"] = "timeout"

    def text(self) -> str:
        """As a model reads it: the output as lines, and whether the program still runs."""
        output = plain(self.raw.decode(errors="replace")).rstrip("\n")
        parts = [f"[{self.lost} earlier bytes are no longer kept]"] if self.lost else []
        if output:
            parts.append(output)
        if not self.running:
            parts.append(f"[ended with exit code {self.exit_code}]")
        elif self.why == "timeout" or not output:
            parts.append(f"[still running, no output for {self.quiet_s:.1f} s]")
        return "\n".join(parts)


def is_binary(data: bytes) -> bool:
    """Whether bytes are no text in UTF-8 (a character cut in two at an end is allowed)."""
    if b"\0" in data:
        return True
    text = data.decode(errors="replace")
    return text.count("�") > max(8, len(text) // 20)


def plain(text: str) -> str:
    """Text as it would stand on paper: no control sequences, what was overwritten is gone."""
    lines = [_overwritten(line) for line in _ANSI.sub("", text).split("\n")]
    return "\n".join(lines)


def _overwritten(line: str) -> str:
    """A line after its carriage returns and backspaces: a progress bar is its last state."""
    line = line.rstrip("\r")
    if "\r" in line:
        line = line.rpartition("\r")[2]
    kept: list[str] = []
    for character in line:
        if character == "\b":
            del kept[-1:]
        elif character.isprintable() or character == "\t":
            kept.append(character)
    if len(kept) > _MAX_LINE:
        kept[_MAX_LINE:] = f" [{len(kept) - _MAX_LINE} characters of this line cut]"
    return "".join(kept)
