"""What may come next in an action: verb, then its arguments in order.

`ref` is one place on the page, `option` one of those in the name of the list that was chosen. A
text is one or more words until `<end>`, each copied from the instruction or the page: so the policy
cannot make up words, nor learn those of its demonstrations by heart. An action has at most 48
tokens, so the last can only be `<end>`. All of it follows from token ids: the rules are the same
when an answer is drawn and when its probability is computed.

With a wide vocabulary a text may also begin with its manner, or be a number below 100 that stands
nowhere, and a verb that is offered before the task is copied from there.
"""

from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

import numpy as np

from doer.models.local.pointer.vocabulary import (
    DISTANCES,
    KEYS,
    MANNERS,
    PLACES,
    VERBS,
    WIDE_VERBS,
    Vocabulary,
)

LONGEST_ACTION = 48


class Kind(IntEnum):
    """What may be written, as against copied."""

    NOTHING = 0
    POINT = 1  # a verb that points at something
    STOP = 2  # a verb that needs no page
    POINT_OR_STOP = 3
    END = 4
    MANNER = 5  # of a text, or a number
    KEY = 6
    DISTANCE = 7


_ONE_TOKEN = {"keys": Kind.KEY, "dy": Kind.DISTANCE}
"""Arguments that are written, not copied, and their kinds."""


class Choice(NamedTuple):
    """What may come next: writing a token of this kind, or copying from these prefix positions."""

    kind: Kind
    copies: tuple[int, ...] = ()

    @property
    def over(self) -> bool:
        """Nothing may come next: the action is complete, or none is possible."""
        return self.kind == Kind.NOTHING and not self.copies


class Grammar:
    """The rules over one vocabulary's token ids."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.verbs = {vocabulary.mark(verb): slots for verb, slots in vocabulary.verbs.items()}
        self.end = vocabulary.mark("end")
        pointing = [vocabulary.mark(verb) for verb, slots in VERBS.items() if "ref" in slots]
        stopping = [vocabulary.mark(verb) for verb, slots in VERBS.items() if "ref" not in slots]
        self.stopping = frozenset(stopping)
        self.task, self.numbers = vocabulary.mark("task"), frozenset(vocabulary.numbers)
        self.offered: frozenset[int] = frozenset()
        self.manners: frozenset[int] = frozenset()
        self.whole = -1
        table = np.zeros((len(Kind), vocabulary.size), dtype=bool)
        table[np.ix_([Kind.POINT, Kind.POINT_OR_STOP], pointing)] = True
        table[np.ix_([Kind.STOP, Kind.POINT_OR_STOP], stopping)] = True
        table[Kind.END, self.end] = True
        if vocabulary.wide:
            self.offered = frozenset(map(vocabulary.mark, WIDE_VERBS))
            self.whole = vocabulary.mark("whole")
            self.manners = frozenset(map(vocabulary.mark, MANNERS))
            table[Kind.MANNER, [*map(vocabulary.mark, MANNERS), *self.numbers]] = True
            table[Kind.KEY, [*map(vocabulary.mark, KEYS)]] = True
            table[Kind.DISTANCE, [*map(vocabulary.mark, DISTANCES)]] = True
        self.wide = vocabulary.wide
        self.written_K_V = table
        """Which tokens are of a kind."""


Written = tuple[int, tuple[int, ...]]
"""Some tokens of the prefix, after the place of the first."""


def _unlabelled(first: Written, colon: int) -> list[Written]:
    """The first option of a list that has a label: what comes after the label's colon."""
    start, tokens = first
    if colon not in tokens:
        return []
    cut = tokens.index(colon) + 1
    return [(start + cut, tokens[cut:])]


class Rules:
    """The rules for actions after one prefix."""

    def __init__(self, grammar: Grammar, prefix: tuple[int, ...]) -> None:
        self._grammar = grammar
        self._prefix = prefix
        first = grammar.vocabulary.first_place
        places = range(first, first + PLACES)
        self.places = {token: at for at, token in enumerate(prefix) if token in places}
        """Where each place stands in the prefix."""

    def next(self, action: tuple[int, ...]) -> Choice:
        """What may come after these tokens. Raises ValueError when they begin no action."""
        if not action:
            return self._verb()
        if action[0] not in self._grammar.verbs:
            raise ValueError(f"an action cannot begin with token {action[0]}")
        at = 1
        for slot in self._grammar.verbs[action[0]]:
            rest = action[at:]
            taken = self._taken(slot, rest)
            if not taken:
                return self._within(slot, action, rest)
            at += taken
        return Choice(Kind.NOTHING)

    def _taken(self, slot: str, rest: tuple[int, ...]) -> int:
        """How many tokens an argument has; 0 while it is not complete."""
        if slot in ("text", "option"):
            return rest.index(self._grammar.end) + 1 if self._grammar.end in rest else 0
        return min(len(rest), 1)

    def _within(self, slot: str, action: tuple[int, ...], rest: tuple[int, ...]) -> Choice:
        """What may come next in an argument that is not complete."""
        if slot in ("ref", "to"):
            return self._place()
        if slot in _ONE_TOKEN:
            return Choice(_ONE_TOKEN[slot])
        if len(action) == LONGEST_ACTION - 1:
            return Choice(Kind.END)
        return self._option(action[1], rest) if slot == "option" else self._text(rest)

    def all(self, action: tuple[int, ...]) -> list[Choice]:
        """What each token of a complete action was chosen from."""
        return [self.next(action[:at]) for at in range(len(action))]

    def allow(self, action: tuple[int, ...]) -> bool:
        """Whether this is a complete action that could be drawn."""
        try:
            choices = self.all(action)
            complete = self.next(action).over
        except ValueError:
            return False
        written = self._grammar.written_K_V
        copied = [[self._prefix[at] for at in choice.copies] for choice in choices]
        steps = zip(action, choices, copied, strict=True)
        return complete and all(
            written[c.kind, token] or token in there for token, c, there in steps
        )

    def _verb(self) -> Choice:
        """What is offered besides pointing verbs stands before the task."""
        grammar = self._grammar
        head = self._prefix[: self._prefix.index(grammar.task)]
        points, stops = bool(self.places), not grammar.stopping.isdisjoint(head)
        copies = (
            at
            for at, token in enumerate(head)
            if token in grammar.offered and (points or "ref" not in grammar.verbs[token])
        )
        return Choice(Kind(Kind.POINT * points + Kind.STOP * stops), tuple(copies))

    def _place(self) -> Choice:
        return Choice(Kind.NOTHING, tuple(self.places.values()))

    def _text(self, written: tuple[int, ...]) -> Choice:
        """Words, after their manner if the vocabulary is wide."""
        if not self._grammar.wide:
            return self._words_on(written)
        if not written:
            return Choice(Kind.MANNER, self._words_on(()).copies)
        if written[0] == self._grammar.whole:
            return self._place() if len(written) == 1 else Choice(Kind.END)
        if written[0] in self._grammar.manners:
            return self._words_on(written[1:])
        going = self._words_on(written)
        made_up = len(written) == 1 and written[0] in self._grammar.numbers
        return Choice(Kind.END, going.copies) if made_up else going

    def _words_on(self, written: tuple[int, ...]) -> Choice:
        """Go on with the word that was begun wherever it stands; if it may be complete, begin
        another or end."""
        words = self._grammar.vocabulary.words(written)
        begun = words[-1][1] if words else ()
        size = len(begun)
        alike = [(start, pieces) for start, pieces in self._words if pieces[:size] == begun]
        further = tuple(start + size for start, pieces in alike if len(pieces) > size)
        if size and all(len(pieces) > size for _, pieces in alike):
            return Choice(Kind.NOTHING, further)
        starts = tuple(start for start, _ in self._words)
        if not size and starts:
            return Choice(Kind.NOTHING, starts)
        return Choice(Kind.END, starts + further)

    def _option(self, place: int, written: tuple[int, ...]) -> Choice:
        """Go on with any of the element's options that begins like this; end where one is whole."""
        size = len(written)
        alike = [(at, option) for at, option in self._options(place) if option[:size] == written]
        further = tuple(at + size for at, option in alike if len(option) > size)
        whole = any(len(option) == size for _, option in alike)
        return Choice(Kind.END if whole or not further else Kind.NOTHING, further)

    def _options(self, place: int) -> list[tuple[int, tuple[int, ...]]]:
        """The options in the name of an element, with their places in the prefix."""
        vocabulary = self._grammar.vocabulary
        end = self.places.get(place, 0)
        start = max((at for at in self.places.values() if at < end), default=0)
        found: list[tuple[int, tuple[int, ...]]] = [(0, ())]
        for at in range(max(start, self._prefix.index(vocabulary.mark("page"))) + 1, end):
            token = self._prefix[at]
            if token == vocabulary.mark("val"):
                break
            if token == vocabulary.bar:
                found.append((0, ()))
            elif vocabulary.first_text <= token < vocabulary.end_text:
                first, pieces = found[-1]
                found[-1] = (first if pieces else at, (*pieces, token))
        found += _unlabelled(found[0], vocabulary.colon)
        return [option for option in found if option[1]]

    @cached_property
    def _words(self) -> list[tuple[int, tuple[int, ...]]]:
        """The words that can be copied, with their places in the prefix."""
        vocabulary = self._grammar.vocabulary
        words = vocabulary.words(self._prefix[: self._prefix.index(vocabulary.mark("last"))])
        return [word for word in words if word[1] != (vocabulary.quote,)]
