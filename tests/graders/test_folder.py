"""`FolderState` passes on exactly the expected folder, and says what else was changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from doer.computers.computer import Computer
from doer.computers.files import Folder
from doer.graders.folder import FolderState

EXPECTED = {"a.txt": "a", "sub/b.txt": "b"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    for path, text in EXPECTED.items():
        (tmp_path / path).write_text(text)
    return tmp_path


@pytest.fixture
def computer(root: Path) -> Iterator[Computer]:
    files = Folder(root)
    yield Computer(files=files)
    files.close()


async def test_passes_on_what_is_expected(computer: Computer) -> None:
    grade = await FolderState(EXPECTED).grade(computer)
    assert (grade.score, grade.passed) == (1.0, True)


async def test_names_every_difference(computer: Computer, root: Path) -> None:
    (root / "a.txt").write_text("a ")
    (root / "sub" / "b.txt").unlink()
    (root / "extra.txt").touch()
    grade = await FolderState(EXPECTED).grade(computer)
    assert (grade.score, grade.passed) == (0.0, False)
    assert grade.why == "sub/b.txt is missing; extra.txt should not be there; a.txt differs"


@pytest.mark.parametrize("text", [b"a\n", b"", b"\xff", b"A"])
async def test_one_byte_is_enough(computer: Computer, root: Path, text: bytes) -> None:
    (root / "a.txt").write_bytes(text)
    assert not (await FolderState(EXPECTED).grade(computer)).passed
