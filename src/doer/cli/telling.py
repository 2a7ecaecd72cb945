"""Events and figures as lines a person reads."""

import sys

import msgspec
from rich.console import Console

from doer.records.event import (
    Decided,
    Event,
    Faulted,
    Graded,
    Intended,
    Observed,
    TurnEnded,
    TurnStarted,
    to_json,
)

SHOWN_LINES = 14


class Teller:
    """Tells events as they come: in words on stderr, or as JSON lines on stdout."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(stderr=True, highlight=False)

    def __call__(self, event: Event) -> None:
        if self._as_json:
            sys.stdout.write(to_json(event).decode() + "\n")
            sys.stdout.flush()
            return
        match event.data:
            case TurnStarted(instruction=instruction, observation=first):
                self._print(instruction, "bold")
                if first is not None:
                    self._view(first.text)
            case Decided(completion=said, seconds=seconds) if said.text:
                self._print(f"{said.text}  ({seconds:.1f} s)", "")
            case Intended(action=action):
                arguments = msgspec.json.encode(action.arguments).decode()
                self._print(f"step {event.step}: {action.tool} {arguments}", "cyan")
            case Observed(observation=seen):
                self._view(seen.text, "red" if seen.error else "dim")
            case Faulted(boundary=boundary, text=text):
                self._print(f"{boundary}: {text}", "red")
            case Graded(grader=grader, grade=grade):
                word = "passed" if grade.passed else "failed"
                why = f": {grade.why}" if grade.why else ""
                style = "green" if grade.passed else "red"
                self._print(f"{grader} {word} ({grade.score:g}){why}", style)
            case TurnEnded(end=end):
                self._print(f"end: {end.replace('_', ' ')}", "bold")
            case _:
                pass

    def _print(self, text: str, style: str) -> None:
        self._console.print(text, style=style, markup=False)

    def _view(self, text: str, style: str = "dim") -> None:
        lines = text.splitlines()
        shown = lines[:SHOWN_LINES]
        if len(lines) > SHOWN_LINES:
            shown.append(f"... {len(lines) - SHOWN_LINES} more lines")
        for line in shown:
            self._print("    " + line, style)
