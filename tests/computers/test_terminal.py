"""Named terminals through the daemon, run as plain processes."""

import asyncio

import pytest
from happenings import gone

from doer.computers.terminal import Terminals, key_bytes
from doer.errors import ToolError

pytestmark = pytest.mark.slow  # real processes and sockets

SHELL = ["bash", "--norc", "--noprofile", "-i"]


@pytest.fixture
def terminals(guest):
    return Terminals(guest.link)


async def prompt(terminals: Terminals, name: str) -> None:
    """Open a shell with a prompt of our own."""
    await terminals.open(name, SHELL, env={"PS1": "ready> "})
    view = await terminals.read(name, until="ready> ", timeout_s=30)
    assert view.why == "match"


async def test_a_shell_keeps_its_state_between_calls(terminals):
    await prompt(terminals, "state")
    await terminals.write("state", "cd /usr; COLOUR=blue\n")
    await terminals.read("state", until="ready> $", timeout_s=30)
    await terminals.write("state", "echo $PWD $COLOUR\n")
    view = await terminals.read("state", until="ready> $", timeout_s=30)
    assert "/usr blue" in view.text()
    assert view.running
    await terminals.close("state")


async def test_a_shell_goes_on_where_one_of_its_name_stood(terminals, guest):
    """In a fork or after a restart: all it takes is in the home."""
    places = guest.home / ".cache" / "doer" / "terminals"
    await terminals.open("first", env={"PS1": "ready> "})
    await terminals.write("first", "cd /usr; export COLOUR='deep $blue'; echo is $((1 + 1))\n")
    await terminals.read("first", until=r"is 2\r\n.*[$>#] $", timeout_s=30)
    (places / b"second".hex()).write_bytes((places / b"first".hex()).read_bytes())
    await terminals.open("second")
    await terminals.write("second", "echo at $PWD $COLOUR\n")
    view = await terminals.read("second", until="at /", timeout_s=30)
    assert "at /usr deep $blue" in view.text()
    for name in ("first", "second"):
        await terminals.close(name)


async def test_a_terminal_that_was_opened_anew_elsewhere_is_read_from_its_end(terminals, guest):
    await prompt(terminals, "anew")
    await terminals.write("anew", "seq 200\n")
    await terminals.read("anew", until="200\r\n", timeout_s=30)
    other = Terminals(guest.link)
    await other.close("anew")
    await prompt(other, "anew")
    reading = asyncio.create_task(terminals.read("anew", until="is 2", timeout_s=30))
    await other.write("anew", "echo is $((1 + 1))\n")
    assert (await reading).why == "match"
    await other.close("anew")


async def test_a_shell_that_has_ended_stands_nowhere(terminals, guest):
    place = guest.home / ".cache" / "doer" / "terminals" / b"ended".hex()
    await terminals.open("ended")
    await terminals.write("ended", "echo is $((1 + 1))\n")
    await terminals.read("ended", until=r"is 2\r\n.*[$>#] $", timeout_s=30)
    assert place.exists()
    await terminals.close("ended")
    assert not place.exists()


async def test_only_new_output_is_read(terminals):
    await prompt(terminals, "new")
    await terminals.write("new", "echo one\n")
    assert "one" in (await terminals.read("new", until="ready> $", timeout_s=30)).text()
    await terminals.write("new", "echo two\n")
    text = (await terminals.read("new", until="ready> $", timeout_s=30)).text()
    assert "two" in text
    assert "one" not in text
    await terminals.close("new")


async def test_it_is_a_terminal_of_the_asked_size(terminals):
    await terminals.open("size", ["sh", "-c", "tty; stty size; read x"], size=(30, 100))
    view = await terminals.read("size", until="30 100", timeout_s=30)
    assert "/dev/pts/" in view.text()
    await terminals.resize("size", 40, 120)
    await terminals.close("size")
    await terminals.open("size", ["sh", "-c", "read x; stty size"], size=(30, 100))
    await terminals.resize("size", 41, 121)
    await terminals.keys("size", "Enter")
    assert (await terminals.read("size", until="41 121", timeout_s=30)).why == "match"
    await terminals.close("size")


async def test_control_c_interrupts_what_runs(terminals):
    await prompt(terminals, "keys")
    await terminals.write("keys", "sh -c 'echo be''gun; exec sleep 1000'\n")
    await terminals.read("keys", until="begun", timeout_s=30)
    await terminals.keys("keys", "C-c")
    assert (await terminals.read("keys", until="ready> ", timeout_s=30)).why == "match"
    await terminals.close("keys")


async def test_a_signal_reaches_the_foreground(terminals):
    await prompt(terminals, "signal")
    await terminals.write("signal", "sh -c 'echo be''gun; exec sleep 1000'; echo its end: $?\n")
    await terminals.read("signal", until="begun", timeout_s=30)
    await terminals.signal("signal", "TERM")
    assert (await terminals.read("signal", until="its end: 143", timeout_s=30)).why == "match"
    with pytest.raises(ToolError, match="no signal"):
        await terminals.signal("signal", "FLY")
    await terminals.close("signal")


@pytest.mark.parametrize("until", ["^blue line$", r"\x1b\[34m"])
async def test_a_pattern_meets_the_text_with_its_colours_or_without(terminals, until):
    script = r"printf 'a\r\n\033[34mblue\033[0m \033]0;title\007line\r\nb'; sleep 1000"
    await terminals.open("blue", ["sh", "-c", script])
    assert (await terminals.read("blue", until=until, timeout_s=30)).why == "match"
    await terminals.close("blue")


async def test_quiet_ends_the_wait(terminals):
    await terminals.open("quiet", ["sh", "-c", "echo hello; sleep 1000"])
    view = await terminals.read("quiet", idle_s=0.1, timeout_s=30)
    assert (view.why, view.text()) == ("idle", "hello")
    await terminals.close("quiet")


async def test_without_output_it_says_that_it_still_runs(terminals):
    await terminals.open("silent", ["sleep", "1000"])
    view = await terminals.read("silent", timeout_s=0.3)
    assert view.why == "timeout"
    assert view.quiet_s > 0.1
    assert view.text().startswith("[still running, no output for ")
    await terminals.close("silent")


async def test_the_end_of_the_program_ends_the_wait_with_all_its_output(terminals):
    await terminals.open("end", ["sh", "-c", "seq 1 5000; exit 5"])
    view = await terminals.read("end", until="never", timeout_s=30)
    assert (view.why, view.running, view.exit_code) == ("exited", False, 5)
    assert view.text().endswith("4999\n5000\n[ended with exit code 5]")
    with pytest.raises(ToolError, match="has ended"):
        await terminals.write("end", "x")
    await terminals.open("end", ["sh", "-c", "echo again"])  # one that ended is replaced
    assert "again" in (await terminals.read("end", until="again", timeout_s=30)).text()
    await terminals.close("end")


async def test_old_output_is_forgotten_and_said_to_be(terminals):
    await terminals.open("long", ["sh", "-c", "seq 1 400000"])
    view = await terminals.read("long", until="never", timeout_s=60)
    assert view.why == "exited"
    assert view.lost > 0
    assert view.text().startswith(f"[{view.lost} earlier bytes are no longer kept]")
    assert "399999\n400000" in view.text()
    await terminals.close("long")


async def test_two_read_the_same_terminal_at_once(terminals, guest):
    await prompt(terminals, "both")
    other = Terminals(guest.link)
    reads = [
        asyncio.create_task(one.read("both", until="thr'*'*ee|three", timeout_s=30))
        for one in (terminals, other)
    ]
    await asyncio.sleep(0)
    await terminals.write("both", "echo th'r'ee\n")
    for view in await asyncio.gather(*reads):
        assert view.why == "match"
    await terminals.close("both")


async def test_closing_ends_all_that_runs_in_it(terminals):
    script = "sleep 1000 & echo $!; setsid sleep 1000 & echo $!; echo done; wait"
    await terminals.open("close", ["sh", "-c", script])
    view = await terminals.read("close", until="done", timeout_s=30)
    pids = [int(line) for line in view.text().splitlines()[:2]]
    await terminals.close("close")
    for pid in pids:
        await gone(pid)
    assert not [one for one in await terminals.list() if one.name == "close"]


async def test_terminals_are_listed(terminals):
    await terminals.open("listed", ["sleep", "1000"])
    (one,) = [one for one in await terminals.list() if one.name == "listed"]
    assert one.running
    await terminals.close("listed")


async def test_a_pattern_that_runs_for_ever_is_refused_and_holds_up_nobody(terminals, guest):
    await terminals.open("slow", ["sh", "-c", "printf '%050d!' 0; sleep 1000"])
    await terminals.read("slow", until="!", timeout_s=30)
    reader = Terminals(guest.link)
    with pytest.raises(ToolError, match="takes too long"):
        await reader.read("slow", until="(0+0+)+$", timeout_s=30)
    assert (await guest.link.ping()).pids
    await terminals.close("slow")


async def test_input_that_nobody_reads_is_told(terminals):
    await terminals.open("full", ["sh", "-c", "stty raw; echo set; sleep 1000"])
    await terminals.read("full", until="set", timeout_s=30)
    with pytest.raises(ToolError, match="does not read"):
        await terminals.write("full", "x" * 200_000, timeout_s=0.3)
    await terminals.close("full")


@pytest.mark.parametrize(
    ("name", "argv", "why"),
    [
        ("", SHELL, "1 to 64 printable"),
        ("x" * 65, SHELL, "1 to 64 printable"),
        ("a\nb", SHELL, "1 to 64 printable"),
        ("a", ["no-such-program"], "no program"),
    ],
)
async def test_what_cannot_be_opened_is_told(terminals, name, argv, why):
    with pytest.raises(ToolError, match=why):
        await terminals.open(name, argv)


async def test_a_name_that_is_open_or_is_not_is_told(terminals):
    with pytest.raises(ToolError, match="no terminal 'nobody'"):
        await terminals.read("nobody")
    await terminals.open("twice", ["sleep", "1000"])
    with pytest.raises(ToolError, match="is open"):
        await terminals.open("twice", ["sleep", "1000"])
    with pytest.raises(ToolError, match="not a regular expression"):
        await terminals.read("twice", until="(")
    await terminals.close("twice")


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("Enter", "\r"),
        ("Up", "\x1b[A"),
        ("C-Left", "\x1b[1;5D"),
        ("S-Tab", "\x1b[Z"),
        ("F1", "\x1bOP"),
        ("F12", "\x1b[24~"),
        ("C-c", "\x03"),
        ("C-Z", "\x1a"),
        ("C-[", "\x1b"),
        ("C-Space", "\0"),
        ("M-x", "\x1bx"),
        ("M-Enter", "\x1b\r"),
        ("a", "a"),
        ("é", "é"),
        ("\n", "\n"),
        ("-", "-"),
    ],
)
def test_a_key_is_sent_as_xterm_does(key, sent):
    assert key_bytes(key) == sent


@pytest.mark.parametrize("key", ["", "Hyper", "C-", "C-é", "C-Enter", "M-", "xy"])
def test_a_key_there_is_not_is_told(key):
    with pytest.raises(ToolError, match="no key"):
        key_bytes(key)
