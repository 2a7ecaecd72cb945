"""Drawing complete actions for a batch of prefixes, token by token; a row that is complete leaves
the batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from doer.models.local.pointer.batch import Batcher, Tokens
from doer.models.local.pointer.choice import masked, probabilities
from doer.models.local.pointer.grammar import Rules
from doer.models.local.pointer.net import Inputs, Memory, PointerNet, Prefixes, Seen, Written
from doer.models.local.pointer.vocabulary import Vocabulary

Drawn = tuple[Tokens, tuple[float, ...]]
"""The tokens of an action and the logarithm of each one's probability."""


@dataclass(frozen=True)
class Order:
    """One action to draw. Every token takes one number from `random`, so what else is in the batch
    makes no difference."""

    prefix: Tokens
    temperature: float
    random: np.random.Generator


class Drawer:
    """Draws with the rules of one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._batcher = Batcher(vocabulary)

    def rules(self, prefix: Tokens) -> Rules:
        return Rules(self._batcher.grammar, prefix)

    @torch.inference_mode()
    def draw(self, net: PointerNet, orders: Sequence[Order]) -> Iterator[tuple[int, Drawn]]:
        """Complete actions, each with the number of its order, as soon as they are complete.
        Every order's rules must allow one."""
        drafts = [_Draft(at, order, self.rules(order.prefix)) for at, order in enumerate(orders)]
        memory = net.read(self._batcher.prefixes([order.prefix for order in orders]))
        length = memory.hidden_R_P.shape[1]
        past = None
        while drafts:
            scores, past = net.write(self._inputs(drafts), memory, past)
            allowed = self._batcher.allowed([[draft.choice] for draft in drafts], length)
            scores = masked(scores, *allowed)[:, 0]
            chosen = _chosen([draft.order for draft in drafts], scores, memory)
            for draft, (token, logprob) in zip(drafts, chosen, strict=True):
                draft.add(token, logprob)
            yield from ((draft.number, draft.drawn) for draft in drafts if draft.choice.over)
            going = [at for at, draft in enumerate(drafts) if not draft.choice.over]
            if 0 < len(going) < len(drafts):
                memory, past = _kept(memory, past, torch.tensor(going))
            drafts = [drafts[at] for at in going]

    def _inputs(self, drafts: Sequence["_Draft"]) -> Inputs:
        """The last token of each, to go on from."""
        before, last = zip(*((d.order.prefix + d.drawn[0])[-2:] for d in drafts), strict=True)
        places = [d.rules.places.get(token, -1) for d, token in zip(drafts, last, strict=True)]
        return self._batcher.one(last, before, places)


class _Draft:
    """An action being drawn, and what may come next in it."""

    def __init__(self, number: int, order: Order, rules: Rules) -> None:
        self.number, self.order, self.rules = number, order, rules
        self.drawn: Drawn = ((), ())
        self.choice = rules.next(())

    def add(self, token: int, logprob: float) -> None:
        tokens, logprobs = self.drawn
        self.drawn = (*tokens, token), (*logprobs, logprob)
        self.choice = self.rules.next(self.drawn[0])


def _chosen(orders: Sequence[Order], scores_R_S: Tensor, memory: Memory) -> list[tuple[int, float]]:
    """A token and its log-probability per row. Greedy rows (temperature 0) take the likeliest
    token and record its probability at temperature 1."""
    temperatures = torch.tensor([order.temperature or 1.0 for order in orders])[:, None]
    shares = probabilities(scores_R_S / temperatures, memory.prefixes).double().numpy()
    sums = shares.cumsum(1)
    drawn: list[tuple[int, float]] = []
    for order, share_V, sum_V in zip(orders, shares, sums, strict=True):
        point = order.random.random() * sum_V[-1]
        token = int(
            share_V.argmax() if order.temperature == 0 else sum_V.searchsorted(point, "right")
        )
        drawn.append((token, float(np.log(share_V[token]))))
    return drawn


def _kept(
    memory: Memory, past: tuple[Written, ...], rows: Tensor
) -> tuple[Memory, tuple[Written, ...]]:
    def some(x: Tensor) -> Tensor:
        return x[rows]

    prefixes = Prefixes(*map(some, memory.prefixes))
    pages = tuple(Seen(*map(some, page)) for page in memory.pages)
    return Memory(prefixes, pages, *map(some, memory[2:])), tuple(
        Written(*map(some, written)) for written in past
    )
