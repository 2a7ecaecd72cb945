"""The agent's computer: parts that share one state, each there or clearly missing."""

from doer.computers.browser.browser import Browser
from doer.computers.files import Files
from doer.errors import PartMissing


class Computer:
    """Whatever parts a backend has. A missing part raises `PartMissing` when it is asked for."""

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
    def parts(self) -> tuple[str, ...]:
        there = {"browser": self._browser, "files": self._files}
        return tuple(name for name, part in there.items() if part is not None)
