import pytest
from hypothesis import given
from hypothesis import strategies as st

from doer.computers.screen import keysyms
from doer.errors import ToolError

CTRL, SHIFT, ALT, SUPER = 0xFFE3, 0xFFE1, 0xFFE9, 0xFFEB


@pytest.mark.parametrize(
    ("keys", "held", "struck"),
    [
        (["CTRL", "SHIFT", "T"], [CTRL, SHIFT], [ord("T")]),
        (["ctrl+shift+t"], [CTRL, SHIFT], [ord("T")]),
        (["CTRL", "A"], [CTRL], [ord("a")]),
        (["SHIFT", "="], [SHIFT], [ord("+")]),
        (["ctrl++"], [CTRL], [ord("+")]),
        (["+"], [], [ord("+")]),
        (["A"], [], [ord("A")]),
        (["CMD", "OPTION", "ESC"], [SUPER, ALT], [0xFF1B]),
        (["Control_L", "Page_Down"], [CTRL], [0xFF56]),
        (["ARROWLEFT", "ArrowLeft", "Left"], [], [0xFF51] * 3),
        (["PAGE UP"], [], [0xFF55]),
        (["SPACE", " "], [], [0x20, 0x20]),
        (["F12", "KP_7", "KP_Enter"], [], [0xFFC9, 0xFFB7, 0xFF8D]),
        (["minus", "bracketleft"], [], [ord("-"), ord("[")]),
        (["CTRL"], [CTRL], []),
        (["Ж"], [], [0x1000416]),
        (["\n"], [], [0xFF0D]),
    ],
)
def test_keys_by_all_their_names(keys: list[str], held: list[int], struck: list[int]) -> None:
    assert keysyms.chord(keys) == (held, struck)


@pytest.mark.parametrize("keys", [[], ["CONTROLL+"], ["nokey"], [""], ["ctrl+nokey"], ["\x07"]])
def test_unknown_keys_are_refused_with_what_is_allowed(keys: list[str]) -> None:
    with pytest.raises(ToolError, match=r"keys|key types"):
        keysyms.chord(keys)


@given(st.characters())
def test_every_character_has_a_key_or_is_refused(character: str) -> None:
    try:
        keysym = keysyms.of_character(character)
    except ToolError:
        assert not character.isprintable()
    else:
        assert 0 < keysym < 1 << 29
        assert keysyms.foreign(keysym) == (
            ord(character) > 0x7E and keysym < 0xFF00 or keysym >= 1 << 24
        )


@given(st.lists(st.text(max_size=12), max_size=5))
def test_wild_names_give_keys_or_a_tool_error(keys: list[str]) -> None:
    try:
        held, struck = keysyms.chord(keys)
    except ToolError:
        return
    assert held or struck
