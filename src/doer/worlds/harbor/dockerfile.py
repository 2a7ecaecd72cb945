"""A Dockerfile as its instructions: comments gone, lines joined, here-documents with their `RUN`,
variables filled in (docs.docker.com/reference/dockerfile)."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from doer.errors import ConfigError

_HERE = re.compile(r"<<-?\s*([\"']?)([A-Za-z_]\w*)\1")
_VARIABLE = re.compile(r"\\\$|\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})")
_FLAG = re.compile(r"--([\w-]+)(?:=(\S*))?\s+")


@dataclass(frozen=True)
class Instruction:
    """`name` in capitals; `flags` as written before the arguments, `--link` as an empty one."""

    line: int
    name: str
    flags: Mapping[str, str]
    text: str
    here: str = ""  # a here-document's lines, the last of them its end

    def words(self, variables: Mapping[str, str]) -> list[str]:
        """The arguments, of either form, with variables filled in. Raises `ConfigError`."""
        listed = self.listed()
        if listed is not None:
            return [fill(word, variables) for word in listed]
        try:
            return shlex.split(fill(self.text, variables))
        except ValueError as wrong:
            raise self.wrong(f"cannot be read: {wrong}") from None

    def listed(self) -> list[str] | None:
        """The arguments where they are a JSON list of texts."""
        if not self.text.startswith("["):
            return None
        try:
            found = json.loads(self.text)
        except ValueError:
            return None
        return found if isinstance(found, list) and all(isinstance(w, str) for w in found) else None  # pyright: ignore[reportUnknownVariableType]

    def wrong(self, what: str) -> ConfigError:
        """An error that names the line."""
        text = f"{self.name} {self.text}".partition("\n")[0]
        return ConfigError(f"Dockerfile, line {self.line} ({text[:100].strip()}): {what}")


def read(dockerfile: str) -> Iterator[Instruction]:
    """The instructions in order. Raises `ConfigError` for a line that is none."""
    lines = dockerfile.splitlines()
    at = 0
    while at < len(lines):
        begun = at
        whole, at = _joined(lines, at)
        if not whole:
            continue
        name, *rest = whole.split(maxsplit=1)
        if not name.isalpha():
            raise ConfigError(f"Dockerfile, line {begun + 1}: {whole[:100]!r} is no instruction")
        flags: dict[str, str] = {}
        text = "".join(rest) + " "
        while found := _FLAG.match(text):
            flags[found[1]] = found[2] or ""
            text = text[found.end() :]
        end = _end_of_here(lines, at, text) if name.upper() in ("RUN", "COPY", "ADD") else at
        here = "\n".join(lines[at:end])
        at = end
        yield Instruction(begun + 1, name.upper(), flags, text.strip(), here)


def fill(text: str, variables: Mapping[str, str]) -> str:
    """`$NAME`, `${NAME}`, `${NAME:-else}` and `${NAME:+then}`; what is not known is empty."""

    def value(found: re.Match[str]) -> str:
        if found[0] == "\\$":
            return "$"
        known = variables.get(found[1] or found[2], "")
        if found[3] == "-":
            return known or found[4]
        return (found[4] if known else "") if found[3] == "+" else known

    return _VARIABLE.sub(value, text)


def _joined(lines: list[str], at: int) -> tuple[str, int]:
    """The instruction that begins at a line, and where the next one may begin."""
    parts: list[str] = []
    while at < len(lines):
        line = lines[at].rstrip()
        at += 1
        if line.lstrip().startswith("#") or (parts and not line):
            continue
        parts.append(line.removesuffix("\\"))
        if not line.endswith("\\"):
            break
    return "".join(parts).strip(), at


def _end_of_here(lines: list[str], at: int, text: str) -> int:
    """Where the here-documents end that a text begins; `at` when it begins none."""
    end = at
    for _, word in _HERE.findall(text):
        closing = (number for number in range(end, len(lines)) if lines[number].strip() == word)
        if (last := next(closing, None)) is None:
            return at  # no here-document: a shift, or a text
        end = last + 1
    return end
