from collections.abc import Generator

import pytest
from guest_daemon import GuestDaemon

from doer.computers.computer import Computer
from doer.computers.files import Folder


@pytest.fixture
def folder_computer(tmp_path):
    """A computer with files only, in a folder of its own holding a.txt."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "a.txt").write_text("hello")
    files = Folder(home)
    yield Computer(files=files)
    files.close()


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Generator[GuestDaemon]:
    """A computer's daemon without a sandbox around it, one for all tests of a file."""
    guest = GuestDaemon(tmp_path_factory.mktemp("guest"))
    yield guest
    guest.end()
