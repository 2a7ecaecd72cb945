import pytest

from doer.errors import ConfigError
from doer.models.scripted import ScriptedModel
from doer.records.action import Action
from doer.records.completion import Completion
from doer.records.event import Event, Noted
from doer.sessions.replay import differences, recorded, task_of
from doer.worlds.check import follow
from doer.worlds.files.world import FileChores
from doer.worlds.rollout import Runner


@pytest.fixture
async def world():
    made = FileChores()
    yield made
    await made.close()


async def test_a_recorded_session_comes_out_the_same(world):
    task = world.task("move-line", 3)
    model = ScriptedModel("oracle", follow(world.oracle("move-line")))
    first = await Runner(taskset=world, model=model).rollout(task)
    again = Runner(taskset=world, model=recorded(first.events))
    second = await again.rollout(task_of(first.events))
    assert differences(first.events, second.events) == []
    assert second.passed
    kinds = [event.kind for event in first.events]
    assert [event.kind for event in second.events] == kinds


async def test_what_comes_out_otherwise_is_found(world):
    write = Action(tool="write_file", arguments={"path": "x.txt", "text": "1"})
    said = [Completion(actions=(write,)), Completion(text="done")]
    runs = [
        await Runner(taskset=world, model=ScriptedModel("s", said)).rollout(world.task(name, 1))
        for name in ("set-value", "move-line")
    ]
    (found,) = differences(runs[0].events, runs[1].events)
    assert found.place == 1
    assert found.was != found.now


def test_a_session_without_a_task_cannot_be_done_again():
    with pytest.raises(ConfigError, match="no task"):
        task_of([Event(session="s", data=Noted(text="x"))])
