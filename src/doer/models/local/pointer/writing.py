"""The text of an action as tokens, and tokens back to text.

With a wide vocabulary a text that cannot be copied as it stands may be a number below 100, or
begin with its manner: `upper`, `lower` and `joined` words that are copied, or the `whole` value of
an element.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from doer.models.local.pointer.vocabulary import LEADING_ZERO, PLACES, Vocabulary
from doer.records.action import Element

LONG = 8  # tokens of a value, from which on it is copied as a whole

_CLOSE = frozenset("./-@:_'")  # no space on either side
_CLOSE_BEFORE = frozenset(",;!?)]%")
_MANNERS: dict[str, Callable[[str], str]] = {"upper": str.upper, "lower": str.lower, "joined": str}


@dataclass(frozen=True)
class View:
    """What a text can be copied from."""

    instruction: str
    elements: tuple[Element, ...]

    @property
    def sources(self) -> list[str]:
        """Instruction, names, values."""
        found = [self.instruction, *(e.name for e in self.elements)]
        return found + [element.value for element in self.elements if element.value]


def text_tokens(text: str, view: View, vocabulary: Vocabulary) -> tuple[int, ...]:
    """The tokens of a text to be typed."""
    plain = vocabulary.text(text)
    if not vocabulary.wide:
        return plain
    if len(plain) >= LONG:
        for place, element in enumerate(view.elements[:PLACES], vocabulary.first_place):
            if element.value == text:
                return vocabulary.mark("whole"), place
    words = [
        pieces for source in view.sources for _, pieces in vocabulary.words(vocabulary.text(source))
    ]
    if {pieces for _, pieces in vocabulary.words(plain)} <= set(words):
        return plain
    for manner, changed in _MANNERS.items():
        if run := _run(words, "".join(text.split()), changed, vocabulary):
            return vocabulary.mark(manner), *run
    return plain


def read_text(tokens: list[int], view: View, vocabulary: Vocabulary) -> str:
    """The text of tokens."""
    if not tokens or tokens[0] < vocabulary.end_text:
        return _written(tokens, view, vocabulary)
    manner = vocabulary.tokens[tokens[0]].strip("<>")
    if manner == "whole":
        element = view.elements[tokens[1] - vocabulary.first_place]
        return element.name if element.value is None else element.value
    if manner == "joined":
        return "".join(map(vocabulary.spelling, tokens[1:]))
    return _MANNERS[manner](_written(tokens[1:], view, vocabulary))


def _run(
    words: Sequence[tuple[int, ...]],
    wanted: str,
    changed: Callable[[str], str],
    vocabulary: Vocabulary,
) -> tuple[int, ...]:
    """The first words in a row that, changed and without spaces, are what is wanted."""
    spelled = [changed("".join(map(vocabulary.spelling, pieces))) for pieces in words]
    for start in range(len(words)):
        text, at = "", start
        while at < len(words) and wanted.startswith(text) and len(text) < len(wanted):
            text += spelled[at]
            at += 1
        if text == wanted:
            return tuple(token for pieces in words[start:at] for token in pieces)
    return ()


def _written(tokens: list[int], view: View, vocabulary: Vocabulary) -> str:
    """Tokens back to text. The longest runs that stand in the instruction or on the page are
    taken from there as they are spelled; between such runs, spaces go where English has them."""
    pieces = {source: vocabulary.pieces(source) for source in dict.fromkeys(view.sources)}
    text, at = "", 0
    while at < len(tokens):
        spelled, length = vocabulary.spelling(tokens[at]), 0
        for source, found in pieces.items():
            start, run = _longest_run(tokens[at:], [token for token, _, _ in found])
            if run > length:
                spelled, length = source[found[start][1] : found[start + run - 1][2]], run
        if at and _apart(vocabulary.tokens[tokens[at - 1]], vocabulary.tokens[tokens[at]]):
            text += " "
        text += spelled
        at += max(length, 1)
    return text


def _longest_run(wanted: list[int], there: list[int]) -> tuple[int, int]:
    """Where the longest beginning of `wanted` stands in `there`, and its length."""
    best = (0, 0)
    for start in range(len(there)):
        run = 0
        for one, other in zip(wanted, there[start:], strict=False):
            if one != other:
                break
            run += 1
        if run > best[1]:
            best = (start, run)
    return best


def _apart(left: str, right: str) -> bool:
    """Whether a space goes between two tokens."""
    if left == LEADING_ZERO or right.startswith("##"):
        return False
    return not (left in _CLOSE or right in _CLOSE or right in _CLOSE_BEFORE)
