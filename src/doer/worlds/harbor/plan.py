"""What a task's Dockerfile asks for, as steps that a computer without root can take.

The image named by FROM is not fetched: the computer has the system of its host. What only an image
or root can give is refused before anything starts, with its line.
"""

import posixpath
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from doer.computers.beside import MOST, holder
from doer.computers.inside import HOME
from doer.errors import ConfigError
from doer.worlds.harbor.dockerfile import Instruction, fill, read
from doer.worlds.harbor.packages import installed, without_installing

ALWAYS = ("/app", "/logs", "/solution", "/tests")
PROGRAMS = f"{HOME}/.local/bin"
"""Where pip puts programs for a user who is not root, and where `python` is."""
BASE = {
    "PATH": f"{PROGRAMS}:/usr/local/bin:/usr/bin:/bin:/usr/games",
    "HOME": HOME,
    "PIP_BREAK_SYSTEM_PACKAGES": "1",  # an image's system is the task's own to break
}
BEGIN = f"""
mkdir -p {PROGRAMS}
command -v python || ln -s /usr/bin/python3 {PROGRAMS}/python
""".strip()
NEEDS_ENGINE = "a Docker engine would be needed for it, with which Doer cannot run tasks yet"
IGNORED = frozenset(
    ("CMD", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "STOPSIGNAL", "USER", "VOLUME")
)
_MANAGERS = "apt|apt-get|apk|aptitude|dnf|microdnf|pacman|yum|zypper"
_PACKAGES = re.compile(rf"(?:^|[;&|(\n]|\bsudo\b|\bthen\b|\bdo\b)\s*({_MANAGERS})\s")
_PATH = re.compile(r"(?<![\w./:~<$}*-])/\w[\w./-]*")


@dataclass(frozen=True)
class Copy:
    """`what`: pairs of a path on the host and the absolute path it gets; folders come with all
    that is in them. `mode`: of the files, None for what they have."""

    line: int
    what: tuple[tuple[Path, str], ...]
    mode: int | None = None


@dataclass(frozen=True)
class Command:
    """A script, where it begins, and the variables it has."""

    line: int
    script: str
    cwd: str
    environ: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`folders`: those beside the home that must be writable. `image`: what FROM names."""

    image: str
    workdir: str
    environ: Mapping[str, str]
    folders: tuple[str, ...]
    steps: tuple[Copy | Command, ...]


def plan(dockerfile: str, context: Path, instruction: str, workdir: str | None = None) -> Plan:
    """Raises `ConfigError` that names the line which cannot be followed. `context`: the folder
    that files are copied from. Paths in the `instruction` may have to be made by the agent, so
    what holds them can be written too. `workdir` goes before the Dockerfile's."""
    making = _Making(context)
    for each in read(dockerfile):
        making.follow(each)
    if not making.image:
        raise ConfigError("the Dockerfile has no FROM")
    if workdir is not None and not making.need(workdir):
        raise ConfigError(f"environment.workdir: {workdir} belongs to the system; {NEEDS_ENGINE}")
    for path in _PATH.findall(f"{dockerfile}\n{instruction}"):
        top = holder(path.rstrip(".-/"))
        if "." not in posixpath.basename(top) and len(making.folders) < MOST:
            making.folders.add(top)
    return Plan(
        image=making.image,
        workdir=workdir or making.workdir or HOME,
        environ={**BASE, **making.environ},
        folders=tuple(sorted(making.folders - {""})),
        steps=(Command(1, BEGIN, "", BASE), *making.steps),
    )


@dataclass
class _Making:
    context: Path
    image: str = ""
    workdir: str = ""
    arguments: dict[str, str] = field(default_factory=dict[str, str])
    environ: dict[str, str] = field(default_factory=dict[str, str])
    folders: set[str] = field(default_factory=lambda: set(ALWAYS))
    made: set[str] = field(default_factory=lambda: {HOME, *ALWAYS})
    steps: list[Copy | Command] = field(default_factory=list[Copy | Command])

    @property
    def variables(self) -> dict[str, str]:
        return {**BASE, **self.arguments, **self.environ}

    def follow(self, each: Instruction) -> None:
        match each.name:
            case "FROM":
                self._begin(each)
            case "WORKDIR":
                self._enter(each)
            case "COPY" | "ADD":
                self._copy(each)
            case "RUN":
                self._run(each)
            case "ENV":
                self.environ |= _pairs(each, self.variables)
            case "ARG":
                for word in each.words(self.variables):
                    name, _, value = word.partition("=")
                    self.arguments[name] = value
            case _ if not _changes_nothing(each):
                raise each.wrong(f"cannot be followed here; {NEEDS_ENGINE}")
            case _:
                pass

    def need(self, folder: str) -> bool:
        """Let a folder be writable. False when it cannot be."""
        if folder == HOME or folder.startswith(f"{HOME}/"):
            return True
        if top := holder(folder):
            self.folders.add(top)
        return bool(top)

    def _begin(self, each: Instruction) -> None:
        if self.image:
            raise each.wrong(f"a second stage cannot be built here; {NEEDS_ENGINE}")
        self.image = (each.words(self.variables) or [""])[0]

    def _enter(self, each: Instruction) -> None:
        folder = self._absolute(fill(each.text, self.variables).strip("\"'"))
        if not self.need(folder):
            raise each.wrong(f"{folder} belongs to the system here; {NEEDS_ENGINE}")
        self.workdir = folder
        self.made.add(folder)
        self.steps.append(Command(each.line, f"mkdir -p {shlex.quote(folder)}", "", {}))

    def _run(self, each: Instruction) -> None:
        if each.flags:
            raise each.wrong(f"flags of RUN cannot be followed here; {NEEDS_ENGINE}")
        listed = each.listed()
        script = shlex.join(listed) if listed is not None else each.text
        if each.here:
            bare = re.fullmatch(r"<<-?\s*[\"']?\w+[\"']?", script)
            script = each.here.rpartition("\n")[0] if bare else f"{script}\n{each.here}"
        script, packages = without_installing(script)
        if lacking := " ".join(sorted(set(packages) - installed())):
            raise each.wrong(
                f"this machine lacks {lacking}, and root to install it there is not in a computer:"
                f" `apt-get install {lacking}` here, or {NEEDS_ENGINE}"
            )
        if found := _PACKAGES.search(script):
            raise each.wrong(f"{found[1]} needs root, which there is not here; {NEEDS_ENGINE}")
        self.steps.append(Command(each.line, script, self.workdir, self.variables))

    def _copy(self, each: Instruction) -> None:
        if each.here or each.flags.keys() - {"chown", "chmod", "link"}:
            raise each.wrong(f"cannot be copied here; {NEEDS_ENGINE}")
        *sources, to = each.words(self.variables) or [""]
        if not sources:
            raise each.wrong("say what is copied, and where to")
        mode = each.flags.get("chmod")
        if mode is not None and not re.fullmatch("0?[0-7]{3}", mode):
            raise each.wrong("the mode is three digits, such as 755")
        found = [path for source in sources for path in self._found(each, source)]
        target = self._absolute(to)
        into = posixpath.basename(to) in ("", ".", "..") or len(found) > 1 or target in self.made
        if each.name == "ADD" and any(path.name.endswith(_ARCHIVES) for path in found):
            raise each.wrong("archives are not unpacked here; copy the files themselves")
        pairs = [
            (path, target if path.is_dir() or not into else posixpath.join(target, path.name))
            for path in found
        ]
        for path, place in pairs:
            folder = place if path.is_dir() else posixpath.dirname(place)
            if not self.need(folder):
                raise each.wrong(f"{place} belongs to the system here; {NEEDS_ENGINE}")
            self.made.add(folder)
        self.steps.append(Copy(each.line, tuple(pairs), int(mode, 8) if mode else None))

    def _found(self, each: Instruction, source: str) -> Iterable[Path]:
        if re.match(r"[a-z]+://|git@", source):
            raise each.wrong(f"nothing is fetched from the network here; {NEEDS_ENGINE}")
        top = self.context.resolve()
        pattern = posixpath.normpath(source).lstrip("/")
        try:
            found = [top] if pattern == "." else sorted(top.glob(pattern))
        except ValueError as wrong:
            raise each.wrong(str(wrong)) from None
        if not found or ".." in pattern.split("/"):
            raise each.wrong(f"there is no {source} in {self.context}")
        if not all(path.resolve().is_relative_to(top) for path in found):
            raise each.wrong(f"{source} leads out of {self.context}")
        return found

    def _absolute(self, path: str) -> str:
        return posixpath.normpath(posixpath.join("/", self.workdir, path))


_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".txz", ".tar.zst")


def _changes_nothing(each: Instruction) -> bool:
    """Scripts are run by bash anyway, and what an image starts is not started for a task."""
    listed = each.listed()
    shell = each.name == "SHELL" and bool(listed) and listed[0].endswith("sh")
    return each.name in IGNORED or shell or (each.name == "ENTRYPOINT" and listed == [])


def _pairs(each: Instruction, variables: Mapping[str, str]) -> dict[str, str]:
    """ENV's, in its new form (A=1 B=2) or its old one (A all that follows)."""
    name, space, rest = fill(each.text, variables).partition(" ")
    if space and "=" not in name:
        return {name: rest.strip()}
    words = [word.partition("=") for word in each.words(variables)]
    return {name: value for name, _, value in words}
