"""Reference solutions of the files world. They read the folder from the view, as an agent does."""

import re
from collections.abc import Callable

from doer.records.action import Action, Element
from doer.worlds.files.chores import DESKS

Edit = Callable[[str, dict[str, str]], dict[str, str]]
"""(instruction, texts by path) -> the texts as they should be; unchanged when they already are."""


def solve(edit: Edit, instruction: str, elements: tuple[Element, ...]) -> Action | None:
    """Write the first file that is not as `edit` wants it."""
    texts = {e.name: e.value for e in elements if e.value is not None}
    wanted = edit(instruction, texts)
    for path, text in wanted.items():
        if texts.get(path) != text:
            return Action(tool="write_file", arguments={"path": path, "text": text})
    return None


def set_value(instruction: str, texts: dict[str, str]) -> dict[str, str]:
    path = _word(r"In (\S+),", instruction)
    key, section, value = re.findall(r'"(.*?)"', instruction)
    head = rf"(\[{section}\][^\[]*?{key} = )"
    return {path: re.sub(rf"{head}\S+", rf"\g<1>{value}", texts[path])}


def move_line(instruction: str, texts: dict[str, str]) -> dict[str, str]:
    word = _word(r'"(.*?)"', instruction)
    source, target = re.findall(r"(\S+\.txt)", instruction)
    moved = [line for line in texts[source].splitlines(True) if word in line]
    if not moved:
        return {}
    # First into the new file: stopped half way, the line is there twice, never lost.
    left = "".join(line for line in texts[source].splitlines(True) if word not in line)
    kept = "".join(line for line in texts[target].splitlines(True) if word not in line)
    return {target: kept + moved[0], source: left}


def append_total(instruction: str, texts: dict[str, str]) -> dict[str, str]:
    path = _word(r"to (\S+),", instruction)
    rows = [line for line in texts[path].splitlines(True) if not line.startswith("total,")]
    total = sum(int(row.split(",")[1]) for row in rows[1:])
    return {path: "".join([*rows, f"total,{total}\n"])}


def rename_key(instruction: str, texts: dict[str, str]) -> dict[str, str]:
    path = _word(r"In (\S+),", instruction)
    old, new = re.findall(r'"(.*?)"', instruction)
    return {path: texts[path].replace(f'"{old}":', f'"{new}":')}


def route_ticket(instruction: str, texts: dict[str, str]) -> dict[str, str]:
    del texts
    said = re.findall(r'"(.*?)"', instruction)
    paths = (
        ["desk.txt"] if len(said) == 1 else [f"{number}.txt" for number, _ in enumerate(said, 1)]
    )
    return dict(zip(paths, map(_desk, said), strict=True))


def _desk(said: str) -> str:
    return next(desk for desk, all in DESKS.items() if any(one in said for one in all))


EDITS: dict[str, Edit] = {
    "append-total": append_total,
    "move-line": move_line,
    "rename-key": rename_key,
    "route-ticket": route_ticket,
    "route-tickets": route_ticket,
    "set-value": set_value,
}


def _word(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"no {pattern} in {text!r}")
    return found[1]
