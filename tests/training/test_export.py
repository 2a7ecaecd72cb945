"""Recorded work as other trainers read it: exact lines, and the same from wherever it was kept."""

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from doer.agents.context import KEPT_VIEWS, LEFT_OUT, request
from doer.config import read
from doer.errors import ConfigError
from doer.models.scripted import ScriptedModel
from doer.records.action import MALFORMED, Action, Element, Observation
from doer.records.completion import Completion, Segment, ToolSpec
from doer.records.event import (
    Decided,
    Ended,
    Event,
    Graded,
    Intended,
    Observed,
    Started,
    TurnEnded,
    TurnStarted,
    to_json,
)
from doer.records.task import Grade, Task
from doer.records.trajectory import Trajectory
from doer.store.sqlite import SqliteLog
from doer.training.export import command, dpo, joined, sft, steps, tokens
from doer.training.recipe import Recipe
from doer.training.recorded import rollout
from doer.training.run import Run
from doer.worlds.build import oracle
from doer.worlds.files.world import FileChores
from doer.worlds.rollout import Runner

RECIPE = read(Path(__file__).parents[2] / "recipes" / "quickstart.toml", Recipe)
TASK = Task(taskset="toys", name="press", seed=1, instruction="Press B.")
PRESS = ToolSpec(name="press", description="Press it.", parameters={"type": "object"})
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "press",
            "description": "Press it.",
            "parameters": {"type": "object"},
        },
    }
]
SYSTEM = {"role": "system", "content": "Be good."}


def view(text, x=0.0):
    return Observation(text=text, elements=(Element(1, "button", text, box=(x, 0, 9, 9)),))


def press(key, id=""):
    return Action(tool="press", arguments={"key": key}, id=id)


def done(*decisions, passed=True, first=None, end="done", task=TASK):
    """A finished rollout: each decision is words, or the actions of one step, whose outcomes say
    what was pressed."""
    payloads = [
        Started(model="m", task=task, instructions="Be good.", tools=(PRESS,)),
        TurnStarted(instruction=task.instruction, observation=first or view("start")),
    ]
    causes = [None, None]
    for said in decisions:
        words, actions = (said, ()) if isinstance(said, str) else ("", said)
        payloads.append(Decided(completion=Completion(text=words, actions=tuple(actions))))
        causes.append(None)
        for action in actions:
            payloads.append(Intended(action=action))
            causes += [None, len(payloads)]
            payloads.append(Observed(observation=view(f"pressed {action.arguments.get('key')}")))
    grade = Grade(score=float(passed), passed=passed, why="judged")
    payloads += [TurnEnded(end=end), Graded(grader="g", grade=grade), Ended(end=end)]
    causes += [None] * 3
    places = enumerate(zip(payloads, causes, strict=True), start=1)
    events = [Event(session="s", seq=n, cause=c, data=data) for n, (data, c) in places]
    return Trajectory(task=task, end=end, grade=grade, events=tuple(events))


def call(key, id):
    function = {"name": "press", "arguments": {"key": key}}
    calls = [{"type": "function", "id": id, "function": function}]
    return {"role": "assistant", "content": "", "tool_calls": calls}


def result(text, id):
    return {"role": "tool", "content": text, "tool_call_id": id, "name": "press"}


START = {"role": "user", "content": "Press B.\n\nstart"}
A, B = call("a", "call00200"), call("b", "call00400")
SAW_A, SAW_B = result("pressed a", "call00200"), result("pressed b", "call00400")
SAID = {"role": "assistant", "content": "Done."}


def test_a_conversation_is_one_line():
    work = done([press("a", "x")], [press("b", "y")], "Done.")
    messages = [SYSTEM, START, A, SAW_A, B, SAW_B, SAID]
    assert list(sft([work])) == [{"messages": messages, "tools": TOOLS}]


def test_a_conversation_ends_with_the_models_own_words():
    (line,) = sft([done([press("a")], [press("b")])])
    assert line["messages"] == [SYSTEM, START, A, SAW_A, B]


def test_each_decision_is_a_line():
    work = done([press("a", "x")], [press("b", "y")], "Done.")
    told = [SYSTEM, START, A, SAW_A, B, SAW_B, SAID]
    assert list(steps([work])) == [
        {"prompt": told[:place], "completion": [told[place]], "tools": TOOLS} for place in (2, 4, 6)
    ]


def test_several_calls_of_a_step_are_answered_in_order():
    (line,) = sft([done([press("a"), press("b")], "Done.")])
    both = {
        **A,
        "tool_calls": A["tool_calls"] + call("b", "call00201")["tool_calls"],
    }
    answers = [SAW_A, result("pressed b", "call00201")]
    assert line["messages"] == [SYSTEM, START, both, *answers, SAID]


def test_decisions_are_told_as_they_were_asked_and_conversations_in_full():
    work = done(*([press(key)] for key in "abcde"), "Done.")
    (line,) = sft([work])
    assert LEFT_OUT not in str(line)
    last = list(steps([work]))[-1]
    assert str(last["prompt"]).count(LEFT_OUT) == 6 - KEPT_VIEWS
    assert len(last["prompt"]) + 1 == len(line["messages"])


def test_only_what_passed_is_learnt_from():
    calls = [replace(press("a"), arguments={MALFORMED: "{"})]
    nobody = replace(done("Done."), grade=None)
    bare = replace(done("Done."), events=())
    unfit = [done("Done.", passed=False), done(calls, "Done."), nobody, bare, done("")]
    assert list(sft(unfit)) == list(steps(unfit)) == []


def test_a_pair_is_one_message_each_where_two_rollouts_part():
    good = done([press("a", "x")], [press("b", "y")], "Done.")
    bad = done([press("a", "z")], "No idea.", passed=False)
    (line,) = dpo([bad, good])
    assert line == {
        "prompt": [SYSTEM, START, A, SAW_A],
        "chosen": [B],
        "rejected": [{"role": "assistant", "content": "No idea."}],
        "tools": TOOLS,
    }


def test_a_pair_has_seen_the_same():
    good = done([press("b")])
    moved = done("No.", passed=False, first=view("start", x=7.0))
    other = done("No.", passed=False, first=view("begin"))
    elsewhere = done("No.", passed=False, task=replace(TASK, seed=2))
    assert len(list(dpo([good, moved]))) == 1
    assert list(dpo([good, other])) == list(dpo([good, elsewhere])) == []
    assert [line["rejected"] for line in dpo([good, other, moved])] == [
        [{"role": "assistant", "content": "No."}]
    ]


def test_pairs_use_every_rollout_once_and_need_both_outcomes():
    good, bad = done([press("b")]), done("No.", passed=False)
    assert len(list(dpo([good, good, bad]))) == 1
    assert len(list(dpo([good, bad, bad, good, bad]))) == 2
    assert list(dpo([good, good])) == list(dpo([bad, bad])) == []
    assert list(dpo([good, done([press("b")], passed=False)])) == []
    fault = replace(bad, end="site_fault", grade=None)
    assert list(dpo([good, fault])) == []


def segment(ids, mask, logprobs=None):
    return Segment(
        token_ids=tuple(ids),
        mask=tuple(mask),
        logprobs=tuple(logprobs or [-0.5 * m for m in mask]),
    )


def test_tokens_are_what_a_rollout_function_returns():
    work = replace(done("Done."), segments=(segment([5, 6, 7, 8], [0, 0, 1, 1], [0, 0, -1, -2]),))
    assert list(tokens([work])) == [
        {
            "prompt_ids": (5, 6),
            "completion_ids": (7, 8),
            "logprobs": (-1, -2),
            "env_mask": (1, 1),
            "reward": 1.0,
            "task": "toys/press#1",
        }
    ]


def test_segments_that_go_on_are_joined():
    first = segment([1, 2, 3], [0, 0, 1], [0, 0, -1.0])
    longer = segment([1, 2, 3, 4, 5], [0, 0, 0, 0, 1], [0, 0, 0, 0, -2.0])
    afresh = segment([1, 9, 5], [0, 0, 1], [0, 0, -3.0])
    whole = segment([1, 2, 3, 4, 5], [0, 0, 1, 0, 1], [0, 0, -1.0, 0, -2.0])
    assert joined([first, longer, afresh]) == [whole, afresh]
    assert joined([longer, first]) == [longer, first]
    assert joined([]) == []
    work = replace(done("Done.", passed=False), segments=(first, longer, afresh))
    lines = list(tokens([work]))
    assert [line["completion_ids"] for line in lines] == [(3, 4, 5), (5,)]
    assert [line["env_mask"] for line in lines] == [(1, 0, 1), (1,)]
    assert [line["logprobs"] for line in lines] == [(-1.0, 0, -2.0), (-3.0,)]
    assert [line["reward"] for line in lines] == [0.0, 0.0]


def test_what_was_not_scored_or_not_chosen_gives_no_tokens():
    some = (segment([1, 2], [0, 1]),)
    fault = replace(done("Done.", end="site_fault"), segments=some)
    given = replace(done("Done."), segments=(segment([1, 2], [0, 0]),))
    assert list(tokens([fault, given, done("Done.")])) == []


@pytest.fixture(scope="module")
def worked():
    """Rollouts of the files world: two by the oracle, one by a model that does nothing."""

    async def work():
        world = FileChores()
        tasks = [world.task("set-value", seed) for seed in (0, 1)]
        solver = Runner(taskset=world, model=oracle(world, "set-value"))
        idler = ScriptedModel("idler", lambda _: Completion(text="done"))
        found = await solver.run(tasks)
        found += await Runner(taskset=world, model=idler).run(tasks[:1])
        await world.close()
        return found

    return asyncio.run(work())


def lines(path):
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


def save(path, encoded):
    path.write_bytes(b"\n".join(encoded))
    return path


def test_real_rollouts_say_what_their_model_was_asked(worked, tmp_path):
    source = save(tmp_path / "all.jsonl", map(msgspec.json.encode, worked))
    out = tmp_path / "out.jsonl"
    assert command(source, "steps", out) == (4, 3)
    solved = worked[0].events
    place = next(n for n, event in enumerate(solved) if isinstance(event.data, Decided))
    asked, first = request(solved[:place]), lines(out)[0]
    assert [message["role"] for message in first["prompt"]] == ["system", "user"]
    assert first["prompt"][0]["content"] == asked.messages[0].text
    assert first["prompt"][1]["content"].startswith(worked[0].task.instruction)
    names = [tool["function"]["name"] for tool in first["tools"]]
    assert names == ["list", "read_file", "write_file"]
    (made,) = first["completion"][0]["tool_calls"]
    assert made["function"]["name"] == "write_file"
    assert set(made["function"]["arguments"]) == {"path", "text"}
    assert command(source, "sft", out) == (2, 3)
    assert [message["role"] for message in lines(out)[0]["messages"]] == [
        *("system", "user", "assistant", "tool", "assistant")
    ]
    assert command(source, "dpo", out) == (1, 3)
    assert lines(out)[0]["rejected"] == [{"role": "assistant", "content": "done"}]


def test_wherever_it_was_kept_it_is_the_same(worked, tmp_path):
    async def logged():
        log = SqliteLog(tmp_path / "log.db")
        for work in worked:
            for event in work.events:
                await log.append(event)
        await log.close()

    asyncio.run(logged())
    run = Run(tmp_path / "run", RECIPE)
    run.save_demonstrations(worked)
    mixed = sorted((e for work in worked for e in work.events), key=lambda event: event.seq)
    save(tmp_path / "events.jsonl", map(to_json, mixed))
    save(tmp_path / "all.jsonl", map(msgspec.json.encode, worked))
    told = set()
    for name in ("log.db", "run", "events.jsonl", "all.jsonl"):
        assert command(tmp_path / name, "sft", tmp_path / "out.jsonl") == (2, 3)
        told.add(frozenset((tmp_path / "out.jsonl").read_bytes().splitlines()))
    assert len(told) == 1
    again = rollout(worked[0].events)
    assert (again.task, again.end, again.grade) == (worked[0].task, "done", worked[0].grade)
    assert (again.steps, again.events) == (worked[0].steps, worked[0].events)


def test_a_session_of_which_something_was_deleted_is_left_out(worked, tmp_path):
    async def logged():
        log = SqliteLog(tmp_path / "log.db")
        for work in worked:
            for event in work.events:
                await log.append(event)
        await log.forget(worked[0].events[0].session, 4)
        await log.close()

    asyncio.run(logged())
    assert command(tmp_path / "log.db", "sft", tmp_path / "out.jsonl") == (1, 2)


def test_a_run_gives_tokens_from_its_rollouts(tmp_path):
    run = Run(tmp_path, RECIPE)
    work = replace(done("Done."), segments=(segment([1, 2], [0, 1]),))
    run.save_rollouts(1, [work, work])
    run.save_rollouts(2, [work])
    assert command(tmp_path, "tokens", tmp_path / "out.jsonl") == (3, 3)
    with pytest.raises(ConfigError, match=r"no demonstrations\.jsonl"):
        command(tmp_path, "sft", tmp_path / "out.jsonl")


def test_a_rollout_is_put_together_from_its_events():
    events = list(done("Done.").events)
    half = Graded(grader="h", grade=Grade(score=0.5, passed=False, why="half"))
    events.insert(-1, replace(events[-2], data=half))
    events = [replace(event, seq=n) for n, event in enumerate(events, start=1)]
    found = rollout(events)
    assert found.grade == Grade(score=0.75, passed=False, why="judged; half")
    assert rollout(events[1:]) is rollout([*events[:5], *events[6:]]) is None
    assert rollout(events[:3]).end == "cancelled"
    assert rollout(events[:3]).grade is None


@pytest.mark.parametrize(
    ("text", "form", "said"),
    [
        (b"", "sft", "none of the 0 rollouts"),
        (b'{"task": 1}', "sft", "line 1: neither a trajectory nor an event"),
        (b"\xff", "sft", "line 1: neither a trajectory nor an event"),
        (b'{"session": "s", "data": 3}', "sft", "line 1: neither a trajectory nor an event"),
        (b"", "csv", "no format 'csv'; there are: dpo, sft, steps, tokens"),
    ],
)
def test_what_cannot_be_told_is_an_error_and_writes_nothing(tmp_path, text, form, said):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(text)
    with pytest.raises(ConfigError, match=said):
        command(source, form, out)
    assert not out.exists()


def test_the_command_reads_what_a_run_prints(worked, tmp_path):
    source = save(tmp_path / "events.jsonl", map(to_json, worked[0].events))
    out = str(tmp_path / "out.jsonl")
    arguments = ["export", str(source), "--format", "steps", "--out", out]
    program = [sys.executable, "-c", "from doer.cli.main import main; main()", *arguments]
    ran = subprocess.run(program, capture_output=True, check=True, text=True)
    assert ran.stdout == f"2 lines from 1 rollouts: {out}\n"
