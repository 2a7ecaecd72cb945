import pytest

from doer.computers.computer import Computer
from doer.computers.files import Files


@pytest.fixture
def folder_computer(tmp_path):
    """A computer with files only, in a folder of its own holding a.txt."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "a.txt").write_text("hello")
    files = Files(home)
    yield Computer(files=files)
    files.close()
