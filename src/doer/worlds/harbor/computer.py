"""The computer that a Harbor task is done on, as its agent has it: a shell in the task's folder."""

from collections.abc import Mapping

from doer.computers.computer import Computer
from doer.computers.desktop import DesktopComputer
from doer.computers.shell import Shell
from doer.records.computer import Heal, Part


class TaskComputer(Computer):
    """A whole computer of which only the shell is offered. It does not own `desk`."""

    def __init__(self, desk: DesktopComputer, workdir: str, environ: Mapping[str, str]) -> None:
        super().__init__()
        self.desk = desk
        self._shell = Shell(desk.link, workdir, environ)

    @property
    def parts(self) -> tuple[Part, ...]:
        return ("shell",)

    @property
    def shell(self) -> Shell:
        return self._shell

    async def ready(self, part: Part) -> tuple[Heal, ...]:
        await super().ready(part)
        return await self.desk.ready(part)
