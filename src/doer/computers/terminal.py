"""Named terminals in a computer: they stay open between calls, take keys and signals, and are read
from where they were last read."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from doer.computers.link import JSON, OUT, Link
from doer.errors import ComputerError, ToolError
from doer.records.shell import TerminalView

MAX_READ = 1 << 18  # bytes of one view: its last ones
_SLACK_S = 10.0

_KEYS = {
    "Enter": "\r",
    "Tab": "\t",
    "S-Tab": "\x1b[Z",
    "Space": " ",
    "Escape": "\x1b",
    "Backspace": "\x7f",
    "Insert": "\x1b[2~",
    "Delete": "\x1b[3~",
    "PageUp": "\x1b[5~",
    "PageDown": "\x1b[6~",
    "F1": "\x1bOP",
    "F2": "\x1bOQ",
    "F3": "\x1bOR",
    "F4": "\x1bOS",
} | {
    f"F{number}": f"\x1b[{code}~"
    for number, code in zip(range(5, 13), (15, 17, 18, 19, 20, 21, 23, 24), strict=True)
}
_MOVES = {"Up": "A", "Down": "B", "Right": "C", "Left": "D", "End": "F", "Home": "H"}
_MODIFIERS = {"": "", "S-": "2", "M-": "3", "C-": "5"}


class Terminals:
    """The terminals of one computer, by name. Raises `ToolError` for a name that is not open or
    open already, and `ComputerError` when the computer does not answer."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._read_to: dict[str, int] = {}

    async def open(
        self,
        name: str,
        argv: Sequence[str] = (),
        *,
        cwd: str = "",
        env: Mapping[str, str] | None = None,
        size: tuple[int, int] = (24, 80),
    ) -> None:
        """Open a terminal with a program in it, an interactive bash by default. `size`: rows and
        columns. One that has ended is replaced."""
        fields: dict[str, object] = {
            "name": name,
            "cwd": cwd,
            "env": dict(env or {}),
            "rows": size[0],
            "columns": size[1],
        }
        if argv:
            fields["argv"] = list(argv)
        await self._link.ask("terminal_open", fields, of=_State)
        self._read_to[name] = 0

    async def write(self, name: str, text: str | bytes, timeout_s: float = 5.0) -> None:
        """Type text as it is; a line ends with "\\n". Raises `ToolError` when the program takes no
        input for `timeout_s`."""
        data = text.encode(errors="replace") if isinstance(text, str) else text
        if len(data) > MAX_READ:
            raise ToolError(f"{len(data)} bytes are too many at once; write {MAX_READ} at most")
        fields = {"name": name, "timeout_s": timeout_s}
        async with self._link.call("terminal_write", fields, timeout_s + _SLACK_S) as call:
            call.send(OUT, data)
            await call.answer(_State)

    async def keys(self, name: str, *keys: str) -> None:
        """Press keys: `Enter`, `Tab`, `Up`, `F5`, `C-c` (control), `M-x` (alt), `S-Tab`, or any
        single character. Raises `ToolError` for a key there is not."""
        await self.write(name, "".join(map(key_bytes, keys)))

    async def read(
        self,
        name: str,
        *,
        until: str = "",
        idle_s: float = 0.5,
        timeout_s: float = 10.0,
    ) -> TerminalView:
        """What was printed since the last read. Waits until that matches the regular expression
        `until`, or nothing more has come for `idle_s`, or the program ends; `timeout_s` at most.
        With `until`, quiet does not end the wait."""
        after = self._read_to.get(name, 0)
        fields: dict[str, object] = {"name": name, "after": after, "timeout_s": timeout_s}
        fields["limit"] = MAX_READ
        if until:
            fields["until"] = until
        else:
            fields["idle_s"] = idle_s
        raw = b""
        async with self._link.call("terminal_read", fields, timeout_s + _SLACK_S) as call:
            while True:
                kind, data = await call.receive()
                if kind == JSON:
                    state = call.decode(data, _State)
                    break
                raw += data
                if len(raw) > MAX_READ:
                    raise ComputerError("terminal_read: the computer's daemon sends too much")
        self._read_to[name] = state.end
        return state.view(raw)

    async def signal(self, name: str, signal: str) -> None:
        """Send a signal (`INT`, `TERM`, `KILL`, ...) to what runs in the foreground."""
        await self._link.ask("terminal_signal", {"name": name, "signal": signal}, of=_State)

    async def resize(self, name: str, rows: int, columns: int) -> None:
        fields = {"name": name, "rows": rows, "columns": columns}
        await self._link.ask("terminal_resize", fields, of=_State)

    async def list(self) -> tuple[TerminalView, ...]:
        """All terminals there are, without their output."""
        there = await self._link.ask("terminal_list", of=_Terminals)
        return tuple(state.view(b"") for state in there.terminals)

    async def close(self, name: str) -> None:
        """End a terminal with all that runs in it."""
        await self._link.ask("terminal_close", {"name": name}, of=_State, timeout_s=20)
        self._read_to.pop(name, None)


def key_bytes(key: str) -> str:
    """What a terminal sends for a key. Raises `ToolError`."""
    if key in _KEYS:
        return _KEYS[key]
    modifier, name = (key[:2], key[2:]) if key[:2] in _MODIFIERS and key[2:] else ("", key)
    if name in _MOVES:
        code = _MODIFIERS[modifier]
        return f"\x1b[1;{code}{_MOVES[name]}" if code else f"\x1b[{_MOVES[name]}"
    if len(key) == 1:
        return key
    if modifier == "M-" and (name in _KEYS or len(name) == 1):
        return "\x1b" + _KEYS.get(name, name)
    if modifier == "C-" and name == "Space":
        return "\0"
    if modifier == "C-" and len(name) == 1 and "@" <= name.upper() <= "_":
        return chr(ord(name.upper()) & 0x1F)
    raise ToolError(f"there is no key {key!r}; use Enter, Tab, Up, F5, C-c, M-x or one character")


class _State(msgspec.Struct):
    name: str
    running: bool
    exit: int | None
    quiet_s: float
    end: int
    why: Literal["match", "idle", "exited", "timeout"] = "timeout"
    lost: int = 0

    def view(self, raw: bytes) -> TerminalView:
        return TerminalView(
            name=self.name,
            raw=raw,
            running=self.running,
            exit_code=self.exit,
            quiet_s=self.quiet_s,
            lost=self.lost,
            why=self.why,
        )


class _Terminals(msgspec.Struct):
    terminals: tuple[_State, ...]
