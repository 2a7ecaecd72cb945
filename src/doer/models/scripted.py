"""A model that follows a script: the oracle of a task, or a fake that stands in for a real one."""

from collections.abc import Callable, Sequence

from doer.errors import ModelError
from doer.records.completion import Completion, Request

Script = Sequence[Completion] | Callable[[Request], Completion]


class ScriptedModel:
    """Answers from a list, one completion a call, or from a function of the request.

    A list says every completion once; a call past its end raises `ModelError`.
    """

    def __init__(self, name: str, script: Script) -> None:
        self._name = name
        self._answer = script if callable(script) else _recite(name, script)

    @property
    def name(self) -> str:
        return self._name

    async def respond(self, request: Request) -> Completion:
        return self._answer(request)


def _recite(name: str, completions: Sequence[Completion]) -> Callable[[Request], Completion]:
    left = iter(completions)

    def answer(_: Request) -> Completion:
        said = next(left, None)
        if said is None:
            raise ModelError(f"the script of {name} is over after {len(completions)} answers")
        return said

    return answer
