"""A world of one step for trainer tests: of some buttons, click the one that is named."""

import asyncio
import random
from collections.abc import Sequence

from doer.models.local.pointer.policy import PointerPolicy
from doer.records.action import Action, Element
from doer.records.completion import Message, Request, Sampling
from doer.records.task import Grade, Task
from doer.records.trajectory import Trajectory

WORDS = [
    "red",
    "blue",
    "green",
    "pink",
    "grey",
    "gold",
    "lime",
    "teal",
    "navy",
    "plum",
    "rust",
    "sand",
]
TEXTS = [f"Click {word} button" for word in WORDS]


def task(seed: int) -> Task:
    return Task(taskset="pointing", name="click", seed=seed)


def request(task: Task, seed: int = 0) -> Request:
    words = random.Random(task.seed).sample(WORDS, 4)
    elements = tuple(Element(ref, "button", word) for ref, word in enumerate(words))
    named = words[random.Random(task.seed + 1).randrange(4)]
    messages = (
        Message(role="user", text=f"Click {named}"),
        Message(role="tool", elements=elements),
    )
    return Request(messages=messages, sampling=Sampling(seed=seed))


def right(task: Task) -> Action:
    asked = request(task)
    named = asked.messages[0].text.split()[1]
    ref = next(e.ref for e in asked.messages[1].elements if e.name == named)
    return Action(tool="click", arguments={"ref": ref})


async def collect(policy: PointerPolicy, tasks: Sequence[Task], seed: int) -> list[Trajectory]:
    async def one(number: int, task: Task) -> Trajectory:
        said = await policy.model.respond(request(task, seed + number))
        passed = said.actions[0] == right(task)
        assert said.segment is not None
        return Trajectory(
            task=task,
            end="done",
            grade=Grade(score=float(passed), passed=passed),
            segments=(said.segment,),
            steps=1,
        )

    return await asyncio.gather(*(one(n, task) for n, task in enumerate(tasks)))


def share(trajectories: Sequence[Trajectory]) -> float:
    return sum(t.passed for t in trajectories) / len(trajectories)
