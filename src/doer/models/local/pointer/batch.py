"""Rows of token ids as padded tensors: the only way into the net."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from doer.models.local.pointer.facts import COLUMNS, Teller
from doer.models.local.pointer.features import Marker
from doer.models.local.pointer.grammar import Choice, Grammar, Rules
from doer.models.local.pointer.net import Inputs, Prefixes
from doer.models.local.pointer.vocabulary import Vocabulary

_DEAREST_PADDING = 256  # tokens; reading as many takes as long as the overhead of one more pass

Tokens = tuple[int, ...]


class Answers(NamedTuple):
    """R complete actions, padded on the right: what the net reads, what it is to answer, and where
    there is an answer."""

    inputs: Inputs
    targets_R_A: Tensor
    mask_R_A: Tensor


class Batcher:
    """Makes tensors of one vocabulary's token ids."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.grammar = Grammar(vocabulary)
        self._written = torch.as_tensor(self.grammar.written_K_V)
        self._marker = Marker(vocabulary)
        self._teller = Teller(vocabulary) if vocabulary.wide else None
        self._act, self._pad = vocabulary.mark("act"), vocabulary.mark("pad")
        self._text, self._quote = vocabulary.first_text, vocabulary.quote

    def prefixes(self, prefixes: Sequence[Tokens]) -> Prefixes:
        """The prefixes without their closing `<act>`, which belongs to the action."""
        cut = [prefix[:-1] for prefix in prefixes]
        tokens = _padded(cut, self._pad)
        return Prefixes(
            tokens_R_P=tokens,
            segments_R_P=_padded([self._marker.segments(prefix) for prefix in cut]),
            matches_R_P=_padded([self._marker.matches(prefix) for prefix in cut]),
            there_R_P=tokens != self._pad,
            words_R_P=(tokens >= self._text) & (tokens != self._quote),
            facts_R_P_F=self._facts(cut, tokens.shape[1]),
        )

    def _facts(self, prefixes: Sequence[Tokens], length: int) -> Tensor:
        """The columns of facts; none where the vocabulary is not wide."""
        out = np.zeros((len(prefixes), length, COLUMNS if self._teller else 0), dtype=np.int64)
        for to, prefix in zip(out, prefixes, strict=True):
            if self._teller:
                to[: len(prefix)] = self._teller.columns(prefix)
        return torch.as_tensor(out)

    def answers(self, rules: Sequence[Rules], actions: Sequence[Tokens]) -> Answers:
        """Complete actions, each after the prefix of its rules."""
        read = [(self._act, *action[:-1]) for action in actions]
        before = [(self._pad, *tokens[:-1]) for tokens in read]
        pairs = zip(rules, read, strict=True)
        places = [[rule.places.get(token, -1) for token in tokens] for rule, tokens in pairs]
        return Answers(
            Inputs(_padded(read), _padded(before), _padded(places)),
            targets_R_A=_padded(actions),
            mask_R_A=_padded([[1] * len(action) for action in actions]),
        )

    def allowed(self, choices: Sequence[Sequence[Choice]], length: int) -> tuple[Tensor, Tensor]:
        """(written_R_A_V, copies_R_A_P): what may be chosen, before prefixes of this length."""
        kinds = _padded([[int(choice.kind) for choice in row] for row in choices])
        copies = np.zeros((*kinds.shape, length), dtype=bool)
        for to_A_P, row in zip(copies, choices, strict=True):
            for to_P, choice in zip(to_A_P, row, strict=False):
                to_P[list(choice.copies)] = True
        return self._written[kinds], torch.as_tensor(copies)

    @staticmethod
    def one(tokens: Sequence[int], before: Sequence[int], places: Sequence[int]) -> Inputs:
        """One token a row."""
        return Inputs(*(torch.tensor(x)[:, None] for x in (tokens, before, places)))


def alike(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Indices in groups of like length, shortest first: at most so many a group, and so that
    padding costs less than a pass of its own would."""
    groups: list[list[int]] = []
    padding = 0
    for at in sorted(range(len(lengths)), key=lengths.__getitem__):
        if groups and len(groups[-1]) < most:
            padding += (lengths[at] - lengths[groups[-1][-1]]) * len(groups[-1])
            if padding < _DEAREST_PADDING:
                groups[-1].append(at)
                continue
        groups.append([at])
        padding = 0
    return groups


def _padded(rows: Sequence[Sequence[int]], fill: int = 0) -> Tensor:
    out = np.full((len(rows), max(map(len, rows))), fill, dtype=np.int64)
    for to, row in zip(out, rows, strict=True):
        to[: len(row)] = row
    return torch.as_tensor(out)
