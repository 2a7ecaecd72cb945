"""A rollout: one session with a task at its start and graders at its end.

Whatever goes wrong is data. Ends that are not the model's are retried, then kept unscored.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

from doer.errors import ComputerError, DoerError, GraderError, boundary
from doer.models.model import Model
from doer.records.completion import Sampling
from doer.records.event import Decided, Faulted, Graded
from doer.records.task import MODEL_ENDS, End, Grade, Task
from doer.records.trajectory import Trajectory
from doer.sessions import build
from doer.sessions.session import Session, end_of
from doer.store.blobs import Blobs
from doer.store.log import Log
from doer.store.memory import MemoryLog
from doer.worlds.world import Environment, Taskset


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Runs tasks of one taskset with one model, up to `concurrency` at a time.

    `retries`: further attempts after a fault that is not the model's. `blobs`: where pictures of
    every step go; none are taken without it. `on_done` is told of each finished rollout.
    """

    taskset: Taskset
    model: Model
    log: Callable[[], Log] = MemoryLog
    temperature: float = 1.0
    seed: int = 0
    concurrency: int = 16
    retries: int = 2
    blobs: Blobs | None = None
    on_done: Callable[[Trajectory], None] = lambda _: None

    async def run(self, tasks: Sequence[Task]) -> list[Trajectory]:
        """One rollout a task, in the order of `tasks`. Repeat a task to get a group."""
        places = asyncio.Semaphore(self.concurrency)

        async def one(number: int, task: Task) -> Trajectory:
            async with places:
                done = await self.rollout(task, number)
            self.on_done(done)
            return done

        async with asyncio.TaskGroup() as group:
            jobs = [group.create_task(one(n, task)) for n, task in enumerate(tasks)]
        return [job.result() for job in jobs]

    async def rollout(self, task: Task, number: int = 0) -> Trajectory:
        """One rollout; `number` tells repeats of a task apart in their randomness."""
        attempt = 1
        while True:
            done = await self._attempt(task, number, attempt)
            if done.end in MODEL_ENDS or attempt > self.retries:
                return done
            attempt += 1

    async def _attempt(self, task: Task, number: int, attempt: int) -> Trajectory:
        started = time.monotonic()
        session: Session | None = None
        grade: Grade | None = None
        fault = ""
        environment: Environment | None = None
        end: End = "computer_fault"
        try:
            with boundary(ComputerError, f"preparing {task.id}"):
                environment = await self.taskset.prepare(task)
            session = self._session(environment, number)
            end = await session.turn(environment.task.instruction, environment.first)
            if end in MODEL_ENDS:
                grade = await _grade(session, environment)
            await session.close(end)
        except DoerError as escaped:
            end, fault = end_of(escaped), str(escaped)
        finally:
            if environment is not None:
                await self.taskset.release(environment, end)
        events = tuple(session.record.events) if session else ()
        decided = [e.data.completion for e in events if isinstance(e.data, Decided)]
        if not fault:
            fault = next((e.data.text for e in events if isinstance(e.data, Faulted)), "")
        return Trajectory(
            task=environment.task if environment else task,
            end=end,
            grade=grade,
            segments=tuple(said.segment for said in decided if said.segment is not None),
            steps=len(decided),
            seconds=time.monotonic() - started,
            attempts=attempt,
            fault=fault,
            events=events,
        )

    def _session(self, environment: Environment, number: int) -> Session:
        computer, blobs = environment.computer, self.blobs

        async def camera() -> str:
            assert blobs is not None
            return blobs.put(await computer.browser.screenshot())

        pictures = blobs is not None and "browser" in computer.parts
        seed = crc32(f"{self.seed}/{environment.task.id}/{number}".encode())
        return build.session(
            log=self.log(),
            model=self.model,
            computer=computer,
            tool_names=environment.tools,
            task=environment.task,
            over=environment.over,
            sampling=Sampling(temperature=self.temperature, seed=seed),
            camera=camera if pictures else None,
        )


async def _grade(session: Session, environment: Environment) -> Grade | None:
    """The mean of all graders; passed when each of them passed; None when there are none.
    Raises `GraderError`."""
    if not environment.graders:
        return None
    grades: list[Grade] = []
    for grader in environment.graders:
        with boundary(GraderError, grader.name):
            async with asyncio.timeout(environment.task.limits.step_s):
                grade = await grader.grade(environment.computer)
        await session.record(Graded(grader=grader.name, grade=grade))
        grades.append(grade)
    return Grade(
        score=sum(grade.score for grade in grades) / len(grades),
        passed=all(grade.passed for grade in grades),
        why="; ".join(grade.why for grade in grades if grade.why),
    )
