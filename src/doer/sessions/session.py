"""The heart: one live piece of work. The agent decides, dispatch acts, the log remembers."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from doer.agents.agent import Agent
from doer.errors import ComputerError, DoerError, GraderError, ModelError, SiteError, boundary
from doer.records.action import Observation
from doer.records.completion import Completion
from doer.records.event import Decided, Ended, Faulted, Started, TurnEnded, TurnStarted
from doer.records.task import End, Task
from doer.sessions.control import Control
from doer.sessions.dispatch import Dispatch
from doer.sessions.record import Recorder

END_OF: tuple[tuple[type[DoerError], End], ...] = (
    (SiteError, "site_fault"),
    (ModelError, "model_fault"),
    (GraderError, "grader_fault"),
    (ComputerError, "computer_fault"),
)


def end_of(fault: DoerError) -> End:
    """The typed end an escaped error gives a turn. What nobody foresaw is the computer's fault."""
    ends: list[End] = [end for kind, end in END_OF if isinstance(fault, kind)]
    return ends[0] if ends else "computer_fault"


@dataclass(frozen=True, kw_only=True)
class Session:
    """An agent at work on a computer. `over` is how a world says that a task has ended."""

    record: Recorder
    agent: Agent
    dispatch: Dispatch
    task: Task
    over: Callable[[Observation], bool] = lambda _: False
    control: Control = field(default_factory=Control)

    async def turn(self, instruction: str, first: Observation | None = None) -> End:
        """Work on an instruction until the agent yields, the world ends it, or a limit is hit.

        Faults do not escape: they are recorded and become the turn's typed end.
        """
        if not self.record.events:
            await self.record(
                Started(
                    model=self.agent.model.name,
                    task=self.task,
                    instructions=self.agent.instructions,
                    tools=self.agent.tools,
                )
            )
        self.record.turn += 1
        await self.record(TurnStarted(instruction=instruction, observation=first), actor="user")
        try:
            async with asyncio.timeout(self.task.limits.total_s):
                end, answer = await self._work()
        except TimeoutError:
            end, answer = "limit", f"out of time ({self.task.limits.total_s:g} s)"
        except DoerError as fault:
            await self.record(Faulted(boundary=type(fault).__name__, text=str(fault)))
            end, answer = end_of(fault), str(fault)
        await self.record(TurnEnded(end=end, answer=answer), actor="agent")
        return end

    async def _work(self) -> tuple[End, str]:
        for _ in range(self.task.limits.steps):
            self.record.step += 1
            await asyncio.sleep(0)  # a step that never waits must not starve deadlines and people
            await self.control.agents_turn()
            completion, cause = await self._decide()
            if not completion.actions:
                return ("done" if completion.text else "gave_up"), completion.text
            for action in completion.actions:
                await self.control.agents_turn()
                observation = await self.dispatch(action, cause)
                if self.over(observation):
                    return "done", completion.text
        return "limit", f"out of steps ({self.task.limits.steps})"

    async def _decide(self) -> tuple[Completion, int]:
        started = time.monotonic()
        with boundary(ModelError, self.agent.model.name):
            async with asyncio.timeout(self.task.limits.step_s):
                completion = await self.agent.decide(self.record.events)
        decided = Decided(completion=completion, seconds=time.monotonic() - started)
        event = await self.record(decided, actor="agent")
        return completion, event.seq

    async def close(self, end: End, why: str = "") -> None:
        """The last event: nothing follows it."""
        await self.record(Ended(end=end, why=why))
