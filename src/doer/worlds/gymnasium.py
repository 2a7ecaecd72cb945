"""A Gymnasium environment over any taskset (gymnasium.farama.org/api/env).

An episode is a rollout like any other: the same `Runner`, whose model is whoever calls `step`. So
actions go through dispatch, ends are typed, and graders judge, exactly as in evals and training.
"""

import asyncio
import re
import string
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import gymnasium
import msgspec
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Dict, Text

from doer.errors import DoerError
from doer.records.action import MALFORMED, Action
from doer.records.completion import Completion, Request
from doer.records.event import Event, Observed, TurnStarted
from doer.records.task import MODEL_ENDS, Limits, Task
from doer.records.trajectory import Trajectory
from doer.sessions.session import END_OF
from doer.store.memory import MemoryLog
from doer.store.watched import WatchedLog
from doer.worlds.build import chosen
from doer.worlds.rollout import Runner
from doer.worlds.world import Taskset

ID = "Doer-v0"
MAX_LENGTH = 32_768  # characters of a text, longer ones are cut
SEEDS = 100_000  # without a seed an episode draws one below this: the seeds meant for training
PATIENCE_S = 7 * 86_400.0  # the caller may think, or train, between two steps
USAGE = '{"tool": NAME, "arguments": {...}}, or {"answer": TEXT} when done'
UNSHOWABLE = re.compile(f"[^{re.escape(string.printable)}]")
T = TypeVar("T")


class DoerEnv(gymnasium.Env[dict[str, str], str]):
    """Tasks of one taskset, one at a time.

    An observation holds three texts in printable ASCII, all else escaped as Python would: the
    `instruction`, the `view` (what was last seen), and the `error` of the last action, empty when
    it was carried out. An action is one tool call in JSON, or the answer that ends the work; what
    cannot be read as either is answered with an error and costs a step.

    The reward is the graders' score at the end and 0 before. `terminated`: the agent answered, or
    the world ended the task. `truncated`: out of steps, or a fault. `info["end"]` then tells which;
    only `done`, `gave_up` and `limit` are the agent's, and a fault's reward of 0 is nobody's.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 - as Gymnasium declares it

    def __init__(
        self, taskset: Taskset | str, names: Sequence[str] = (), max_length: int = MAX_LENGTH
    ) -> None:
        """`taskset` may be written as on the command line ("files/set-value,move-line"); one that
        is handed over is closed with the environment. Raises `ConfigError`."""
        world, all_names = (
            chosen(taskset) if isinstance(taskset, str) else (taskset, taskset.names())
        )
        self.trajectory: Trajectory | None = None
        """The last episode, once it is over."""
        shown: Any = {name: _text(max_length) for name in ("instruction", "view", "error")}
        self.observation_space = Dict(shown)  # pyright: ignore[reportAttributeAccessIssue]
        self.action_space = _text(max_length)
        self._names = tuple(names) or all_names
        self._max_length = max_length
        self._world = world
        self._loop: _Loop | None = _Loop()
        self._episode: _Episode | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        """Prepare the task of `seed`; without one, of a seed drawn from the last one given. Which
        task is drawn too, unless `options["name"]` says it. An episode under way is given up.

        Raises `SiteError` or `ComputerError` when the task cannot be prepared; another `reset` may
        go well. Raises `ConfigError` for a name there is not.
        """
        super().reset(seed=seed)
        loop = self._running()
        name = (options or {}).get("name") or self._names[
            int(self.np_random.integers(len(self._names)))
        ]
        drawn = int(self.np_random.integers(SEEDS))
        task = self._world.task(name, drawn if seed is None else seed)
        self._give_up()
        self._episode = _Episode(self._world, task)
        over = loop.call(self._episode.begin())
        if over is not None:
            self._episode = None
            raise _fault(over)
        return self._observation(self._episode), {"task": task.id}

    def step(self, action: str) -> tuple[dict[str, str], float, bool, bool, dict[str, Any]]:
        """Carry out one action, see the class. Raises `ResetNeeded` when no episode is under way,
        `ComputerError` when it does not come to an end in time."""
        loop, episode = self._running(), self._episode
        if episode is None:
            raise ResetNeeded("there is no episode under way: call reset")
        said, unreadable = read(action)
        over = loop.call(episode.go_on(said))
        if unreadable:
            episode.error = f"{unreadable}; {episode.error}"
        observed, info = self._observation(episode), {"task": episode.task.id}
        if over is None:
            return observed, 0.0, False, False, info
        self._episode, self.trajectory = None, over
        terminated = over.end in ("done", "gave_up")
        return observed, _score(over), terminated, not terminated, info | _outcome(over)

    def close(self) -> None:
        """Give up the episode under way and free the taskset's computers."""
        if self._loop is not None:
            loop, self._loop = self._loop, None
            try:
                self._give_up(loop)
                loop.call(self._world.close())
            finally:
                loop.close()
        super().close()

    def _running(self) -> "_Loop":
        if self._loop is None:
            raise ResetNeeded("the environment is closed: make a new one")
        return self._loop

    def _give_up(self, loop: "_Loop | None" = None) -> None:
        episode, self._episode = self._episode, None
        if episode is not None:
            # The agent gives up: an end of its own, after which a computer can be used again.
            (loop or self._running()).call(episode.go_on(Completion()))

    def _observation(self, episode: "_Episode") -> dict[str, str]:
        texts = {"instruction": episode.instruction, "view": episode.view, "error": episode.error}
        return {name: _showable(text)[: self._max_length] for name, text in texts.items()}


def register() -> None:
    """Let `gymnasium.make("Doer-v0", taskset="miniwob/click-link")` find the environment."""
    if ID not in gymnasium.registry:
        gymnasium.register(ID, entry_point=DoerEnv)  # pyright: ignore


class _Call(msgspec.Struct, forbid_unknown_fields=True):
    tool: str = ""
    arguments: dict[str, Any] = {}
    answer: str | None = None


def read(action: str) -> tuple[Completion, str]:
    """What an action says, and why it cannot be read (empty when it can)."""
    try:
        call = msgspec.json.decode(action, type=_Call)
    except (msgspec.DecodeError, UnicodeEncodeError) as wrong:
        unreadable = Action(tool="", arguments={MALFORMED: action})
        return Completion(actions=(unreadable,)), f"no action ({wrong}), write {USAGE}"
    if call.answer is not None and not call.tool:
        return Completion(text=call.answer), ""
    return Completion(actions=(Action(tool=call.tool, arguments=call.arguments),)), ""


class _Episode:
    """One rollout whose model waits for `go_on`. Lives in the loop's thread."""

    name = "gymnasium"

    def __init__(self, world: Taskset, task: Task) -> None:
        self.task = task
        self.instruction = self.view = self.error = ""
        self._asked: asyncio.Queue[None] = asyncio.Queue()
        self._answers: asyncio.Queue[Completion] = asyncio.Queue()
        self._world = world
        self._rollout: asyncio.Task[Trajectory] | None = None

    async def respond(self, request: Request) -> Completion:
        """The `Model` that the session asks."""
        await self._asked.put(None)
        return await self._answers.get()

    async def begin(self) -> Trajectory | None:
        """Start, up to the first decision. A rollout that is over already comes back."""
        # Thinking has no deadline here; `_turn` bounds everything else.
        limits = Limits(steps=self.task.limits.steps, step_s=PATIENCE_S, total_s=PATIENCE_S)
        runner = Runner(
            taskset=self._world,
            model=self,
            log=lambda: WatchedLog(MemoryLog(), self._saw),
            retries=0,
        )
        patient = msgspec.structs.replace(self.task, limits=limits)
        self._rollout = asyncio.create_task(runner.rollout(patient))
        return await self._turn(self.task.limits.total_s)

    async def go_on(self, said: Completion) -> Trajectory | None:
        """Hand over a decision; the rollout when it is over with it."""
        self.error = ""
        await self._answers.put(said)
        return await self._turn(2 * self.task.limits.step_s)  # the action, and perhaps the grading

    async def _turn(self, deadline_s: float) -> Trajectory | None:
        assert self._rollout is not None
        asked = asyncio.create_task(self._asked.get())
        either = (asked, self._rollout)
        await asyncio.wait(either, timeout=deadline_s, return_when=asyncio.FIRST_COMPLETED)
        if asked.done():
            return None
        asked.cancel()
        if self._rollout.done():
            return self._rollout.result()
        self._rollout.cancel()
        await asyncio.wait((self._rollout,))
        return Trajectory(
            task=self.task, end="computer_fault", fault=f"no answer in {deadline_s:g} s"
        )

    def _saw(self, event: Event) -> None:
        match event.data:
            case TurnStarted(instruction=instruction, observation=first):
                self.instruction = instruction
                self.view = first.text if first is not None else ""
            case Observed(observation=seen) if seen.error:
                self.error = seen.text
            case Observed(observation=seen):
                self.view, self.error = seen.text, ""
            case _:
                pass


class _Loop:
    """An event loop in a thread of its own: it serves browsers between two calls as well, and the
    caller may have a loop of its own."""

    def __init__(self) -> None:
        self._started: Future[asyncio.AbstractEventLoop] = Future()
        self._closed = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, name="doer-gymnasium", daemon=True)
        self._thread.start()
        self._loop = self._started.result()

    def _serve(self) -> None:
        with asyncio.Runner() as runner:
            self._started.set_result(runner.get_loop())
            runner.run(self._until_closed())

    async def _until_closed(self) -> None:
        await self._closed.wait()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._closed.set)
        self._thread.join()


def _text(max_length: int) -> Text:
    return Text(max_length, min_length=0, charset=string.printable)


def _fault(over: Trajectory) -> DoerError:
    kinds = {end: kind for kind, end in END_OF}
    return kinds.get(over.end, DoerError)(over.fault or f"{over.task.id} ended at once: {over.end}")


def _score(over: Trajectory) -> float:
    return over.grade.score if over.grade is not None and over.end in MODEL_ENDS else 0.0


def _outcome(over: Trajectory) -> dict[str, Any]:
    return {
        "end": over.end,
        "passed": over.passed,
        "why": over.grade.why if over.grade is not None else over.fault,
    }


def _showable(text: str) -> str:
    return UNSHOWABLE.sub(lambda found: ascii(found[0])[1:-1], text)
