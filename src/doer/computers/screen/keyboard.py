"""The keyboard map of a computer's X server: a US keyboard, and keys for whatever is to be typed.

Xvnc can give a character that its map lacks a key by itself, but has 19 for that in the usual map,
says nothing when they are used up, and the key comes at once after the change: Chromium, whose
toolkit hears of changes on another connection, drops it now and then. So the map is written here,
with all characters of a text before its first key. It leaves out media keys, but not the numbers
that mean a command: Chromium reloads the page for number 181, whatever character it has.
"""

from collections.abc import Awaitable, Callable, Iterable

COMMANDS = {
    *range(121, 125),  # sound, power
    *(136, 139, 141, 142, 143, 144, 145),  # stop, undo, copy, open, paste, find, cut
    *(150, 151, 158, 160, 163, 164, 169),  # sleep, wake up, web, lock, mail, favourites, eject
    *range(171, 177),  # media
    *(180, 181, 189, 190, 214, 218, 225),  # home, reload, new, redo, close, print, search
}
BACK, FORWARD = 166, 167
NUMBERS = (  # of a PC's keys that a US keyboard has not
    *range(97, 104),
    *(93, 109, 120, 126, 128, 130, 131, 132),
    *range(136, 203),
    *range(208, 235),
    *range(239, 256),
)
FREE = tuple(n for n in NUMBERS if n not in COMMANDS and n not in (BACK, FORWARD))
ROOM = len(FREE) - 8
"""Characters that one map takes; the others are for what a person types."""

LoadKeyboard = Callable[[str], Awaitable[None]]
"""Runs `LOAD` inside with `DISPLAY` and this text as its input."""
LOAD = ("sh", "-c", 'exec xkbcomp -w0 - "$DISPLAY"')


def keymap(keysyms: Iterable[int]) -> str:
    """The map in XKB's language, for at most `ROOM` keys that a US keyboard lacks.
    `VoidSymbol` keeps a number without typing anything."""
    keys = dict.fromkeys(sorted(COMMANDS), "VoidSymbol")
    keys |= {BACK: "XF86Back", FORWARD: "XF86Forward"}
    keys |= {n: f"U{keysym & 0xFFFFFF:04X}" for n, keysym in zip(FREE, keysyms, strict=False)}
    numbers = " ".join(f"<K{number}> = {number};" for number in keys)
    symbols = " ".join(f"key <K{number}> {{ [ {symbol} ] }};" for number, symbol in keys.items())
    return f"""xkb_keymap {{
xkb_keycodes {{ include "evdev+aliases(qwerty)" {numbers} }};
xkb_types {{ include "complete" }};
xkb_compat {{ include "complete" }};
xkb_symbols {{ include "pc+us" {symbols} }};
}};"""
