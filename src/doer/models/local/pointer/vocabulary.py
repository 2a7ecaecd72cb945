"""Tokens of the pointer policy: names for the structure of a page and word pieces for its text.

Text is cut into runs of letters and digits and single other characters; white space is dropped,
so that a word has the same token wherever it stands. Inside a run: byte-pair encoding (Sennrich et
al. 2016) with continuation pieces `##x`. Numbers of one or two digits are whole tokens, and a
leading zero is a token of its own: `05` is `0_ 5`, whose `5` is the 5 of a calendar. What a text
loses in spacing is put back from where it was copied (see `encoding.decode`).
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

from doer.errors import ConfigError

PLACES = 128
"""How many elements of one page can be pointed at."""

ROLES = (
    "textbox", "button", "link", "checkbox", "radio", "combobox",
    "tab", "option", "slider", "switch", "menuitem", "img", "generic", "text",
)  # fmt: skip
VERBS: dict[str, tuple[str, ...]] = {
    "click": ("ref",),
    "type": ("ref", "text"),
    "select": ("ref", "option"),
    "done": (),
}
"""What the policy can do: a tool's name and those of its arguments that it fills in, in order.
`ref` is pointed at, every other argument is text."""
WIDE_VERBS: dict[str, tuple[str, ...]] = {
    "press": ("keys",),
    "scroll": ("ref", "dy"),
    "drag": ("ref", "to"),
}
"""What the policy of a wide vocabulary can do besides; `to` is pointed at as well."""
KEYS = ("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Enter", "Escape", "Tab", "Backspace")
DISTANCES = {"still": 0, "down": 10_000, "up": -10_000}
"""How far to scroll, in pixels: not at all only points at something."""
MANNERS = ("upper", "lower", "joined", "whole")
"""How the words that follow are written: in capitals, in small letters, without spaces; or the
value of the element that follows is written."""
MARKS = ("pad", "task", "page", "more", "last", "none", "act", "end", "val", "on", "off", "focus")
LEADING_ZERO = "0_"
OTHER = "\ufffd"  # any character that is not printable ASCII

_PIECE = re.compile(r"[A-Za-z0-9]+|[^\sA-Za-z0-9]")
_PRINTABLE = tuple(chr(code) for code in range(33, 127))
_SMALLEST_PAIR_COUNT = 8

Piece = tuple[int, int, int]
"""A token of a text, and where it starts and ends in it."""


@dataclass(frozen=True)
class Vocabulary:
    """Which number stands for which token. `merges` are pairs of pieces in order of learning. A
    `wide` one has words for more than clicking, typing and selecting, which come last."""

    merges: tuple[tuple[str, str], ...] = ()
    wide: bool = False

    @staticmethod
    def learn(texts: Iterable[str], merges: int = 700, wide: bool = False) -> "Vocabulary":
        """Learn byte-pair merges; pairs seen fewer than 8 times are left alone."""
        return Vocabulary(_learn_merges(texts, merges), wide)

    def to_json(self) -> str:
        return json.dumps({"merges": self.merges} | ({"wide": True} if self.wide else {}))

    @staticmethod
    def from_json(text: str) -> "Vocabulary":
        """Raises `ConfigError` when the text is not a vocabulary."""
        try:
            said = json.loads(text)
            merges = tuple((str(left), str(right)) for left, right in said["merges"])
            return Vocabulary(merges, bool(said.get("wide", False)))
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise ConfigError(f"this is not a vocabulary: {wrong}") from wrong

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """The name of every token. Marks, verbs and roles are written `<so>`, places `[7]`."""
        named = [f"<{name}>" for name in (*MARKS, *VERBS, *ROLES)]
        named += [f"[{place}]" for place in range(PLACES)]
        text = [*_PRINTABLE, *(f"##{c}" for c in _PRINTABLE if c.isalnum()), OTHER, LEADING_ZERO]
        text += [str(number) for number in range(10, 100)]
        text += [_joined(left, right) for left, right in self.merges]
        wide = (*WIDE_VERBS, *KEYS, *DISTANCES, *MANNERS) if self.wide else ()
        return (*named, *dict.fromkeys(text), *(f"<{name}>" for name in wide))

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.tokens)}

    @cached_property
    def _ranks(self) -> dict[tuple[str, str], int]:
        return {pair: rank for rank, pair in enumerate(self.merges)}

    @cached_property
    def verbs(self) -> dict[str, tuple[str, ...]]:
        """What the policy can do: a tool's name and its arguments in order."""
        return VERBS | WIDE_VERBS if self.wide else VERBS

    @property
    def end_text(self) -> int:
        """No id from here on is a piece of text."""
        return self.mark(next(iter(WIDE_VERBS))) if self.wide else self.size

    @property
    def size(self) -> int:
        return len(self.tokens)

    def mark(self, name: str) -> int:
        """The id of a mark, verb or role."""
        return self._ids[f"<{name}>"]

    def role(self, name: str) -> int:
        """The id of a role; one that is not known is `generic`."""
        return self._ids[f"<{name}>"] if name in ROLES else self._ids["<generic>"]

    @property
    def first_place(self) -> int:
        """Place p has the id `first_place + p`."""
        return self._ids["[0]"]

    @property
    def first_text(self) -> int:
        """Every id from here on, to `end_text`, is a piece of text."""
        return self._ids[_PRINTABLE[0]]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers below 100 that are one token each."""
        return tuple(self._ids[str(number)] for number in range(100))

    @property
    def quote(self) -> int:
        """The one piece of text that is never copied: what is quoted is, and ends at it."""
        return self._ids['"']

    @property
    def bar(self) -> int:
        """What stands between the options of a list."""
        return self._ids["|"]

    @property
    def colon(self) -> int:
        """What stands between a list's label and its options."""
        return self._ids[":"]

    def spelling(self, token: int) -> str:
        """The characters of a piece of text."""
        name = self.tokens[token]
        return "0" if name == LEADING_ZERO else name.removeprefix("##")

    def text(self, text: str) -> tuple[int, ...]:
        """The tokens of a text."""
        return self._cached_text(text)

    @cached_property
    def _cached_text(self) -> Callable[[str], tuple[int, ...]]:
        def tokens(text: str) -> tuple[int, ...]:
            return tuple(token for token, _, _ in self.pieces(text))

        return lru_cache(maxsize=1 << 14)(tokens)  # pages repeat their texts from step to step

    def words(self, tokens: Sequence[int]) -> list[tuple[int, tuple[int, ...]]]:
        """The runs among these tokens, each with its start, from pieces of text that belong
        together: a run's first piece and those that continue it, or a leading zero and its digit.
        """
        found: list[tuple[int, tuple[int, ...]]] = []
        first, end = self.first_text, self.end_text
        for at, token in enumerate(tokens):
            if not first <= token < end:
                continue
            glued = token in self.glued or (at > 0 and tokens[at - 1] == self._zero)
            if glued and found:
                start, pieces = found[-1]
                found[-1] = (start, (*pieces, token))
            else:
                found.append((at, (token,)))
        return found

    @cached_property
    def glued(self) -> frozenset[int]:
        """The pieces that continue a word."""
        return frozenset(n for n, name in enumerate(self.tokens) if name.startswith("##"))

    @cached_property
    def _zero(self) -> int:
        return self._ids[LEADING_ZERO]

    def pieces(self, text: str) -> list[Piece]:
        """The tokens of a text with their places in it."""
        found: list[Piece] = []
        for match in _PIECE.finditer(text):
            start = match.start()
            for token, length in self._cached_run(match.group()):
                found.append((token, start, start + length))
                start += length
        return found

    @cached_property
    def _cached_run(self) -> Callable[[str], tuple[tuple[int, int], ...]]:
        return lru_cache(maxsize=1 << 14)(self._run)

    def _run(self, word: str) -> tuple[tuple[int, int], ...]:
        """(token, length) of every piece of one run."""
        if word.isdigit() and len(word) == 2 and word[0] == "0":
            return ((self._ids[LEADING_ZERO], 1), (self._ids[word[1]], 1))
        if word in self._ids and len(word) <= 2 and word.isdigit():
            return ((self._ids[word], len(word)),)
        if len(word) == 1:
            return ((self._ids.get(word, self._ids[OTHER]), 1),)
        pieces = [word[0], *(f"##{c}" for c in word[1:])]
        while len(pieces) > 1:
            pair = min(pairwise(pieces), key=lambda p: self._ranks.get(p, len(self._ranks)))
            if pair not in self._ranks:
                break
            pieces = _merged(pieces, pair)
        return tuple((self._ids[p], len(p.removeprefix("##"))) for p in pieces)


def _joined(left: str, right: str) -> str:
    return left + right.removeprefix("##")


def _merged(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    """The pieces with every occurrence of the pair joined, from the left."""
    out: list[str] = []
    at = 0
    while at < len(pieces):
        if tuple(pieces[at : at + 2]) == pair:
            out.append(_joined(*pair))
            at += 2
        else:
            out.append(pieces[at])
            at += 1
    return out


def _learn_merges(texts: Iterable[str], merges: int) -> tuple[tuple[str, str], ...]:
    counts = Counter(word for text in texts for word in _PIECE.findall(text))
    whole = {w for w in counts if len(w) == 1 or (w.isdigit() and len(w) == 2)}
    words = {w: [w[0], *(f"##{c}" for c in w[1:])] for w in counts.keys() - whole}
    pairs: Counter[tuple[str, str]] = Counter()
    having: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

    def count(word: str, sign: int) -> None:
        for pair in pairwise(words[word]):
            pairs[pair] += sign * counts[word]
            having[pair].add(word)

    for word in words:
        count(word, 1)
    learned: list[tuple[str, str]] = []
    while pairs and len(learned) < merges:
        best = max(pairs, key=lambda pair: (pairs[pair], pair))  # ties: by name, not by hash
        if pairs[best] < _SMALLEST_PAIR_COUNT:
            break
        for word in having.pop(best):
            count(word, -1)
            words[word] = _merged(words[word], best)
            count(word, 1)
        del pairs[best]
        learned.append(best)
    return tuple(learned)
