"""No code outside the worlds is keyed to a task, and nothing in the tree to somebody's machine."""

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "doer"
# Absolute paths below a home or work folder, but for the home inside a computer; not the tail of an
# address or of another path.
MACHINE = re.compile(r"(?<![\w.~$}>*-])/(?:work|root|home/(?!agent/)\w+|Users/\w+)/")


def task_names() -> list[str]:
    """The names of the MiniWoB tasks; one plain short word (such as `terminal`) proves nothing."""
    found = importlib.util.find_spec("miniwob")
    assert found, "make setup installs miniwob"
    assert found.submodule_search_locations
    pages = Path(found.submodule_search_locations[0], "html", "miniwob").glob("*.html")
    names = sorted(page.stem for page in pages)
    return [name for name in names if "-" in name or len(name) > 12]


def mentions(names: list[str], text: str) -> list[str]:
    return re.findall(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?![\w-])", text)


def test_no_task_is_named_outside_the_worlds() -> None:
    names = task_names()
    assert len(names) > 100
    files = [path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".js", ".html", ".css")]
    outside = [path for path in files if "worlds" not in path.relative_to(PACKAGE).parts]
    assert outside
    assert {p.name: found for p in outside if (found := mentions(names, p.read_text()))} == {}


def test_a_mention_is_found() -> None:
    text = 'if task == "click-button" or page in {choose-date, re-choose-date, choose-dates}:'
    assert mentions(task_names(), text) == ["click-button", "choose-date"]


def tracked() -> list[Path]:
    """What is in the repository or about to be; without git there is nothing to tell it by."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_no_file_names_a_path_of_this_machine() -> None:
    found: list[str] = []
    for path in tracked():
        lines = path.read_bytes().decode(errors="ignore").splitlines()
        found += [f"{path.name}:{n}" for n, line in enumerate(lines, 1) if MACHINE.search(line)]
    assert found == []


def test_a_path_of_a_machine_is_told_from_others() -> None:
    own = ["work", "root", "home/ann", "Users/ann"]
    assert all(MACHINE.search(f'open("/{place}/x")') for place in own)
    others = ["https://example.com/work/x", "~/work/x", "src/root/x", "/usr/bin/x", "a /homework/"]
    assert not any(MACHINE.search(text) for text in others)
