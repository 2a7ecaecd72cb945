"""A training rollout and `doer run` are the same session: same kinds, same function."""

import asyncio
import os
import subprocess
import sys

from doer.models.scripted import ScriptedModel
from doer.records.event import from_json
from doer.sessions.session import Session
from doer.worlds.check import follow
from doer.worlds.command import run
from doer.worlds.files.world import FileChores
from doer.worlds.rollout import Runner

TASK = "set-value"


async def rollout():
    world = FileChores()
    model = ScriptedModel("oracle", follow(world.oracle(TASK)))
    done = await Runner(taskset=world, model=model).rollout(world.task(TASK, 0))
    await world.close()
    return done


def test_the_command_writes_the_events_of_a_training_rollout(tmp_path):
    command = ["run", "--task", f"files/{TASK}", "--model", "oracle", "--json"]
    ran = subprocess.run(
        [sys.executable, "-c", "from doer.cli.main import main; main()", *command],
        env={**os.environ, "DOER_HOME": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    told = [from_json(line) for line in ran.stdout.splitlines()]
    trained = asyncio.run(rollout())
    assert [event.kind for event in told] == [event.kind for event in trained.events]
    assert [event.actor for event in told] == [event.actor for event in trained.events]
    assert [event.step for event in told] == [event.step for event in trained.events]


def test_both_go_through_the_same_turn(tmp_path, monkeypatch):
    monkeypatch.setenv("DOER_HOME", str(tmp_path))
    callers = []

    def note(frame, event, _):
        if event == "call" and frame.f_code is Session.turn.__code__:
            callers.append(frame.f_back.f_code.co_qualname)

    sys.setprofile(note)
    try:
        asyncio.run(run("", "oracle", f"files/{TASK}", 0, "", lambda _: None))
        asyncio.run(rollout())
    finally:
        sys.setprofile(None)
    assert len(callers) >= 2
    assert set(callers) == {"Runner._attempt"}
