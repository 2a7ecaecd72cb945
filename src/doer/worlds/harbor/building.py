"""Takes the steps of a task's plan on a fresh computer."""

import asyncio

from doer.computers.desktop import DesktopComputer
from doer.computers.shell import Shell
from doer.errors import SiteError, ToolError
from doer.worlds.harbor.plan import Copy, Plan
from doer.worlds.harbor.sending import send

MAX_SAID = 1000


async def build(wanted: Plan, timeout_s: float, desk: DesktopComputer) -> None:
    """Raises `SiteError` naming the line that failed, also when all took longer than `timeout_s`.
    What they leave running or in /tmp is gone afterwards, as it would be in an image."""
    shell = Shell(desk.link)
    line = 0
    try:
        async with asyncio.timeout(timeout_s):
            for step in wanted.steps:
                line = step.line
                if isinstance(step, Copy):
                    await send(shell, step.what, step.mode, SiteError)
                else:
                    await _run(shell, step.script, step.cwd, dict(step.environ), timeout_s)
    except TimeoutError:
        raise SiteError(
            f"Dockerfile, line {line}: it was not done {timeout_s:g} s after the beginning"
        ) from None
    except (SiteError, ToolError) as failed:
        raise SiteError(f"Dockerfile, line {line}: {failed}") from failed


async def _run(
    shell: Shell, script: str, cwd: str, environ: dict[str, str], timeout_s: float
) -> None:
    done = await shell.run(script, cwd=cwd or "/", env=environ, timeout_s=timeout_s)
    if done.exit_code or done.timed_out:
        said = done.text()[-MAX_SAID:].strip()
        raise SiteError(
            f"`{script[:100]}` failed on this computer, which has no root and the network that"
            f" the task allows: {said}"
        )
