"""A prefix cut into its parts again: the words of the instruction and the elements of the page. All
that the net is told beside the tokens themselves comes from here."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from doer.models.local.pointer.vocabulary import PLACES, ROLES, Vocabulary

Word = tuple[int, int, str]
"""Where a word starts and ends in the prefix, and its spelling."""


@dataclass(frozen=True)
class Part:
    """One element: the positions start .. end - 1 are its own, its place included. `words` are
    those of its name, `held` those of its value (None when it cannot hold one)."""

    start: int
    end: int
    role: str
    words: tuple[Word, ...]
    held: tuple[Word, ...] | None
    on: bool
    off: bool
    tall: bool

    @cached_property
    def name(self) -> str:
        """Words with single spaces, signs being words."""
        return spelled(self.words)

    @cached_property
    def value(self) -> str:
        return spelled(self.held or ())

    @cached_property
    def label(self) -> str:
        """The name in small letters, without the colon at its end."""
        return self.name.casefold().removesuffix(" :")


@dataclass(frozen=True)
class Parts:
    """`page` is the position of `<page>`, `last` that of `<last>`."""

    words: tuple[Word, ...]
    elements: tuple[Part, ...]
    page: int
    last: int


def spelled(words: Sequence[Word]) -> str:
    return " ".join(text for _, _, text in words)


class Parter:
    """Cuts prefixes of one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._first = vocabulary.first_place
        self._roles = {vocabulary.mark(role): role for role in ROLES}
        self._marks = {name: vocabulary.mark(name) for name in ("page", "last", "val")}
        self._states = tuple(vocabulary.mark(name) for name in ("on", "off", "more"))

    def parts(self, prefix: tuple[int, ...]) -> Parts:
        page, last = prefix.index(self._marks["page"]), prefix.index(self._marks["last"])
        elements: list[Part] = []
        start = page + 1
        for at in range(page + 1, last):
            if self._first <= prefix[at] < self._first + PLACES:
                elements.append(self._part(prefix, start, at + 1))
                start = at + 1
        return Parts(self._words(prefix, 0, page), tuple(elements), page, last)

    def _part(self, prefix: tuple[int, ...], start: int, end: int) -> Part:
        tokens = prefix[start:end]
        value = self._marks["val"]
        cut = start + tokens.index(value) if value in tokens else end
        return Part(
            start,
            end,
            self._roles[tokens[0]],
            self._words(prefix, start, cut),
            self._words(prefix, cut, end) if cut < end else None,
            *(state in tokens for state in self._states),
        )

    def _words(self, prefix: tuple[int, ...], start: int, end: int) -> tuple[Word, ...]:
        spelling = self._vocabulary.spelling
        return tuple(
            (start + at, start + at + len(pieces), "".join(map(spelling, pieces)))
            for at, pieces in self._vocabulary.words(prefix[start:end])
        )
