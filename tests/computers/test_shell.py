"""Commands through the daemon, run as plain processes."""

import asyncio
import os
from pathlib import Path

import pytest
from happenings import Told, gone

from doer.computers.link import Link
from doer.computers.shell import HEAD, TAIL, Shell
from doer.errors import ComputerError, ToolError

pytestmark = pytest.mark.slow  # real processes and sockets


@pytest.fixture
def shell(guest):
    return Shell(guest.link)


@pytest.fixture
def told(tmp_path):
    told = Told(tmp_path / "told")
    yield told
    told.close()


async def test_a_script_has_two_outputs_and_an_exit_code(shell):
    result = await shell.run("echo out; echo err >&2; exit 7")
    assert (result.stdout.kept, result.stderr.kept, result.exit_code) == (b"out\n", b"err\n", 7)
    assert result.text() == "out\n[stderr]\nerr\n[exit code 7]"


async def test_a_program_gets_its_arguments_untouched(shell):
    result = await shell.run(["printf", "%s|", "a b", "$HOME", "*", "é"])
    assert result.stdout.text() == "a b|$HOME|*|é|"


async def test_it_begins_in_the_home_or_where_it_is_told(shell, guest):
    (guest.home / "inner").mkdir()
    assert (await shell.run("pwd; echo $HOME")).stdout.text() == f"{guest.home}\n" * 2
    assert (await shell.run("pwd", cwd="inner")).stdout.text() == f"{guest.home}/inner\n"
    assert (await shell.run("pwd", cwd="/usr")).stdout.text() == "/usr\n"
    assert (await shell.run("pwd", cwd="~/inner")).stdout.text() == f"{guest.home}/inner\n"


async def test_the_environment_is_added_to(shell):
    result = await shell.run("echo $COLOUR ${PATH:+path}", env={"COLOUR": "blue"})
    assert result.stdout.text() == "blue path\n"


async def test_a_shell_may_have_its_own_folder_and_variables(guest):
    (guest.home / "own").mkdir()
    shell = Shell(guest.link, "own", {"A": "1", "B": "2"})
    assert (await shell.run("pwd; echo $A$B")).stdout.text() == f"{guest.home}/own\n12\n"
    told = await shell.run("pwd; echo $A$B", cwd="/usr", env={"B": "3"})
    assert told.stdout.text() == "/usr\n13\n"


async def test_no_environment_of_the_host_is_seen(shell, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_HOST", "1")
    assert "SECRET" not in (await shell.run("env")).stdout.text()


async def test_every_byte_goes_in_and_comes_out(shell):
    data = bytes(range(256)) * 3000
    result = await shell.run("cat", stdin=data, keep=(1 << 20, 0))
    assert result.stdout.kept == data
    assert result.stdout.text() == f"[binary output, {len(data)} bytes]"


async def test_input_that_comes_along_with_the_request_goes_in(shell):
    for _ in range(5):
        assert (await shell.run("cat", stdin=b"x", timeout_s=20)).stdout.kept == b"x"


async def test_a_command_that_reads_no_input_ends_all_the_same(shell):
    result = await shell.run("head -c 1", stdin=b"x" * 5_000_000)
    assert result.stdout.kept == b"x"
    assert result.exit_code == 0


async def test_without_input_reading_ends_at_once(shell):
    assert (await shell.run("cat; read line || echo none")).stdout.text() == "none\n"


async def test_long_output_keeps_head_and_tail_and_the_whole_lies_inside(shell, guest):
    result = await shell.run("seq 1 200000")
    whole = "".join(f"{number}\n" for number in range(1, 200_001)).encode()
    out = result.stdout
    assert out.total == len(whole)
    assert out.head == whole[:HEAD]
    assert out.tail == whole[-TAIL:]
    assert out.cut == len(whole) - HEAD - TAIL
    assert (guest.home / out.file).read_bytes() == whole
    assert f"[{out.cut} bytes cut; all {len(whole)} are in {out.file}]" in out.text()
    assert not result.stderr.file


@pytest.mark.parametrize("size", [HEAD - 1, HEAD, HEAD + 1, HEAD + TAIL - 1, HEAD + TAIL])
async def test_output_that_fits_is_whole_and_makes_no_file(shell, size):
    out = (await shell.run(f"head -c {size} /dev/zero | tr '\\0' a")).stdout
    assert (out.kept, out.cut, out.file) == (b"a" * size, 0, "")


async def test_endless_output_is_bounded_and_says_so(shell):
    result = await shell.run("yes", timeout_s=1)
    assert result.timed_out
    assert len(result.stdout.kept) == HEAD + TAIL
    assert result.stdout.cut > 0
    assert result.stdout.stored <= 64 << 20
    assert "[time-out after" in result.text()


async def test_past_its_time_the_whole_group_is_ended(shell):
    result = await shell.run("sleep 1000 & echo $!; wait", timeout_s=0.5)
    assert result.timed_out
    await gone(int(result.stdout.kept))


async def test_past_its_time_what_left_the_group_is_ended_too(shell):
    # Twice forked, in a session of its own, deaf to SIGTERM: a daemon as it stands in the book.
    script = "setsid bash -c 'trap \"\" TERM; (sleep 1000 & echo $!; wait) & wait' & wait"
    result = await shell.run(script, timeout_s=0.5)
    assert result.timed_out
    await gone(int(result.stdout.kept))


async def test_an_orphan_in_a_session_of_its_own_is_found_by_our_mark(shell):
    script = "(setsid sleep 1000 & echo $!); sleep 1000"
    result = await shell.run(script, timeout_s=0.5)
    await gone(int(result.stdout.kept))


async def test_an_orphan_without_our_mark_is_found_by_its_session(shell):
    script = "(env -i /bin/bash -c '/bin/sleep 1000 & echo $!') & sleep 1000"
    result = await shell.run(script, timeout_s=0.5)
    await gone(int(result.stdout.kept))


async def test_processes_that_make_more_of_themselves_are_ended(shell):
    loop = "(trap '' TERM; while :; do sleep 0.02 & wait; done) &"
    result = await shell.run(f"echo $$; {loop * 6} sleep 1000", timeout_s=0.5)
    assert result.timed_out
    left = await shell.run(["pgrep", "-g", result.stdout.text().strip()])
    assert left.stdout.kept == b""


@pytest.mark.parametrize("stdin", [b"", b"x" * 2_000_000], ids=["no input", "input not read"])
async def test_a_cancelled_call_leaves_nothing(shell, told, stdin):
    script = f"sleep 1000 & echo $! > {told.path}; sleep 1000"
    task = asyncio.create_task(shell.run(script, stdin=stdin))
    pid = int(await told.line())
    task.cancel()
    await asyncio.wait([task])
    await gone(pid)


async def test_what_is_left_in_the_background_goes_on_and_is_told(shell):
    result = await shell.run("sleep 1000 & echo started")
    assert result.stdout.text() == "started\n"
    (pid,) = result.left
    assert f"[still running in the background: {pid}]" in result.text()
    os.kill(pid, 9)
    await gone(pid)


async def test_a_background_process_may_go_on_printing(shell, told):
    # More than a pipe holds: it would block, or die of a closed pipe, if nobody read it.
    await shell.run(f"(head -c 300000 /dev/zero; echo $? > {told.path}) & true")
    assert await told.line() == "0"


async def test_orphans_do_not_stay_as_zombies(shell, told):
    await shell.run(f"(bash -c 'echo $$ > {told.path}; exec true' & true)")
    pid = int(await told.line())
    await gone(pid)
    await shell.run("true")  # the daemon has taken its turn, and so it has reaped
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_signal_is_told(shell):
    result = await shell.run("kill -SEGV $$")
    assert result.exit_code == -11
    assert result.text() == "[ended by signal 11]"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"command": ["no-such-program"]}, "no program 'no-such-program'"),
        ({"command": []}, "'argv' is empty"),
        ({"command": "true", "cwd": "no/such/folder"}, "cannot be started in"),
        ({"command": "true", "timeout_s": 0}, "'timeout_s' must lie"),
        ({"command": "a\0b"}, "without NUL"),
        ({"command": "true", "keep": (1 << 30, 0)}, "'head' and 'tail'"),
        ({"command": ":" * (2 << 20)}, "1048576 at most"),
    ],
)
async def test_what_cannot_be_run_is_told(shell, arguments, why):
    with pytest.raises(ToolError, match=why):
        await shell.run(**arguments)


async def test_many_commands_at_once_are_kept_apart(shell):
    results = await asyncio.gather(*(shell.run(f"echo {n}; exit {n}") for n in range(30)))
    assert [result.stdout.text() for result in results] == [f"{n}\n" for n in range(30)]
    assert [result.exit_code for result in results] == list(range(30))


async def test_no_descriptor_of_the_daemon_reaches_a_command(shell):
    result = await shell.run(["/bin/ls", "/proc/self/fd"])
    assert result.stdout.text().split() == ["0", "1", "2", "3"]  # 3 is the folder it lists


async def test_the_daemon_keeps_no_descriptors(shell, guest):
    def open_ones() -> int:
        return len(list(Path(f"/proc/{guest.process.pid}/fd").iterdir()))

    await shell.run("true")
    before = open_ones()
    for _ in range(20):
        await shell.run("echo hello")
        with pytest.raises(ToolError):
            await shell.run(["no-such-program"])
    # The last connection may still be on its way out.
    assert open_ones() <= before + 1


async def test_a_dead_daemon_is_told_at_once(tmp_path):
    async def dial(_: str):
        raise ConnectionRefusedError("nobody listens")

    with pytest.raises(ComputerError, match="cannot be reached"):
        await Shell(Link(dial)).run("true")
