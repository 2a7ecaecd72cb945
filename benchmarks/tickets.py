"""The tickets of `files/route-ticket` as a small model meets them: which are shown to it first, the
words for its tokenizer, and how well it does on fresh ones."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence

from doer.agents.context import request
from doer.evals.suite import SPLITS
from doer.models.chat import tool_param
from doer.models.model import Model
from doer.records.task import Task
from doer.records.trajectory import Trajectory
from doer.training.build import Rollouts
from doer.worlds.files.chores import DESKS
from doer.worlds.files.world import FileChores

KIND = "route-ticket"
SEEDS = 2000  # training tasks
DEMONSTRATIONS = 40  # of them
GUESSING = 1 / len(DESKS)
SHOWN = tuple(complaints[0] for complaints in DESKS.values())
"""Of the things that tickets say, those that are demonstrated: one a desk."""


def said(task: Task) -> str:
    """The one of all complaints that a ticket is about."""
    return next(c for desk in DESKS.values() for c in desk if c in task.instruction)


def demonstrations(world: FileChores) -> tuple[int, ...]:
    """Training seeds whose tickets say one of `SHOWN`."""
    found = (seed for seed in range(SEEDS) if said(world.task(KIND, seed)) in SHOWN)
    return tuple(seed for seed, _ in zip(found, range(DEMONSTRATIONS), strict=False))


def fresh(world: FileChores, count: int) -> list[Task]:
    """Tickets of test seeds."""
    first = SPLITS["test"][0]
    return [world.task(KIND, first + n) for n in range(count)]


async def words(world: FileChores, rollouts: Rollouts) -> list[str]:
    """What a tokenizer should be good at: tickets, the instructions, the tools, the calls. What is
    fixed comes often, so that it becomes few tokens, and each desk one."""
    (seen,) = await rollouts.solved([world.task(KIND, 0)])
    asked = request(seen.events[:2])
    tools = [json.dumps(tool_param(tool)) for tool in asked.tools]
    calls = [
        '<tool_call>\n{"name": "write_file", "arguments": {"path": "desk.txt", "text": "'
        + f'{desk}"}}}}\n</tool_call>'
        for desk in DESKS
    ]
    fixed = [asked.messages[0].text, *tools, *calls]
    return [world.task(KIND, seed).instruction for seed in range(200)] + fixed * 20


async def greedy(rollouts: Rollouts, model: Model, tasks: Sequence[Task]) -> "Success":
    return Success(await rollouts.greedy(model, tasks))


class Success:
    """How a model did, as shares 0..1."""

    def __init__(self, done: Iterable[Trajectory]) -> None:
        by_complaint: dict[str, list[bool]] = defaultdict(list)
        for rollout in done:
            by_complaint[said(rollout.task)].append(rollout.passed)
        self.all = _share(by_complaint.values())
        self.never_shown = _share(v for k, v in by_complaint.items() if k not in SHOWN)


def _share(passed: Iterable[Sequence[bool]]) -> float:
    flat = [one for some in passed for one in some]
    return sum(flat) / max(1, len(flat))
