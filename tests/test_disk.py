"""Files that are whole or not there, whoever else writes them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from doer.disk import write_whole


def test_of_several_writers_one_is_the_last_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [bytes([number]) * 50_000 for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(2):
            list(threads.map(lambda content: write_whole(path, content), contents))
            assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "inner").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(folder / "inner", b"a folder cannot be replaced by a file")
    assert list(folder.iterdir()) == [folder / "inner"]
