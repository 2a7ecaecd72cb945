"""The agent's computer: parts that share one state, each there or clearly missing."""

from doer.computers.browser.browser import Browser
from doer.computers.files import Files
from doer.computers.network.part import Network
from doer.computers.screen.screen import Screen
from doer.computers.shell import Shell
from doer.computers.terminal import Terminals
from doer.computers.text.reader import Reader
from doer.errors import PartMissing
from doer.records.computer import Heal, Part


class Computer:
    """Whatever parts its owner gives it. Asking for a missing part raises `PartMissing`.

    `terminals` belong to the shell, `reader` (the text view) to the browser.
    """

    def __init__(self, *, browser: Browser | None = None, files: Files | None = None) -> None:
        self._browser = browser
        self._files = files

    @property
    def browser(self) -> Browser:
        if self._browser is None:
            raise missing("browser")
        return self._browser

    @property
    def files(self) -> Files:
        if self._files is None:
            raise missing("files")
        return self._files

    @property
    def shell(self) -> Shell:
        raise missing("shell")

    @property
    def terminals(self) -> Terminals:
        raise missing("shell")

    @property
    def screen(self) -> Screen:
        raise missing("screen")

    @property
    def network(self) -> Network:
        raise missing("network")

    @property
    def reader(self) -> Reader:
        raise PartMissing("this computer has no text view")

    @property
    def parts(self) -> tuple[Part, ...]:
        there: dict[Part, object] = {"browser": self._browser, "files": self._files}
        return tuple(name for name, part in there.items() if part is not None)

    async def ready(self, part: Part) -> tuple[Heal, ...]:
        """See to it that a part can be used, and tell what had to be mended for it: to be called
        before each use. Raises `PartMissing`, and `ComputerError` when it cannot be mended."""
        if part not in self.parts:
            raise missing(part)
        return ()


def missing(part: Part) -> PartMissing:
    return PartMissing(f"this computer has no {part}")
