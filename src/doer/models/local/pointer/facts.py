"""What is so about each token of a prefix that is hard to see for a small net: which of its like an
element is, how its number compares, whether it is meant by a date, an ordinal, a heading. All of it
is derived from the tokens, and nothing from what a task is called.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum, auto
from functools import lru_cache
from itertools import pairwise

import numpy as np

from doer.models.local.pointer.dates import Dated, dated, month_of
from doer.models.local.pointer.parts import Part, Parter, Parts, spelled
from doer.models.local.pointer.vocabulary import Vocabulary

PLACED = 64
"""Ordinals and counts from here on are one less."""
COLUMNS = 5
"""Of the numbers of a token: facts, ordinal, count, rank, word."""

_NUMBER = re.compile(r"(?:(?<!\d )- )?\d+")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)\b")
_DATE = re.compile(r"\d+ / \d+ / \d+|\d{4} - \d+ - \d+")
_QUOTED = re.compile(r'" (.*?) "')
_SPOKEN = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_CALLED = {"textbox": ("text", "textbox", "input", "field"), "combobox": ("list", "dropdown")}
_KEPT = 1 << 12


class Fact(IntEnum):
    """Bits. Those of an element are set on all of its tokens."""

    LEAST = 0  # of the numbers of elements that read alike but for their numbers
    MOST = auto()
    LEAST_BEFORE = auto()  # the element before it has the least
    MOST_BEFORE = auto()
    NUMBER = auto()  # the name is a number and nothing else
    ODD = auto()
    LETTER = auto()
    LESS = auto()  # than the number of the instruction; of a field its value is
    SAME = auto()
    GREATER = auto()
    NTH = auto()  # of its role, as the first ordinal of the instruction says
    NTH_TOO = auto()  # as the second says
    NTH_WORD = auto()  # on a word: of its element
    DAY = auto()  # of the instruction's date
    EARLIER = auto()  # a month or year before that of the date
    MEANT = auto()  # the date's own month or year
    LATER = auto()
    CHOSEN = auto()  # on a word: of an option that the list has as its value
    REPEATED = auto()  # the field's value is another element's name
    USED = auto()  # the name is a field's value
    LABEL_AGAIN = auto()  # the name, but for a colon, is one that stood before
    CALLED = auto()  # the instruction has a word for its role
    UNDER = auto()  # the first of its role and name since an element that is named
    NEXT = auto()  # the first one under a name that is called like a quoted text and is not on
    LIKE_QUOTED = auto()  # but for capitals
    QUOTED = auto()  # the name is the first quoted text
    QUOTED_TOO = auto()  # or a further one
    IN_QUOTE = auto()  # on a word of the instruction: of the first quoted text
    IN_NEXT_QUOTE = auto()
    ENOUGH = auto()  # as many are on as the instruction says
    NONE_NAMED = auto()  # no element is named
    LAST_NAMED = auto()  # of all that are named it stands last in the instruction
    ENDS = auto()  # the instruction ends with its name
    FIRST_OFF = auto()  # of its role and name, the first that is not on
    FIRST_EMPTY = auto()  # the first field without a value
    LABELLED = auto()  # the text before it, or its name, stands in the instruction
    TALL = auto()  # a field of several lines
    ALONE = auto()  # the only one of its role
    ASKED = auto()  # the text before the first field without a value
    KEYED = auto()  # comes after an element that is called like that text
    AFTER_NAMED = auto()  # comes after an element that is named


Columns = np.ndarray
"""(tokens, COLUMNS) of int64."""


class Teller:
    """Tells facts over one vocabulary's token ids."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._parter = Parter(vocabulary)
        self.columns: Callable[[tuple[int, ...]], Columns] = lru_cache(_KEPT)(self._columns)

    def _columns(self, prefix: tuple[int, ...]) -> Columns:
        parts = self._parter.parts(prefix)
        out = np.zeros((len(prefix), COLUMNS), dtype=np.int64)
        said = _Said.of(parts)
        for start, end, fact in _all(parts, said):
            out[start:end, 0] |= 1 << fact
        roles = Counter(part.role for part in parts.elements)
        seen: Counter[str] = Counter()
        ranks = _ranks(parts.elements)
        for part in parts.elements:
            seen[part.role] += 1
            own = out[part.start : part.end]
            own[:, 1] = min(seen[part.role], PLACED - 1)
            own[:, 2] = min(roles[part.role], PLACED - 1)
            own[:, 3] = min(ranks.get(part.start, 0), PLACED - 1)
            for number, (start, end, _) in enumerate(_counted(part), 1):
                out[start:end, 4] = min(number, PLACED - 1)
        return out


class _Said:
    """What the instruction says."""

    def __init__(self, text: str, date: Dated | None) -> None:
        rest = _ORDINAL.sub("", _DATE.sub("", text))
        self.text, self.date = text, date
        self.folded = f" {text.casefold()} "
        self.numbers = [_int(found) for found in _NUMBER.findall(rest)]
        self.ordinals = [int(n) for n in _ORDINAL.findall(text)]
        words = self.folded.split()
        self.ordinals += [_SPOKEN.index(word) + 1 for word in words if word in _SPOKEN]
        self.quoted = _QUOTED.findall(text)

    @staticmethod
    def of(parts: Parts) -> "_Said":
        text = spelled(parts.words)
        return _Said(text, dated(text))

    def names(self, name: str) -> bool:
        """Whether this stands in the instruction, whole words only."""
        return len(name) > 1 and f" {name} " in f" {self.text} "


Found = Iterator[tuple[int, int, Fact]]


def _all(parts: Parts, said: _Said) -> Found:
    for part in parts.elements:
        for fact in (*_own(part, said), *_when(part, said)):
            yield part.start, part.end, fact
        yield from _of_words(part, said)
    yield from _quotes(parts)
    yield from _compared(parts.elements)
    yield from _counts(parts.elements, said)
    yield from _asked(parts.elements)
    yield from _twins(parts.elements)
    yield from _headings(parts.elements, said)
    yield from _named(parts.elements, said)


def _own(part: Part, said: _Said) -> Iterator[Fact]:
    """What an element is by itself."""
    text = part.name if part.held is None else part.value
    if _NUMBER.fullmatch(text):
        yield Fact.NUMBER
        if _int(text) % 2:
            yield Fact.ODD
        if said.numbers:
            away = _int(text) - said.numbers[0]
            yield Fact.LESS if away < 0 else Fact.GREATER if away else Fact.SAME
    elif len(text) == 1 and text.isalpha():
        yield Fact.LETTER
    if part.name in said.quoted:
        yield Fact.QUOTED if part.name == said.quoted[0] else Fact.QUOTED_TOO
    if any(part.label == quoted.casefold() for quoted in said.quoted):
        yield Fact.LIKE_QUOTED
    called = ("textarea",) if part.tall else _CALLED.get(part.role, (part.role,))
    if any(f" {word} " in said.folded for word in called):
        yield Fact.CALLED
    if part.tall:
        yield Fact.TALL
    if said.names(part.name) and said.text.removesuffix(" .").endswith(part.name):
        yield Fact.ENDS


def _when(part: Part, said: _Said) -> Iterator[Fact]:
    if said.date is None or part.held is not None:
        return
    if part.name.isdigit() and int(part.name) == said.date.day:
        yield Fact.DAY
    if (found := month_of(part.name)) and found.year in (None, said.date.year):
        away = found.month - said.date.month
    elif found or re.fullmatch(r"(?:19|20)\d\d", part.name):
        year = found.year if found else int(part.name)
        away = (year or said.date.year) - said.date.year
    else:
        return
    yield Fact.EARLIER if away < 0 else Fact.LATER if away else Fact.MEANT


def _of_words(part: Part, said: _Said) -> Found:
    if said.ordinals and part.held is None:
        for start, end, _ in _counted(part)[said.ordinals[0] - 1 :][:1]:
            yield start, end, Fact.NTH_WORD
    if part.role == "combobox" and part.held:
        chosen = part.value.split(" | ")
        options = re.split(r" \| ", part.name)
        at = 0
        for option in options:
            words = part.words[at : at + len(option.split(" "))]
            at += len(words) + 1
            if words and option in chosen:
                yield words[0][0], words[-1][1], Fact.CHOSEN


def _quotes(parts: Parts) -> Found:
    """Words of the instruction by the quotation they stand in."""
    marks = 0
    for start, end, text in parts.words:
        if text == '"':
            marks += 1
        elif marks % 2:
            yield start, end, Fact.IN_QUOTE if marks == 1 else Fact.IN_NEXT_QUOTE


def _compared(elements: Sequence[Part]) -> Found:
    for group in _alike(elements).values():
        numbers = [_numbers(part.name) for part in group]
        for part, number in zip(group, numbers, strict=True):
            for best, fact, before in (
                (min(numbers), Fact.LEAST, Fact.LEAST_BEFORE),
                (max(numbers), Fact.MOST, Fact.MOST_BEFORE),
            ):
                if number == best:
                    yield part.start, part.end, fact
                    at = elements.index(part) + 1
                    for after in elements[at : at + 1]:
                        yield after.start, after.end, before


def _ranks(elements: Sequence[Part]) -> dict[int, int]:
    """By the element's start, from 1, how many of its like are not greater."""
    ranks: dict[int, int] = {}
    for group in _alike(elements).values():
        ordered = sorted(group, key=lambda part: _numbers(part.name))
        ranks |= {part.start: rank for rank, part in enumerate(ordered, 1)}
    return ranks


def _alike(elements: Sequence[Part]) -> dict[tuple[str, str], list[Part]]:
    """Elements with numbers that read alike but for them, two and more."""
    groups: defaultdict[tuple[str, str], list[Part]] = defaultdict(list)
    for part in elements:
        if part.held is None and _NUMBER.search(part.name):
            groups[part.role, _NUMBER.sub("#", part.name)].append(part)
    return {key: group for key, group in groups.items() if len(group) > 1}


def _counts(elements: Sequence[Part], said: _Said) -> Found:
    roles = Counter(part.role for part in elements)
    seen: Counter[str] = Counter()
    enough = bool(said.numbers) and sum(part.on for part in elements) >= max(1, said.numbers[0])
    for part in elements:
        seen[part.role] += 1
        for ordinal, fact in zip(said.ordinals, (Fact.NTH, Fact.NTH_TOO), strict=False):
            if seen[part.role] == ordinal:
                yield part.start, part.end, fact
        if roles[part.role] == 1:
            yield part.start, part.end, Fact.ALONE
        if enough:
            yield part.start, part.end, Fact.ENOUGH


def _asked(elements: Sequence[Part]) -> Found:
    """What belongs to the first field without a value."""
    empty = (at for at, part in enumerate(elements) if part.role == "textbox" and not part.held)
    first = next(empty, None)
    if first is None:
        return
    yield elements[first].start, elements[first].end, Fact.FIRST_EMPTY
    if not first or elements[first - 1].role != "text":
        return
    label = elements[first - 1]
    yield label.start, label.end, Fact.ASKED
    for key, part in pairwise(elements):
        if key.label == label.label and key is not label and part.held is None:
            yield part.start, part.end, Fact.KEYED


def _twins(elements: Sequence[Part]) -> Found:
    values = {part.value for part in elements if part.held}
    names = {part.name for part in elements}
    labels: set[str] = set()
    off: set[tuple[str, str]] = set()
    for part in elements:
        if part.held and part.value in names:
            yield part.start, part.end, Fact.REPEATED
        if part.name in values:
            yield part.start, part.end, Fact.USED
        if part.label and part.label in labels:
            yield part.start, part.end, Fact.LABEL_AGAIN
        labels.add(part.label)
        if not part.on and (part.role, part.name) not in off:
            off.add((part.role, part.name))
            yield part.start, part.end, Fact.FIRST_OFF


def _headings(elements: Sequence[Part], said: _Said) -> Found:
    """What stands under an element that the instruction names: until the next of the same kind."""
    since: set[tuple[str, str]] | None = None
    quoted = {text.casefold() for text in said.quoted}
    done = False
    for part in elements:
        kind = (part.role, part.name)
        if said.names(part.name) and part.role in ("text", "generic"):
            since = set()
        elif since is not None and kind not in since:
            since.add(kind)
            yield part.start, part.end, Fact.UNDER
            if part.label in quoted and not part.on and not done:
                done = True
                yield part.start, part.end, Fact.NEXT


def _named(elements: Sequence[Part], said: _Said) -> Found:
    named = [part for part in elements if said.names(part.name) and part.role != "combobox"]
    if not named:
        for part in elements:
            yield part.start, part.end, Fact.NONE_NAMED
    else:
        last = max(named, key=lambda part: f" {said.text} ".rfind(f" {part.name} "))
        yield last.start, last.end, Fact.LAST_NAMED
    label = ""
    for part in elements:
        if any(len(text) > 1 and f" {text} " in said.folded for text in (label, part.label)):
            yield part.start, part.end, Fact.LABELLED
        label = part.label if part.role == "text" else ""
    for key, part in pairwise(elements):
        if said.names(key.name):
            yield part.start, part.end, Fact.AFTER_NAMED


def _counted(part: Part) -> list[tuple[int, int, str]]:
    """The words of a name without signs."""
    return [word for word in part.words if word[2][0].isalnum()]


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(_int, _NUMBER.findall(text)))


def _int(text: str) -> int:
    return int(text.replace(" ", ""))
