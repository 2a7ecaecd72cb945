"""What a VNC viewer sends: cut at any byte, sifted by type, ended by anything unknown."""

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doer.computers.screen.viewer import LONGEST_CLIPBOARD, Unspeakable, ViewerMessages

GREETING = b"RFB 003.008\n\1\1"
KEY = struct.pack(">BB2xI", 4, 1, 0x61)
KEY_UP = struct.pack(">BB2xI", 4, 0, 0x61)
POINTER = struct.pack(">BBHH", 5, 1, 30, 40)
POINTER_UP = struct.pack(">BBHH", 5, 0, 30, 40)
QEMU = struct.pack(">BBHII", 255, 0, 1, 0x61, 30)
QEMU_UP = struct.pack(">BBHII", 255, 0, 0, 0x61, 30)

numbers = st.integers(0, 255)
reading = st.one_of(
    st.binary(min_size=19, max_size=19).map(lambda body: b"\0" + body),
    st.lists(st.integers(-(1 << 31), (1 << 31) - 1), max_size=20).map(
        lambda many: struct.pack(f">BxH{len(many)}i", 2, len(many), *many)
    ),
    st.binary(min_size=9, max_size=9).map(lambda body: b"\3" + body),
    st.binary(min_size=9, max_size=9).map(lambda body: b"\x96" + body),
    st.binary(max_size=64).map(lambda body: struct.pack(">B3xIB", 248, 0, len(body)) + body),
)
writing = st.one_of(
    st.binary(min_size=7, max_size=7).map(lambda body: b"\4" + body),
    st.binary(min_size=5, max_size=5).map(lambda body: b"\5" + body),
    st.binary(max_size=300).map(lambda text: struct.pack(">B3xi", 6, len(text)) + text),
    st.binary(min_size=1, max_size=300).map(lambda t: struct.pack(">B3xi", 6, -len(t)) + t),
    st.binary(min_size=10, max_size=10).map(lambda body: b"\xff\0" + body),
)


resizing = st.lists(st.binary(min_size=16, max_size=16), max_size=5).map(
    lambda screens: struct.pack(">BxHHBx", 251, 9, 9, len(screens)) + b"".join(screens)
)


KINDS = reading, writing, resizing


def fed(data: bytes, cuts: list[int], may_write: bool) -> bytes:
    messages = ViewerMessages()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    pieces = (data[a:b] for a, b in itertools.pairwise(edges))
    return b"".join(messages.feed(piece, may_write) for piece in pieces)


@given(
    st.lists(st.one_of(*(st.tuples(st.just(n), kind) for n, kind in enumerate(KINDS)))),
    st.lists(st.integers(0)),
)
def test_messages_cut_anywhere_pass_whole_and_watchers_only_read(
    sent: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    def those(*kinds: int) -> bytes:
        return GREETING + b"".join(message for kind, message in sent if kind in kinds)

    assert fed(those(0, 1, 2), cuts, True) == those(0, 1)
    assert fed(those(0, 1, 2), cuts, False) == those(0)


@given(st.binary(max_size=400), st.lists(st.integers(0), max_size=5))
def test_garbage_gives_the_same_however_it_is_cut(data: bytes, cuts: list[int]) -> None:
    def outcome(cuts: list[int]) -> bytes | str:
        try:
            return fed(GREETING + data, cuts, False)
        except Unspeakable as reason:
            return str(reason)

    assert outcome(cuts) == outcome([])


def test_an_unknown_type_ends_the_connection() -> None:
    for unknown in sorted(set(range(256)) - {0, 2, 3, 4, 5, 6, 150, 248, 251, 255}):
        messages = ViewerMessages()
        messages.feed(GREETING, True)
        with pytest.raises(Unspeakable, match=f"type {unknown} "):
            messages.feed(bytes([unknown]), True)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"RFB 003.003\n", "not RFB 3.8"),
        (b"RFB 003.008\n\2", "security 2"),
        (GREETING + b"\xff\1\0\0", "QEMU message 1"),
        (GREETING + struct.pack(">B3xi", 6, LONGEST_CLIPBOARD + 1), "clipboard"),
        (GREETING + struct.pack(">B3xi", 6, -(1 << 31)), "clipboard"),
    ],
)
def test_what_cannot_be_passed_on_is_named(data: bytes, why: str) -> None:
    with pytest.raises(Unspeakable, match=why):
        ViewerMessages().feed(data, True)


def test_a_viewer_never_throws_others_out() -> None:
    assert ViewerMessages().feed(b"RFB 003.008\n\1\0", False) == GREETING


def test_what_is_down_is_let_go_when_the_right_to_write_ends() -> None:
    messages = ViewerMessages()
    messages.feed(GREETING + KEY + QEMU + POINTER, True)
    assert messages.feed(b"", False) == KEY_UP + QEMU_UP + POINTER_UP
    assert messages.feed(KEY_UP + QEMU_UP + POINTER_UP, False) == b""
    messages.feed(KEY + POINTER + KEY_UP + POINTER_UP, True)
    assert messages.feed(KEY, False) == b""
