"""What the documents say is run: Python blocks as they stand, commands as people type them."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from chat_server import ChatServer

from doer.config import read
from doer.models.local.pointer.policy import PointerPolicy
from doer.training.recipe import Recipe

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "how-to").glob("*.md"))
DOCUMENTS = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", *PAGES]
ELSEWHERE = ("make ", "source ", "export ", "doer train")  # CI itself, or tests/e2e


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    lines = [line for block in blocks(ROOT / "README.md", "sh") for line in block.splitlines()]
    told = [line.split("  #")[0].strip() for line in lines]
    return [line for line in told if line and not line.startswith((*ELSEWHERE, "#"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_of_a_page_runs(page):
    code = "\n".join(blocks(page, "python"))
    exec(compile(code, str(page), "exec"), {"__name__": "page"})
    assert code or blocks(page, "toml")


def test_recipes_in_the_documents_are_recipes(tmp_path):
    """A block that does not begin a recipe goes on with the page's first."""
    found = [blocks(page, "toml") for page in PAGES]
    assert any(found)
    for whole, *more in filter(None, found):
        for text in (whole, *(one if one.startswith("name") else whole + one for one in more)):
            (tmp_path / "recipe.toml").write_text(text)
            read(tmp_path / "recipe.toml", Recipe)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_links_and_files_that_are_named_exist(document):
    text = document.read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    paths = re.findall(r"`((?:src|tests|docs|recipes|benchmarks)/[\w./-]+)`", text)
    missing = [link for link in links if not (document.parent / link).exists()]
    missing += [path for path in paths if not (ROOT / path).exists()]
    assert missing == []


@pytest.mark.parametrize("document", [ROOT / "README.md", ROOT / "ARCHITECTURE.md"])
def test_the_documents_stay_short(document):
    assert len(document.read_text().splitlines()) <= 150


@pytest.mark.slow
@pytest.mark.parametrize("command", commands())
def test_commands_of_the_readme_run(command, tmp_path):
    home = tmp_path / ".doer" / "runs" / "quickstart-1"
    for name in ("model", "sft"):
        PointerPolicy.fresh(["a page of text"], seed=0).save(home / name)
    program = [sys.executable, "-c", "from doer.cli.main import main; main()"]
    first = "doer run --task files/set-value --seed 1 --model oracle"  # something to look back at
    last = "doer run --task files/set-value --seed 2 --model oracle"
    if command.startswith("doer computer"):
        first, last = "doer computer start demo", "doer computer remove demo"
    with ChatServer() as server:
        environ = {**os.environ, "HOME": str(tmp_path), "OPENAI_BASE_URL": server.url}
        environ.pop("DOER_HOME", None)
        for line in (first, command, last):
            words = [word.replace("~", str(tmp_path)) for word in shlex.split(line)]
            assert words[0] == "doer"
            done = subprocess.run(
                [*program, *words[1:]],
                env=environ,
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            assert "Traceback" not in done.stderr, done.stderr
            # An untrained checkpoint may fail its task (1); a wrong command says "doer: ...".
            assert "doer: " not in done.stderr, done.stderr
            assert done.returncode in (0, 1)
