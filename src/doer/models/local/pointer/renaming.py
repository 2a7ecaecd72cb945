"""Renaming: practice in a disguise. The words by which the tasks of a kind differ (names,
passwords, options) are exchanged for others, alike in instruction, page and action, so that few
tasks cannot be learnt by heart; what many instructions share keeps its name.

Works on token ids: pieces that begin a word are exchanged among themselves, and so are those that
continue one. Numbers and signs stay.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from doer.models.local.pointer.vocabulary import Vocabulary

COMMON = 0.06  # share of the instructions in which a piece that keeps its name stands

Tokens = tuple[int, ...]


class Renamer:
    """Disguises a `share` of the prefixes it is shown. `instructions` are those of the tasks."""

    def __init__(self, vocabulary: Vocabulary, instructions: Iterable[str], share: float) -> None:
        self._share = share
        self._text, self._vocabulary = vocabulary.first_text, vocabulary
        self._page = vocabulary.mark("page")
        found = [set(vocabulary.text(text)) for text in instructions]
        count = Counter(token for tokens in found for token in tokens)
        common = {token for token, n in count.items() if n > COMMON * len(found)}
        rare = [
            token
            for token in range(self._text, vocabulary.size)
            if token not in common and vocabulary.spelling(token).isalnum()
        ]
        named = [token for token in rare if not vocabulary.spelling(token).isdigit()]
        glued = vocabulary.glued
        self._alike = (
            np.array([token for token in named if token not in glued]),
            np.array([token for token in rare if token in glued]),
        )

    def swap(self, prefix: Tokens, seed: int) -> dict[int, int]:
        """Which tokens to exchange, both ways; empty when this prefix is shown as it is."""
        random = np.random.default_rng((seed, 1))
        if random.random() >= self._share:
            return {}
        here = set(prefix)
        instruction = prefix[: prefix.index(self._page)]
        kept = self._parts_of_longer_words(prefix)
        swap: dict[int, int] = {}
        for alike in self._alike:
            mine = [token for token in set(instruction) & set(alike.tolist()) if token not in kept]
            others = alike[~np.isin(alike, list(here))]
            count = min(len(mine), len(others))
            if count:
                chosen = random.choice(others, count, replace=False)
                for token, other in zip(sorted(mine), map(int, chosen), strict=False):
                    swap[token], swap[other] = other, token
        return swap

    def _parts_of_longer_words(self, prefix: Tokens) -> set[int]:
        """Tokens of instruction words that begin or end another word of the page: renamed, they
        would no longer."""
        at_page = prefix.index(self._page)
        words = [
            (start, pieces, "".join(map(self._vocabulary.spelling, pieces)))
            for start, pieces in self._vocabulary.words(prefix)
        ]
        on_page = {text for start, _, text in words if start > at_page}
        return {
            token
            for start, pieces, text in words
            if start < at_page
            and any(w != text and (w.startswith(text) or w.endswith(text)) for w in on_page)
            for token in pieces
        }


def renamed(tokens: Tokens, swap: dict[int, int]) -> Tokens:
    """The tokens with every exchange made. Doing it twice changes nothing."""
    return tuple(swap.get(token, token) for token in tokens)
