"""The composition root: names in, wired objects out. Tables only; nothing is decided."""

from collections.abc import Callable, Iterable
from uuid import uuid4

from doer.agents.agent import Agent
from doer.computers.computer import Computer
from doer.config import load
from doer.errors import ConfigError
from doer.models.model import Model
from doer.records.action import Observation
from doer.records.completion import Sampling
from doer.records.task import Task
from doer.sessions.dispatch import Camera, Dispatch
from doer.sessions.record import Recorder
from doer.sessions.session import Session
from doer.store.log import Log
from doer.tools.tool import Tool, ToolContext, spec

TOOLS = {
    "open": "doer.tools.browser:OPEN",
    "read": "doer.tools.browser:READ",
    "click": "doer.tools.browser:CLICK",
    "type": "doer.tools.browser:TYPE",
    "select": "doer.tools.browser:SELECT",
    "press": "doer.tools.browser:PRESS",
    "scroll": "doer.tools.browser:SCROLL",
    "drag": "doer.tools.browser:DRAG",
    "list": "doer.tools.files:LIST",
    "read_file": "doer.tools.files:READ_FILE",
    "write_file": "doer.tools.files:WRITE_FILE",
    "run": "doer.tools.shell:RUN",
}


def tools(names: Iterable[str]) -> dict[str, Tool]:
    """The tools of these names. Raises `ConfigError` for a name there is no tool for."""
    names = tuple(names)
    unknown = [name for name in names if name not in TOOLS]
    if unknown:
        raise ConfigError(f"no tool {unknown[0]!r}; there are: {', '.join(sorted(TOOLS))}")
    return {name: load(TOOLS[name]) for name in names}


def session(
    *,
    log: Log,
    model: Model,
    computer: Computer,
    tool_names: Iterable[str],
    task: Task,
    over: Callable[[Observation], bool] = lambda _: False,
    sampling: Sampling | None = None,
    camera: Camera | None = None,
) -> Session:
    """Wire one session. Serving, evaluating and training all start here."""
    there = tools(tool_names)
    record = Recorder(log, f"{task.id}:{uuid4().hex[:12]}")
    dispatch = Dispatch(
        record=record,
        tools=there,
        context=ToolContext(computer, task.limits.step_s),
        step_s=task.limits.step_s,
        camera=camera,
    )
    agent = Agent(
        model=model,
        tools=tuple(spec(tool) for tool in there.values()),
        sampling=sampling or Sampling(),
    )
    return Session(record=record, agent=agent, dispatch=dispatch, task=task, over=over)
