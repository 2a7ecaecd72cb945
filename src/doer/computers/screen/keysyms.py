"""What X calls keys: from OpenAI's names (`CTRL`, `ARROWLEFT`), X's own as xdotool takes them
(`ctrl`, `Page_Up`, `KP_Enter`), browsers' (`ArrowLeft`) and characters to keysym numbers.

Numbers: https://www.x.org/releases/current/doc/xproto/x11protocol.html#keysym_encoding
"""

import re
import unicodedata
from collections.abc import Sequence

from doer.errors import ToolError

MODIFIERS = {
    **{"shift": 0xFFE1, "control": 0xFFE3, "alt": 0xFFE9, "super": 0xFFEB},
    **{"hyper": 0xFFED, "altgr": 0xFE03},
}
SHIFT = MODIFIERS["shift"]
NAMED = {
    **{"backspace": 0xFF08, "tab": 0xFF09, "enter": 0xFF0D, "pause": 0xFF13, "escape": 0xFF1B},
    **{"scrolllock": 0xFF14, "sysrq": 0xFF15, "delete": 0xFFFF, "home": 0xFF50, "end": 0xFF57},
    **{"left": 0xFF51, "up": 0xFF52, "right": 0xFF53, "down": 0xFF54, "pageup": 0xFF55},
    **{"pagedown": 0xFF56, "printscreen": 0xFF61, "insert": 0xFF63, "menu": 0xFF67},
    **{"numlock": 0xFF7F, "capslock": 0xFFE5, "space": 0x20},
    **{"browserback": 0x1008FF26, "browserforward": 0x1008FF27},
    **{f"f{n}": 0xFFBD + n for n in range(1, 25)},
    **{f"kp{n}": 0xFFB0 + n for n in range(10)},
    **{"kpenter": 0xFF8D, "kpmultiply": 0xFFAA, "kpadd": 0xFFAB, "kpsubtract": 0xFFAD},
    **{"kpdecimal": 0xFFAE, "kpdivide": 0xFFAF},
}
SAME = {
    **{"ctrl": "control", "controlleft": "control", "controlright": "control"},
    **{"controll": "control", "controlr": "control", "shiftl": "shift", "shiftr": "shift"},
    **{"shiftleft": "shift", "shiftright": "shift", "altl": "alt", "altr": "alt"},
    **{"altleft": "alt", "altright": "altgr", "option": "alt", "opt": "alt"},
    **{"isolevel3shift": "altgr", "meta": "super", "cmd": "super", "command": "super"},
    **{"win": "super", "windows": "super", "superl": "super", "superr": "super"},
    **{"metal": "super", "metar": "super", "metaleft": "super", "metaright": "super"},
    **{"esc": "escape", "return": "enter", "del": "delete", "ins": "insert", "prior": "pageup"},
    **{"next": "pagedown", "pgup": "pageup", "pgdn": "pagedown", "pgdown": "pagedown"},
    **{"arrowleft": "left", "arrowup": "up", "arrowright": "right", "arrowdown": "down"},
    **{"print": "printscreen", "contextmenu": "menu", "apps": "menu", "spacebar": "space"},
    **{"xf86back": "browserback", "xf86forward": "browserforward", "numpadenter": "kpenter"},
    **{f"numpad{n}": f"kp{n}" for n in range(10)},
}
SIGNS = {
    **{"minus": "-", "hyphen": "-", "plus": "+", "equal": "=", "comma": ",", "period": "."},
    **{"dot": ".", "slash": "/", "backslash": "\\", "semicolon": ";", "colon": ":"},
    **{"apostrophe": "'", "quotedbl": '"', "grave": "`", "backquote": "`", "asciitilde": "~"},
    **{"bracketleft": "[", "bracketright": "]", "braceleft": "{", "braceright": "}"},
    **{"parenleft": "(", "parenright": ")", "underscore": "_", "asterisk": "*", "at": "@"},
    **{"numbersign": "#", "dollar": "$", "percent": "%", "ampersand": "&", "exclam": "!"},
    **{"question": "?", "bar": "|", "less": "<", "greater": ">", "asciicircum": "^"},
}
SHIFTED = dict(zip("`1234567890-=[]\\;',./", '~!@#$%^&*()_+{}|:"<>?', strict=True))
"""What the keys of a US keyboard give with Shift, besides letters."""


def of_character(character: str) -> int:
    """The key that types a character. Raises `ToolError` for one that no key types."""
    if character in "\n\r":
        return NAMED["enter"]
    if character == "\t":
        return NAMED["tab"]
    code = ord(character)
    if unicodedata.category(character) in ("Cc", "Cs"):
        raise ToolError(f"no key types {character!r}; use keypress for keys such as ESC")
    return code if code < 0x100 else 0x01000000 | code


def foreign(keysym: int) -> bool:
    """Whether a US keyboard lacks it, so that the X server must make room for it."""
    return keysym >= 0x01000000 or 0xA0 <= keysym <= 0xFF


def chord(keys: Sequence[str]) -> tuple[list[int], list[int]]:
    """Keysyms of the modifiers to hold, and of the keys to strike meanwhile, in order.

    `["CTRL", "SHIFT", "T"]` and `["ctrl+shift+t"]` are the same. A letter means its key when a
    modifier is held, and itself otherwise. Raises `ToolError` for unknown names.
    """
    names = [name for one in keys for name in _split(one)]
    if not names:
        raise ToolError('keys is empty; name at least one, for example ["CTRL", "C"]')
    held: list[int] = []
    struck: list[str | int] = []
    for name in names:
        if (found := _find(name)) in MODIFIERS.values():
            held.append(found) if found not in held else None
        else:
            struck.append(found if found else name)
    return held, [one if isinstance(one, int) else _on_key(one, held) for one in struck]


def _split(name: str) -> list[str]:
    """`ctrl+shift+t` in its keys; the last one may be `+` itself."""
    return re.split(r"\+(?=.)", name) if len(name) > 1 and not name.startswith("+") else [name]


def _find(name: str) -> int:
    """A named key's keysym; 0 for a single character."""
    if len(name) == 1:
        return 0 if name not in "\n\r\t " else of_character(name)
    plain = re.sub(r"[_\s-]", "", name).lower()
    plain = SAME.get(plain, plain)
    if found := MODIFIERS.get(plain) or NAMED.get(plain):
        return found
    if sign := SIGNS.get(plain):
        return of_character(sign)
    raise ToolError(
        f'there is no key "{name}"; keys are single characters, CTRL, SHIFT, ALT, SUPER, ENTER,'
        " TAB, ESC, SPACE, BACKSPACE, DELETE, INSERT, HOME, END, PAGEUP, PAGEDOWN, ARROWUP,"
        " ARROWDOWN, ARROWLEFT, ARROWRIGHT, F1 to F24, KP_0 to KP_9"
    )


def _on_key(character: str, held: list[int]) -> int:
    """A character's keysym under modifiers: the X server would let go of Shift, or press it, for
    a keysym that its key does not give at that moment."""
    if SHIFT in held:
        character = SHIFTED.get(character, character.upper())
    elif held:
        character = character.lower()
    return of_character(character)
