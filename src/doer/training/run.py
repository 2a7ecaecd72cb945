"""A run's folder: what is needed to stop anywhere and go on, and what is worth keeping.

recipe.json        the recipe the folder belongs to
demonstrations.jsonl, rollouts/00012.jsonl    trajectories, one a line, append-only
progress.jsonl     one `Iteration` or `Validation` a line, as in TensorBoard's files
sft/               the supervised start; rl/ the best weights since; model/ the result
checkpoints/rl/00012/    state.json and the learner's files; LATEST names the last complete one
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from doer.disk import write_whole
from doer.errors import ConfigError
from doer.records.trajectory import Trajectory
from doer.training.recipe import Recipe

State = TypeVar("State")


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """Success on the validation seeds at some moment of a run. Times in seconds of training."""

    phase: str
    at: int  # SFT step or RL iteration
    seconds: float
    passed: int
    n: int

    @property
    def success(self) -> float:
        return self.passed / max(1, self.n)


class Run:
    """One folder. Every write is atomic or append-only, so a kill leaves nothing half done."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        written = msgspec.json.encode(recipe)
        kept = folder / "recipe.json"
        if kept.exists() and kept.read_bytes() != written:
            raise ConfigError(
                f"{folder} holds a run of another recipe; give this one a folder with --run"
            )
        if not kept.exists():
            write_whole(kept, written)

    @property
    def finished(self) -> bool:
        return (self.folder / "report.html").exists()

    def save_demonstrations(self, trajectories: Sequence[Trajectory]) -> None:
        lines = b"\n".join(msgspec.json.encode(trajectory) for trajectory in trajectories)
        write_whole(self.folder / "demonstrations.jsonl", lines)

    def save_instructions(self, instructions: Sequence[str]) -> None:
        """Those of all training tasks, in order."""
        write_whole(self.folder / "instructions.json", msgspec.json.encode(instructions))

    def instructions(self) -> list[str]:
        return msgspec.json.decode((self.folder / "instructions.json").read_bytes(), type=list[str])

    def save_rollouts(self, number: int, trajectories: Sequence[Trajectory]) -> None:
        """Without events: tokens, ends and grades are what training reads."""
        bare = [msgspec.structs.replace(trajectory, events=()) for trajectory in trajectories]
        path = self.folder / "rollouts" / f"{number:05}.jsonl"
        path.parent.mkdir(exist_ok=True)
        write_whole(path, b"\n".join(msgspec.json.encode(trajectory) for trajectory in bare))

    def rollouts(self, number: int) -> list[Trajectory]:
        lines = (self.folder / "rollouts" / f"{number:05}.jsonl").read_bytes().splitlines()
        return [msgspec.json.decode(line, type=Trajectory) for line in lines]

    def note(self, entry: msgspec.Struct) -> None:
        """Append one line of progress."""
        with (self.folder / "progress.jsonl").open("ab") as file:
            file.write(msgspec.json.encode(entry) + b"\n")

    def checkpoints(self, stage: str) -> "Checkpoints":
        return Checkpoints(self.folder / "checkpoints" / stage)

    def since(self, phase: str, number: int) -> None:
        """Drop the progress noted after a checkpoint: that part of the phase is run again."""
        path = self.folder / "progress.jsonl"
        entries = [(line, msgspec.json.decode(line, type=_Entry)) for line in _lines(path)]
        kept = [line for line, e in entries if e.phase != phase or max(e.number, e.at) <= number]
        write_whole(path, b"".join(line + b"\n" for line in kept))


@dataclass(frozen=True)
class Checkpoints:
    """Those of one stage, of which only the last is kept."""

    folder: Path

    def new(self, number: int) -> Path:
        """An empty folder to save into; it counts only after `commit`."""
        path = self.folder / f"{number:05}"
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def commit(self, checkpoint: Path, state: msgspec.Struct) -> None:
        """Make the checkpoint the one to go on from, and drop all others."""
        write_whole(checkpoint / "state.json", msgspec.json.encode(state))
        write_whole(self.folder / "LATEST", checkpoint.name.encode())
        for other in self.folder.iterdir():
            if other.is_dir() and other != checkpoint:
                shutil.rmtree(other)

    def latest(self, kind: type[State]) -> tuple[Path, State] | None:
        """The last complete checkpoint and its state, if there is one."""
        pointer = self.folder / "LATEST"
        if not pointer.exists():
            return None
        checkpoint = self.folder / pointer.read_text()
        return checkpoint, msgspec.json.decode((checkpoint / "state.json").read_bytes(), type=kind)


class _Entry(msgspec.Struct):
    """What tells the entries of progress.jsonl apart."""

    phase: str = "rl"
    number: int = 0
    at: int = 0


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()
