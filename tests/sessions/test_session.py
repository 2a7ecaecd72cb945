import asyncio

import pytest

from doer.errors import ComputerError, ModelError, SiteError
from doer.models.scripted import ScriptedModel
from doer.records.action import Action
from doer.records.completion import Completion
from doer.records.event import Faulted, Intended, Observed, TurnEnded
from doer.records.task import Limits, Task
from doer.sessions import build
from doer.store.memory import MemoryLog

WRITE = Action(tool="write_file", arguments={"path": "b.txt", "text": "x"}, id="c1")


def task(limits: Limits) -> Task:
    return Task(taskset="test", name="own", seed=0, limits=limits)


def made(computer, script, **more):
    return build.session(
        log=MemoryLog(),
        model=ScriptedModel("script", script),
        computer=computer,
        tool_names=("list", "write_file"),
        task=task(more.pop("limits", Limits())),
        **more,
    )


async def test_a_turn_writes_every_step_into_the_log(folder_computer):
    script = [Completion(actions=(WRITE,)), Completion(text="written")]
    session = made(folder_computer, script)
    assert await session.turn("Write x into b.txt") == "done"
    await session.close("done")
    events = session.record.events
    assert [event.kind for event in events] == [
        "session.started",
        "turn.started",
        "decision",
        "action.intent",
        "action.outcome",
        "decision",
        "turn.ended",
        "session.ended",
    ]
    assert [event.step for event in events] == [0, 0, 1, 1, 1, 2, 2, 2]
    assert events[3].cause == events[2].seq
    assert events[4].cause == events[3].seq
    assert events[6].data == TurnEnded(end="done", answer="written")
    assert await folder_computer.files.read("b.txt") == "x"


async def test_the_model_sees_what_came_back(folder_computer):
    requests = []

    def script(request):
        requests.append(request)
        return Completion(actions=(WRITE,)) if len(requests) == 1 else Completion(text="ok")

    await made(folder_computer, script).turn("Do it")
    roles = [[message.role for message in request.messages] for request in requests]
    assert roles == [["system", "user"], ["system", "user", "assistant", "tool"]]
    last = requests[1].messages[-1]
    assert "b.txt" in last.text
    assert last.call == "c1"
    assert [tool.name for tool in requests[0].tools] == ["list", "write_file"]


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (Action(tool="fly"), "there is no tool 'fly'; the tools are: list, write_file"),
        (Action(tool="write_file", arguments={"path": 3}), "write_file: Expected `str`"),
        (Action(tool="list", arguments={"_malformed": "{"}), "not a JSON object: {"),
        (Action(tool="list", arguments={"all": True}), "list: Object contains unknown field"),
        (Action(tool="write_file", arguments={"path": "../b", "text": ""}), "b"),
    ],
)
async def test_what_the_model_did_wrong_is_told_to_it(folder_computer, action, said):
    session = made(folder_computer, [Completion(actions=(action,)), Completion(text="sorry")])
    assert await session.turn("Do it") == "done"
    (outcome,) = [e.data.observation for e in session.record.events if isinstance(e.data, Observed)]
    assert outcome.error
    assert said in outcome.text


async def test_a_missing_part_is_told_to_the_model(folder_computer):
    session = build.session(
        log=MemoryLog(),
        model=ScriptedModel("s", [Completion(actions=(Action(tool="read"),)), Completion()]),
        computer=folder_computer,
        tool_names=("read",),
        task=task(Limits()),
    )
    assert await session.turn("Read") == "gave_up"
    (outcome,) = [e.data.observation for e in session.record.events if isinstance(e.data, Observed)]
    assert outcome.text == "this computer has no browser"


async def test_steps_and_time_are_limited(folder_computer):
    def forever(_):
        return Completion(actions=(WRITE,))

    session = made(folder_computer, forever, limits=Limits(steps=3))
    assert await session.turn("Go on") == "limit"
    assert sum(event.kind == "decision" for event in session.record.events) == 3
    session = made(folder_computer, forever, limits=Limits(steps=10**9, total_s=0.05))
    assert await session.turn("Go on") == "limit"


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (ModelError("down"), "model_fault"),
        (ComputerError("dead"), "computer_fault"),
        (SiteError("500"), "site_fault"),
        (ZeroDivisionError("plain"), "model_fault"),
    ],
)
async def test_faults_become_typed_ends(folder_computer, error, end):
    def broken(_):
        raise error

    session = made(folder_computer, broken)
    assert await session.turn("Do it") == end
    (fault,) = [e.data for e in session.record.events if isinstance(e.data, Faulted)]
    assert str(error) in fault.text


async def test_a_model_that_hangs_is_a_model_fault(folder_computer):
    class Hanging:
        name = "hanging"

        async def respond(self, request):
            await asyncio.Event().wait()

    session = build.session(
        log=MemoryLog(),
        model=Hanging(),
        computer=folder_computer,
        tool_names=(),
        task=task(Limits(step_s=0.05)),
    )
    assert await session.turn("Do it") == "model_fault"


async def test_the_world_can_end_a_turn(folder_computer):
    session = made(
        folder_computer,
        lambda _: Completion(actions=(WRITE, WRITE)),
        over=lambda observation: "b.txt" in observation.text,
    )
    assert await session.turn("Go on") == "done"
    assert sum(isinstance(event.data, Intended) for event in session.record.events) == 1


async def test_the_agent_waits_while_a_person_has_control(folder_computer):
    session = made(folder_computer, [Completion(actions=(WRITE,)), Completion(text="ok")])
    session.control.take()
    assert session.control.held_by_user
    turn = asyncio.ensure_future(session.turn("Do it"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(turn), 0.05)
    assert "b.txt" not in await folder_computer.files.list()
    session.control.give_back()
    assert await asyncio.wait_for(turn, 5) == "done"
    assert "b.txt" in await folder_computer.files.list()


async def test_a_second_turn_goes_on_in_the_same_log(folder_computer):
    session = made(folder_computer, [Completion(text="one"), Completion(text="two")])
    await session.turn("first")
    await session.turn("second")
    kinds = [event.kind for event in session.record.events]
    assert kinds.count("session.started") == 1
    assert [e.turn for e in session.record.events if e.kind == "turn.started"] == [1, 2]
