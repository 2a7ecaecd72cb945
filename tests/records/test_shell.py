"""What a model reads of a command's outputs and of a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doer.records.shell import Output, RunResult, TerminalView, is_binary, plain


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;a title\x07prompt$ ", "prompt$ "),
        ("\x1b]8;;http://a.b\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPdevice\x1b\\after", "after"),
        ("\x1b(Bset\x1b=", "set"),
        ("\x1b[?2004hon\x1b[?2004l", "on"),
        ("10%\r50%\r100%\n", "100%\n"),
        ("dos\r\nline\r\n", "dos\nline\n"),
        ("abc\b\bX", "aX"),
        ("bell\x07\x00", "bell"),
        ("é ü 日本", "é ü 日本"),
        ("x" * 2500, "x" * 2000 + " [500 characters of this line cut]"),
    ],
)
def test_text_reads_as_it_would_stand_on_paper(printed, read):
    assert plain(printed) == read


@given(st.binary())
def test_any_bytes_can_be_read(data):
    output = Output(head=data, total=len(data))
    shown = output.text() + TerminalView(name="a", raw=data).text()
    assert all(character.isprintable() or character in "\n\t" for character in shown)


@given(st.text())
def test_text_is_never_called_binary(text):
    data = text.replace("\0", "").replace("�", "").encode(errors="replace")
    assert not is_binary(data)
    assert not is_binary(data[1:-1])  # a character cut in two


@pytest.mark.parametrize("data", [b"\0", b"\x7fELF\0", bytes(range(128, 256))])
def test_binary_output_is_shown_by_its_size(data):
    result = RunResult(exit_code=0, stdout=Output(head=data, total=len(data)))
    assert result.text() == f"[binary output, {len(data)} bytes]"


def test_what_was_cut_is_said_with_where_it_lies():
    output = Output(head=b"first", tail=b"last", total=1000, file="~/out", stored=1000)
    assert output.cut == 991
    assert output.text() == "first\n[991 bytes cut; all 1000 are in ~/out]\nlast"
    part = Output(head=b"first", tail=b"last", total=1000, file="~/out", stored=600)
    assert "[991 bytes cut; the first 600 of 1000 are in ~/out]" in part.text()
    lost = Output(head=b"first", tail=b"last", total=1000)
    assert "[991 bytes cut]" in lost.text()


@pytest.mark.parametrize(
    ("result", "read"),
    [
        (RunResult(exit_code=0), "[exit code 0]"),
        (RunResult(exit_code=2), "[exit code 2]"),
        (RunResult(exit_code=-9), "[ended by signal 9]"),
        (RunResult(exit_code=0, stdout=Output(head=b"a\n", total=2)), "a"),
        (RunResult(exit_code=0, stderr=Output(head=b"b\n", total=2)), "[stderr]\nb"),
        (
            RunResult(exit_code=-15, timed_out=True, seconds=2.04),
            "[time-out after 2.0 s; it was ended with all it started]",
        ),
        (
            RunResult(exit_code=0, left=(7, 8)),
            "[exit code 0]\n[still running in the background: 7 8]",
        ),
    ],
)
def test_a_result_says_how_it_ended(result, read):
    assert result.text() == read


@pytest.mark.parametrize(
    ("view", "read"),
    [
        (TerminalView(name="a", raw=b"x\r\n$ ", why="idle"), "x\n$ "),
        (TerminalView(name="a", quiet_s=3.21), "[still running, no output for 3.2 s]"),
        (
            TerminalView(name="a", raw=b"x\r\n", quiet_s=1, why="timeout"),
            "x\n[still running, no output for 1.0 s]",
        ),
        (
            TerminalView(name="a", raw=b"x", running=False, exit_code=1, why="exited"),
            "x\n[ended with exit code 1]",
        ),
        (
            TerminalView(name="a", raw=b"x", lost=10, why="match"),
            "[10 earlier bytes are no longer kept]\nx",
        ),
    ],
)
def test_a_terminal_says_whether_it_still_runs(view, read):
    assert view.text() == read
