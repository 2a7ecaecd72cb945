"""Dispatch: the only way from a decision to the world.

guard -> (approval) -> intent on disk -> tool -> outcome on disk. What the model did wrong comes
back as an observation it can read; what the computer did wrong travels on as `ComputerError`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from doer.errors import ComputerError, PartMissing, ToolError, boundary
from doer.guard.approval import Approver, digest
from doer.guard.rules import ALLOW_ALL, Rules
from doer.records.action import MALFORMED, Action, Observation
from doer.records.computer import Heal
from doer.records.event import Answered, Asked, ComputerHealed, Intended, Observed
from doer.sessions.record import Recorder
from doer.tools.tool import Tool, ToolContext

Camera = Callable[[], Awaitable[str]]
"""Takes a picture of the computer, stores it, and returns its digest."""


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    """Carries out actions on one computer. `step_s` bounds each of them."""

    record: Recorder
    tools: Mapping[str, Tool]
    context: ToolContext
    step_s: float
    rules: Rules = ALLOW_ALL
    approver: Approver | None = None
    camera: Camera | None = None

    async def __call__(self, action: Action, cause: int | None = None) -> Observation:
        """Carry out one action. Raises `ComputerError` when the computer is at fault."""
        tool, arguments, wrong = self._understand(action)
        mended: tuple[Heal, ...] = ()
        if tool is not None and not wrong:
            mended, wrong = await self._ready(tool)
        facts: dict[str, Any] = {}
        if tool is not None and not wrong and self.rules.need_facts(action.tool):
            try:
                with boundary(ComputerError, f"looking at the target of {action.tool}"):
                    async with asyncio.timeout(self.step_s):
                        facts = await tool.facts(self.context, arguments)
            except (ToolError, PartMissing) as refused:
                wrong = str(refused)
        verdict = self.rules.judge(action, facts)
        allowed = verdict.ruling == "allow" or (
            verdict.ruling == "ask" and not wrong and await self._approved(action, facts)
        )
        picture = (await self.camera(),) if self.camera else ()
        intent = await self.record(
            Intended(action=action, facts=facts, ruling=verdict.ruling, rule=verdict.rule),
            actor="agent",
            cause=cause,
            key=f"{self.record.session}:{len(self.record.events) + 1}",
            blobs=picture,
        )
        started = time.monotonic()
        if tool is None or wrong:
            observation = Observation(text=wrong, error=True)
        elif not allowed:
            text = f"not allowed ({verdict.rule}); go on without it, or ask the user"
            observation = Observation(text=text, error=True)
        else:
            observation = await self._run(tool, arguments)
        if mended:
            told = "\n".join((*map(str, mended), observation.text))
            observation = msgspec.structs.replace(observation, text=told)
        await self.record(
            Observed(observation=observation, seconds=time.monotonic() - started),
            cause=intent.seq,
            sources=observation.sources,
        )
        return observation

    def _understand(self, action: Action) -> tuple[Tool | None, Any, str]:
        tool = self.tools.get(action.tool)
        if tool is None:
            known = ", ".join(sorted(self.tools)) or "none"
            return None, None, f"there is no tool {action.tool!r}; the tools are: {known}"
        if MALFORMED in action.arguments:
            text = action.arguments[MALFORMED]
            return tool, None, f"{action.tool}: the arguments are not a JSON object: {text}"
        try:
            return tool, msgspec.convert(action.arguments, tool.Arguments), ""
        except msgspec.ValidationError as wrong:
            return tool, None, f"{action.tool}: {wrong}"

    async def _ready(self, tool: Tool) -> tuple[tuple[Heal, ...], str]:
        """What had to be mended before the tool can be used, and why it cannot."""
        try:
            with boundary(ComputerError, f"making the {tool.part} ready"):
                mended = await self.context.computer.ready(tool.part)
        except PartMissing as missing:
            return (), str(missing)
        for heal in mended:
            await self.record(ComputerHealed(part=heal.part, lost=heal.lost))
        return mended, ""

    async def _run(self, tool: Tool, arguments: Any) -> Observation:
        try:
            with boundary(ComputerError, tool.name):
                async with asyncio.timeout(self.step_s):
                    return await tool.run(self.context, arguments)
        except (ToolError, PartMissing) as refused:
            return Observation(text=str(refused), error=True)

    async def _approved(self, action: Action, facts: dict[str, Any]) -> bool:
        if self.approver is None:
            return False
        bound = digest(action, facts, self.rules)
        asked = await self.record(Asked(digest=bound, action=action))
        approved = await self.approver(action, facts)
        await self.record(Answered(digest=bound, approved=approved), actor="user", cause=asked.seq)
        return approved
