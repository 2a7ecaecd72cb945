"""Every action passes the guard, and nothing is carried out that it does not allow."""

from dataclasses import replace

import pytest

from doer.computers.computer import Computer
from doer.guard.approval import digest
from doer.guard.rules import ALLOW_ALL, Rule, Rules
from doer.models.scripted import ScriptedModel
from doer.records.action import Action
from doer.records.completion import Completion
from doer.records.computer import Heal
from doer.records.event import Answered, Asked, ComputerHealed, Intended
from doer.records.task import Limits, Task
from doer.sessions import build
from doer.store.memory import MemoryLog
from doer.tools.tool import ToolContext

WRITE = Action(tool="write_file", arguments={"path": "b.txt", "text": "x"})
NOT_B = Rules(
    (
        Rule(name="keep off b", ruling="deny", tool="write_*", where={"path": "b*"}),
        Rule(name="rest", ruling="allow"),
    )
)
ASK = Rules((Rule(name="ask first", ruling="ask", tool="write_file"),))


def task(limits: Limits) -> Task:
    return Task(taskset="test", name="own", seed=0, limits=limits)


@pytest.fixture
def dispatch(folder_computer):
    return build.session(
        log=MemoryLog(),
        model=ScriptedModel("none", [Completion()]),
        computer=folder_computer,
        tool_names=("list", "write_file"),
        task=task(Limits()),
    ).dispatch


async def written(dispatch) -> bool:
    return "b.txt" in await dispatch.context.computer.files.list()


async def test_allowed_actions_are_carried_out_and_the_ruling_is_logged(dispatch):
    assert dispatch.rules is ALLOW_ALL
    observation = await dispatch(WRITE)
    assert not observation.error
    assert await written(dispatch)
    intent = next(e.data for e in dispatch.record.events if isinstance(e.data, Intended))
    assert (intent.ruling, intent.rule) == ("allow", "allow all")


async def test_denied_actions_are_not_carried_out(dispatch):
    dispatch = replace(dispatch, rules=NOT_B)
    observation = await dispatch(WRITE)
    assert observation.error
    assert "keep off b" in observation.text
    assert not await written(dispatch)
    other = Action(tool="write_file", arguments={"path": "c.txt", "text": "x"})
    assert not (await dispatch(other)).error
    intents = [e.data for e in dispatch.record.events if isinstance(e.data, Intended)]
    assert [intent.facts for intent in intents] == [{"path": "b.txt"}, {"path": "c.txt"}]


async def test_what_no_rule_speaks_of_is_denied(dispatch):
    dispatch = replace(dispatch, rules=Rules(()))
    assert (await dispatch(WRITE)).error
    assert not await written(dispatch)


@pytest.mark.parametrize("yes", [True, False])
async def test_an_approval_is_asked_logged_and_obeyed(dispatch, yes):
    async def approver(action, facts):
        assert action == WRITE
        return yes

    dispatch = replace(dispatch, rules=ASK, approver=approver)
    assert (await dispatch(WRITE)).error is not yes
    assert await written(dispatch) is yes
    asked, answered = [
        event.data for event in dispatch.record.events if isinstance(event.data, Asked | Answered)
    ]
    assert asked.digest == answered.digest == digest(WRITE, {}, ASK)
    assert answered.approved is yes


async def test_without_anyone_to_ask_the_answer_is_no(dispatch):
    dispatch = replace(dispatch, rules=ASK)
    assert (await dispatch(WRITE)).error
    assert not await written(dispatch)


def test_an_approval_is_bound_to_arguments_target_and_rules():
    other = Action(tool="write_file", arguments={"path": "b.txt", "text": "y"})
    bound = {
        digest(WRITE, {}, ASK),
        digest(other, {}, ASK),
        digest(WRITE, {"path": "b.txt"}, ASK),
        digest(WRITE, {}, NOT_B),
    }
    assert len(bound) == 4


async def test_an_action_on_a_part_that_is_missing_is_answered_and_the_work_goes_on(
    folder_computer,
):
    session = build.session(
        log=MemoryLog(),
        model=ScriptedModel("none", [Completion()]),
        computer=folder_computer,
        tool_names=("press", "list"),
        task=task(Limits()),
    )
    answer = await session.dispatch(Action(tool="press", arguments={"keys": "Enter"}))
    assert answer.error
    assert answer.text == "this computer has no browser"


class Mended(Computer):
    """A computer whose files had to be mended, once."""

    async def ready(self, part):
        await super().ready(part)
        heals, self.heals = self.heals, ()
        return heals


async def test_what_was_mended_before_an_action_is_told_and_logged(dispatch, folder_computer):
    mended = Mended(files=folder_computer.files)
    mended.heals = (Heal("files", "what was not saved is lost"),)
    dispatch = replace(dispatch, context=ToolContext(mended))
    first, second = await dispatch(WRITE), await dispatch(WRITE)
    assert first.text.startswith("files restarted; what was not saved is lost\n")
    assert "restarted" not in second.text
    healed = [e.data for e in dispatch.record.events if isinstance(e.data, ComputerHealed)]
    assert healed == [ComputerHealed(part="files", lost="what was not saved is lost")]
