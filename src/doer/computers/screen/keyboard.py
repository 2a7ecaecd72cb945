"""The keyboard map of a computer's X server: a US keyboard with much room for other characters.

Xvnc gives every character that the map lacks a key number of its own, until none is left (19 in
the usual map). It says nothing then, and never takes one back; only loading a map does. Programs go
by key number as well as by character: Chromium reloads the page for number 181, whatever it types.
So the map here leaves out media keys, but not the numbers that mean a command.
"""

COMMANDS = (
    *range(121, 125),  # sound, power
    *(136, 139, 141, 142, 143, 144, 145),  # stop, undo, copy, open, paste, find, cut
    *(150, 151, 158, 160, 163, 164, 169),  # sleep, wake up, web, lock, mail, favourites, eject
    *range(171, 177),  # media
    *(180, 181, 189, 190, 214, 218, 225),  # home, reload, new, redo, close, print, search
)
BACK, FORWARD = 166, 167
ROOM = 96
"""Characters the map surely has room for: 131 numbers less those above, and some to spare for
what a person types."""


def keymap() -> str:
    """The map in XKB's language. `VoidSymbol` holds a number without typing anything."""
    keys = {number: "VoidSymbol" for number in COMMANDS}
    keys |= {BACK: "XF86Back", FORWARD: "XF86Forward"}
    numbers = " ".join(f"<K{number}> = {number};" for number in keys)
    symbols = " ".join(f"key <K{number}> {{ [ {symbol} ] }};" for number, symbol in keys.items())
    return f"""xkb_keymap {{
xkb_keycodes {{ include "evdev+aliases(qwerty)" {numbers} }};
xkb_types {{ include "complete" }};
xkb_compat {{ include "complete" }};
xkb_symbols {{ include "pc+us" {symbols} }};
}};"""


LOAD = ("sh", "-c", f'exec xkbcomp -w0 - "$DISPLAY" <<END\n{keymap()}\nEND\n')
"""A command that loads the map and so forgets what was added; to be run inside, with `DISPLAY`."""
