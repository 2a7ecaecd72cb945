"""The agent's computer: parts that share one state, each there or clearly missing."""

from doer.computers.browser.browser import Browser
from doer.computers.files import Files
from doer.errors import PartMissing
from doer.records.computer import Heal, Part


class Computer:
    """Whatever parts its owner gives it. Asking for a missing part raises `PartMissing`."""

    def __init__(self, *, browser: Browser | None = None, files: Files | None = None) -> None:
        self._browser = browser
        self._files = files

    @property
    def browser(self) -> Browser:
        if self._browser is None:
            raise PartMissing("this computer has no browser")
        return self._browser

    @property
    def files(self) -> Files:
        if self._files is None:
            raise PartMissing("this computer has no files")
        return self._files

    @property
    def parts(self) -> tuple[Part, ...]:
        there: dict[Part, object] = {"browser": self._browser, "files": self._files}
        return tuple(name for name, part in there.items() if part is not None)

    async def ready(self, part: Part) -> tuple[Heal, ...]:
        """See to it that a part can be used, and tell what had to be mended for it: to be called
        before each use. Raises `PartMissing`, and `ComputerError` when it cannot be mended."""
        if part not in self.parts:
            raise PartMissing(f"this computer has no {part}")
        return ()
