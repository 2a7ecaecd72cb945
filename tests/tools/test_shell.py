"""The tool `run` over a real daemon: what a model is told of a command."""

import asyncio

import msgspec
import pytest

from doer.computers.computer import Computer
from doer.computers.shell import Shell
from doer.errors import ToolError
from doer.records.action import Action
from doer.records.event import Intended
from doer.sessions.build import tools
from doer.sessions.dispatch import Dispatch
from doer.sessions.record import Recorder
from doer.store.memory import MemoryLog
from doer.tools.shell import RUN, Run
from doer.tools.tool import ToolContext, spec

pytestmark = pytest.mark.slow  # real processes


class ShellComputer(Computer):
    """A computer with a shell and nothing else."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self._shell = shell

    @property
    def parts(self):
        return ("shell",)

    @property
    def shell(self):
        return self._shell


@pytest.fixture
def context(guest):
    return ToolContext(ShellComputer(Shell(guest.link)))


async def test_what_was_printed_and_how_it_ended_is_seen(context):
    seen = await RUN.run(context, Run(command="echo out; echo err >&2; exit 3"))
    assert seen.text == "out\n[stderr]\nerr\n[exit code 3]"
    assert not seen.error
    (element,) = seen.elements
    assert (element.role, element.name) == ("log", "echo out; echo err >&2; exit 3")
    assert element.value == seen.text


async def test_a_long_command_is_named_by_its_beginning(context):
    seen = await RUN.run(context, Run(command="true # " + "x" * 1000))
    assert seen.elements[0].name == "true # " + "x" * 193


async def test_a_command_is_ended_at_its_time_and_told(context):
    seen = await RUN.run(context, Run(command="echo begun; sleep 1000", timeout_s=0.2))
    assert seen.text.startswith("begun\n[time-out after 0.")


async def test_it_is_ended_before_the_time_of_an_action_is_over(guest):
    context = ToolContext(ShellComputer(Shell(guest.link)), step_s=1.0)
    async with asyncio.timeout(60):
        seen = await RUN.run(context, Run(command="sleep 1000", timeout_s=2000))
    assert "[time-out after " in seen.text


async def test_what_cannot_be_started_is_the_models_to_know(context):
    with pytest.raises(ToolError):
        await RUN.run(context, Run(command="echo \0"))


async def test_rules_see_the_command(context):
    assert await RUN.facts(context, Run(command="ls")) == {"command": "ls"}


def test_a_model_sees_what_it_takes():
    described = spec(tools(["run"])["run"])
    assert described.name == "run"
    assert described.parameters["required"] == ["command"]
    assert set(described.parameters["properties"]) == {"command", "timeout_s"}
    for wrong in (0, -1, 86_401):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"command": "ls", "timeout_s": wrong}, Run)


async def test_dispatch_knows_it_and_a_computer_without_a_shell_says_so(context):
    record = Recorder(MemoryLog(), "s")
    dispatch = Dispatch(record=record, tools=tools(["run"]), context=context, step_s=30.0)
    action = Action(tool="run", arguments={"command": "echo $((6 * 7))"})
    assert (await dispatch(action)).text == "42"
    assert any(isinstance(event.data, Intended) for event in record.events)
    none = Dispatch(
        record=record, tools=tools(["run"]), context=ToolContext(Computer()), step_s=30.0
    )
    seen = await none(action)
    assert (seen.error, seen.text) == (True, "this computer has no shell")
