"""The shape of every file of the package, read from its syntax tree: small, flat, nothing hidden.

What import-linter cannot see is checked here as well: "module:name" strings, which load lazily.
"""

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "doer"
BANNED = {"utils", "helpers", "common", "manager", "service", "base", "misc"}
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_PARAMETERS, MAX_CLASS_DEPTH = 400, 60, 8, 2
EXCEPTIONS: dict[str, str] = {}
"""A finding that is allowed -> the reason why."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Sources = dict[str, str]
"""Path below the package, with "/" -> text."""


def trees(sources: Sources) -> Iterator[tuple[str, ast.Module]]:
    yield from ((path, ast.parse(text)) for path, text in sources.items() if path.endswith(".py"))


def nodes(sources: Sources) -> Iterator[tuple[str, ast.AST]]:
    yield from ((path, node) for path, tree in trees(sources) for node in ast.walk(tree))


def long_files(sources: Sources) -> Iterator[str]:
    for path, text in sources.items():
        if len(text.splitlines()) > MAX_FILE_LINES:
            yield f"{path} has more than {MAX_FILE_LINES} lines"


def long_functions(sources: Sources) -> Iterator[str]:
    for path, node in nodes(sources):
        if not isinstance(node, Function):
            continue
        if (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES:
            yield f"{path}: {node.name} has more than {MAX_FUNCTION_LINES} lines"


def many_parameters(sources: Sources) -> Iterator[str]:
    for path, node in nodes(sources):
        if isinstance(node, Function):
            given = node.args
            names = [a.arg for a in [*given.posonlyargs, *given.args, *given.kwonlyargs]]
            if len([name for name in names if name not in ("self", "cls")]) > MAX_PARAMETERS:
                yield f"{path}: {node.name} has more than {MAX_PARAMETERS} parameters"


def deep_classes(sources: Sources) -> Iterator[str]:
    classes = [(path, n) for path, n in nodes(sources) if isinstance(n, ast.ClassDef)]
    parents = {n.name: [ast.unparse(b).rsplit(".")[-1] for b in n.bases] for _, n in classes}

    def depth(name: str) -> int:
        return 1 + max(map(depth, parents[name]), default=0) if name in parents else 0

    for path, node in classes:
        if depth(node.name) > MAX_CLASS_DEPTH:
            yield f"{path}: class {node.name} is deeper than {MAX_CLASS_DEPTH}"


def hidden_imports(sources: Sources) -> Iterator[str]:
    """Imports of the package anywhere but at the top of a file, under `if` and `try` as well."""
    for path, tree in trees(sources):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = ["doer"] if node.level else [node.module or ""]
            else:
                continue
            if node not in tree.body and any(name.split(".")[0] == "doer" for name in names):
                yield f"{path}: hidden import of {names[0]}"


def banned_names(sources: Sources) -> Iterator[str]:
    for path in sources:
        if BANNED & set(path.rsplit(".", 1)[0].split("/")):
            yield f"{path} is named after nothing"


def full_faces(sources: Sources) -> Iterator[str]:
    for path, text in sources.items():
        if path.endswith("/__init__.py") and text.strip():
            yield f"{path} is not empty"


def floors() -> dict[str, int]:
    """Room -> height, from the one place where the floors stand."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (layers,) = [c for c in settings["tool"]["importlinter"]["contracts"] if c["type"] == "layers"]
    rows = [re.findall(r"\w+", row) for row in reversed(layers["layers"])]
    return {room: height for height, row in enumerate(rows) for room in row}


def upward_strings(sources: Sources) -> Iterator[str]:
    """Lazy imports stand in tables of `cli` and `build.py` files and never point upward."""
    height = floors()
    for path, node in nodes(sources):
        text = node.value if isinstance(node, ast.Constant) else None
        if not isinstance(text, str) or not re.fullmatch(r"doer(\.\w+)+:\w+", text):
            continue
        home, target = path.split("/")[0], text.split(":")[0].split(".")[1]
        if home != "cli" and not path.endswith("/build.py"):
            yield f"{path}: {text} stands outside the tables"
        elif target != home and height[target] >= height[home]:
            yield f"{path}: {text} points upward"


def lazy_loaders(sources: Sources) -> Iterator[str]:
    """There is one place where a string becomes a module."""
    calls = [
        path
        for path, node in nodes(sources)
        if isinstance(node, ast.Call)
        and re.search(r"\b(import_module|__import__)$", ast.unparse(node.func))
    ]
    yield from (f"{path} loads modules by name as well" for path in calls[1:])


PLANTS: dict[Callable[[Sources], Iterator[str]], Sources] = {
    long_files: {"a/b.py": "x = 1\n" * 401},
    long_functions: {"a/b.py": "async def f():\n" + "    x = 1\n" * 60},
    many_parameters: {"a/b.py": "def f(a, b, c, d, /, e, *, g, h, i, j): ..."},
    deep_classes: {"a/b.py": "class A: ...\nclass B(A): ...", "a/c.py": "class C(b.B): ..."},
    hidden_imports: {"a/b.py": "if TYPE_CHECKING:\n    from doer.cli import x"},
    banned_names: {"utils/b.py": ""},
    full_faces: {"a/__init__.py": "from doer.a.b import c"},
    upward_strings: {"sessions/build.py": "T = {'x': 'doer.worlds.files.world:Files'}"},
    lazy_loaders: {"a/b.py": "importlib.import_module(x)", "a/c.py": "import_module(y)"},
}
MORE_PLANTS = [
    (many_parameters, {"a/b.py": "class A:\n    def f(self, a, b, c, d, e, g, h, i, j): ..."}),
    (hidden_imports, {"a/b.py": "def f():\n    import doer.cli"}),
    (hidden_imports, {"a/b.py": "def f():\n    from . import cli"}),
    (banned_names, {"a/helpers.py": ""}),
    (upward_strings, {"tools/build.py": "T = {'x': 'doer.graders.page:Page'}"}),
    (upward_strings, {"evals/suite.py": "T = {'x': 'doer.worlds.files.world:Files'}"}),
]


@pytest.mark.parametrize("rule", PLANTS, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule: Callable[[Sources], Iterator[str]]) -> None:
    files = [path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".js", ".css")]
    sources = {path.relative_to(PACKAGE).as_posix(): path.read_text() for path in files}
    assert sources
    assert [finding for finding in rule(sources) if finding not in EXCEPTIONS] == []


@pytest.mark.parametrize(("rule", "plant"), [*PLANTS.items(), *MORE_PLANTS])
def test_the_rule_finds_what_breaks_it(
    rule: Callable[[Sources], Iterator[str]], plant: Sources
) -> None:
    assert len(list(rule(plant))) == 1
