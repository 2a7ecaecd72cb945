"""The Gymnasium face: what its checker asks for, and the same rollout behind it as everywhere."""

import asyncio
import json
import re
import threading
from dataclasses import replace
from random import Random

import gymnasium
import msgspec
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from doer.errors import ComputerError, ConfigError, SiteError
from doer.models.scripted import ScriptedModel
from doer.records.action import Action
from doer.records.completion import Completion
from doer.records.task import Grade
from doer.worlds.files.chores import CHORES
from doer.worlds.files.world import FileChores
from doer.worlds.gymnasium import DoerEnv, register
from doer.worlds.rollout import Runner

NAME = "set-value"
DONE = json.dumps({"answer": "done"})
LIST = json.dumps({"tool": "list"})


@pytest.fixture
def make():
    """Makes environments and closes them."""
    made = []

    def making(*arguments, **options):
        made.append(DoerEnv(*arguments, **options))
        return made[-1]

    yield making
    for env in made:
        env.close()


def solution(seed):
    """The action that solves the task of this seed."""
    chore = CHORES[NAME](Random(f"{NAME}/{seed}"))
    ((path, text),) = chore.after.items() - chore.before.items()
    return Action(tool="write_file", arguments={"path": path, "text": text})


def written(action):
    return json.dumps({"tool": action.tool, "arguments": action.arguments})


def test_it_passes_gymnasiums_own_check():
    register()
    register()
    env = gymnasium.make("Doer-v0", taskset="files/set-value,move-line")
    check_env(env.unwrapped)
    env.close()


@pytest.mark.slow
def test_it_passes_gymnasiums_own_check_on_a_page():
    register()
    env = gymnasium.make("Doer-v0", taskset="miniwob/click-test")
    check_env(env.unwrapped)
    first, _ = env.reset(seed=1)
    (ref,) = re.findall(r"\[(\d+)\] button", first["view"])
    _, reward, terminated, truncated, info = env.step(
        json.dumps({"tool": "click", "arguments": {"ref": int(ref)}})
    )
    assert (reward, terminated, truncated, info["end"]) == (1.0, True, False, "done")
    env.close()


def test_a_solved_task_is_rewarded_once_at_its_end(make):
    env = make(f"files/{NAME}")
    first, info = env.reset(seed=3)
    assert info == {"task": f"files/{NAME}#3"}
    assert first["instruction"].startswith("In ")
    assert first["view"].startswith("[1] ")
    assert first["error"] == ""
    shown, *rest = env.step(written(solution(3)))
    assert rest == [0.0, False, False, info]
    assert shown["view"] != first["view"]
    _, *rest = env.step(DONE)
    told = {"end": "done", "passed": True, "why": "as expected"}
    assert rest == [1.0, True, False, info | told]
    with pytest.raises(ResetNeeded, match="call reset"):
        env.step(LIST)


def test_behind_it_is_the_rollout_of_evals_and_training(make):
    env = make(f"files/{NAME}")
    env.reset(seed=3)
    env.step(written(solution(3)))
    env.step(DONE)

    async def rollout():
        world = FileChores()
        script = [Completion(actions=(solution(3),)), Completion(text="done")]
        runner = Runner(taskset=world, model=ScriptedModel("same", script))
        return await runner.rollout(world.task(NAME, 3))

    same = asyncio.run(rollout())
    there = env.trajectory
    assert (there.end, there.grade, there.steps) == (same.end, same.grade, same.steps)
    kept = [[(e.kind, e.actor, e.step, e.cause) for e in t.events] for t in (there, same)]
    assert kept[0] == kept[1]


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("", "write {"),
        ("click 7", "JSON is malformed"),
        ('{"tool": "list", "speed": 3}', "speed"),
        ('{"tool": 3}', "Expected `str`"),
        ("[]", "Expected `object`"),
        ("{}", "there is no tool ''; the tools are: list, read_file, write_file"),
        ('{"tool": "fly"}', "there is no tool 'fly'"),
        ('{"tool": "read_file", "arguments": {"file": "x"}}', "file"),
        ('"\udcff"', "surrogates not allowed"),
    ],
)
def test_what_cannot_be_done_is_told_and_costs_a_step(make, action, said):
    env = make(f"files/{NAME}")
    first, _ = env.reset(seed=1)
    shown, *rest = env.step(action)
    assert said in shown["error"]
    assert shown["view"] == first["view"]
    assert rest[:3] == [0.0, False, False]
    assert env.step(LIST)[0]["error"] == ""
    for _ in range(3):
        assert not env.step(action)[3]
    _, _, terminated, truncated, info = env.step(action)
    assert (terminated, truncated, info["end"]) == (False, True, "limit")


def test_an_answer_after_an_error_is_no_error(make):
    env = make(f"files/{NAME}")
    env.reset(seed=1)
    assert env.step("junk")[0]["error"]
    shown, _, terminated, *_ = env.step(DONE)
    assert (shown["error"], terminated) == ("", True)


def test_seeds_and_names_choose_the_task(make):
    env = make("files", ["move-line", NAME])
    assert env.reset(seed=7, options={"name": "move-line"})[1]["task"] == "files/move-line#7"
    drawn = [[env.reset(seed=7)[1]["task"]] + [env.reset()[1]["task"] for _ in range(9)]] * 2
    assert drawn[0] == drawn[1]
    assert drawn[0][0].endswith("#7")
    assert len(set(drawn[0])) == 10
    assert {task.split("#")[0] for task in drawn[0]} == {"files/move-line", f"files/{NAME}"}
    with pytest.raises(ConfigError, match="no task 'fly'"):
        env.reset(options={"name": "fly"})


class Watched(FileChores):
    """Notes how environments come back, and has a grader of its own."""

    def __init__(self, grade=None, **limits):
        super().__init__()
        self.ends, self.limits = [], limits
        self.faults = []
        self.grade = grade

    def task(self, name, seed):
        task = super().task(name, seed)
        return msgspec.structs.replace(
            task, limits=msgspec.structs.replace(task.limits, **self.limits)
        )

    async def prepare(self, task):
        if self.faults:
            raise self.faults.pop()
        environment = await super().prepare(task)
        return replace(environment, graders=(self,)) if self.grade else environment

    async def release(self, environment, end):
        self.ends.append(end)
        await super().release(environment, end)


def test_an_early_reset_gives_up_and_gives_the_computer_back(make):
    world = Watched()
    env = make(world, [NAME])
    for seed in range(3):
        env.reset(seed=seed)
    assert world.ends == ["gave_up", "gave_up"]
    env.close()
    env.close()
    assert world.ends == ["gave_up"] * 3
    assert "doer-gymnasium" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(ResetNeeded, match="closed"):
        env.reset()


@pytest.mark.parametrize("fault", [SiteError("500"), ComputerError("dead")])
def test_a_fault_before_the_start_is_raised_and_the_next_reset_goes_on(make, fault):
    world = Watched()
    env = make(world, [NAME])
    world.faults.append(fault)
    with pytest.raises(type(fault), match=str(fault)):
        env.reset(seed=1)
    with pytest.raises(ResetNeeded):
        env.step(LIST)
    assert env.reset(seed=1)[1] == {"task": f"files/{NAME}#1"}


def test_a_fault_on_the_way_truncates_and_says_so(make):
    async def broken(_):
        raise KeyError("plain")

    env = make(Watched(broken), [NAME])
    env.reset(seed=1)
    _, reward, terminated, truncated, info = env.step(DONE)
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert (info["end"], info["passed"]) == ("grader_fault", False)
    assert "KeyError" in info["why"]


def test_what_hangs_is_given_up(make):
    async def never(_):
        await asyncio.Event().wait()

    world = Watched(never, step_s=0.05)
    env = make(world, [NAME])
    env.reset(seed=1)
    *_, truncated, info = env.step(DONE)
    assert truncated
    assert (info["end"], info["why"]) == ("computer_fault", "no answer in 0.1 s")
    assert world.ends == ["done"]
    env.reset(seed=2)


def test_thinking_has_no_deadline(make):
    async def at_once(_):
        return Grade(score=0.5, passed=False)

    env = make(Watched(at_once, step_s=0.05, total_s=0.1), [NAME])
    env.reset(seed=1)
    env._loop.call(asyncio.sleep(0.2))
    assert env.step(LIST)[3] is False
    assert env.step(DONE)[1] == 0.5


def test_texts_are_cut_and_what_is_not_printable_is_escaped(make):
    async def at_once(_):
        return Grade(score=0.0, passed=False)

    env = make(f"files/{NAME}", max_length=200)
    env.reset(seed=1)
    text = "caf\u00e9 \u2603 \U0001f600 \x07\tx"
    shown, *_ = env.step(
        json.dumps({"tool": "write_file", "arguments": {"path": "a.txt", "text": text}})
    )
    assert r"caf\xe9 \u2603 \U0001f600 \x07" in shown["view"]
    assert "\tx" in shown["view"]
    assert shown in env.observation_space
    shown, *_ = env.step(
        json.dumps({"tool": "write_file", "arguments": {"path": "a.txt", "text": text * 99}})
    )
    assert len(shown["view"]) == 200


def test_it_works_below_a_running_loop(make):
    async def inside():
        env = make(f"files/{NAME}")
        env.reset(seed=3)
        env.step(written(solution(3)))
        return env.step(DONE)[1]

    assert asyncio.run(inside()) == 1.0
