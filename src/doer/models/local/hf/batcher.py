"""Continuous batching: sequences join and leave between forward passes; what a sequence shares with
an earlier one is not computed again."""

# transformers leaves these out of its annotations.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from doer.models.local.hf.attention import Attention
from doer.models.local.hf.slots import Slots
from doer.models.local.hf.trie import Ints, shared_start

_PASS = 2048  # most tokens, padding included, of one pass over prompts
_ALONG = 2.0  # times as many rows as needed, at most, to avoid gathering
_WORTH = 16  # shared tokens that are worth waiting for, or copying

Tokens = tuple[int, ...]
Written = tuple[Tokens, tuple[float, ...]]
"""The tokens that were written, and their log-probabilities."""


@dataclass(frozen=True)
class Order:
    """A prompt to go on from. Every token takes one number from `random`, so what else is in the
    batch makes no difference. Whoever cancels `answer` makes it leave the batch."""

    prefix: Tokens
    temperature: float
    limit: int  # most tokens to write
    random: np.random.Generator
    answer: "Future[Written]" = field(default_factory=lambda: Future[Written]())


@dataclass(eq=False)
class _Slot:
    number: int
    tokens: Ints = field(default_factory=lambda: np.zeros(0, np.int64))  # those it holds
    used: int = 0  # when it was last used


@dataclass(eq=False)
class _Sequence:
    order: Order
    slot: _Slot
    cached: int  # tokens whose keys and values are in the slot
    tokens: Ints
    logprobs: list[float] = field(default_factory=list[float])

    @property
    def ahead(self) -> int:
        return len(self.tokens) - self.cached


class Batcher:
    """Runs orders on one model. Not for several threads at once."""

    def __init__(self, net: Any, ends: frozenset[int], slots: int) -> None:
        """`net` is a transformers causal language model; `ends` are the tokens it stops at."""
        self._net = net
        self._ends = ends
        self._attention = Attention.of(net.config)
        self._cache = Slots(self._attention.layers, slots)
        self._slots = [_Slot(number) for number in range(slots)]
        self._free = list(self._slots)
        self._live: list[_Sequence] = []
        self._waiting: list[Order] = []
        self._clock = 0

    def add(self, order: Order) -> None:
        self._waiting.append(order)

    def forget(self) -> None:
        """The weights have changed: nothing that was computed holds."""
        for slot in self._free:
            slot.tokens = slot.tokens[:0]
        for sequence in self._live:
            sequence.cached = 0
            sequence.slot.tokens = sequence.slot.tokens[:0]

    def fail(self, error: Exception) -> None:
        """Give up everything under way."""
        lost = [sequence.order for sequence in self._live] + self._waiting
        self._free += [sequence.slot for sequence in self._live]
        self._live, self._waiting = [], []
        self.forget()
        for order in lost:
            if order.answer.set_running_or_notify_cancel():
                order.answer.set_exception(error)

    @torch.inference_mode()
    def step(self) -> None:
        """Let in who waits, read prompts, write one token to each sequence that is under way."""
        for sequence in [s for s in self._live if s.order.answer.cancelled()]:
            self._leave(sequence)
        self._waiting = [order for order in self._waiting if not order.answer.cancelled()]
        self._admit()
        reading = sorted((s for s in self._live if s.ahead > 1), key=lambda s: s.ahead)
        writing = sorted((s for s in self._live if s.ahead == 1), key=lambda s: s.slot.number)
        for some in (*_passes(reading), writing):
            if some:
                self._write(some, self._forward(some))

    def _admit(self) -> None:
        later: list[Order] = []
        arriving: list[_Sequence] = []
        for order in self._waiting:
            tokens = np.array(order.prefix, np.int64)
            source, shared = self._best([*self._free, *(s.slot for s in self._live)], tokens)
            coming = max((shared_start(s.tokens, tokens) for s in arriving), default=0)
            if not self._free or coming >= shared + _WORTH:
                later.append(order)  # what it shares with one that has just come is soon there
                continue
            slot, own = self._best(self._free, tokens)
            if shared >= own + _WORTH and source is not slot:
                slot, own = min(self._free, key=lambda s: s.used), shared
                self._cache.copy(source.number, slot.number, shared)
            self._free.remove(slot)
            cached = min(own, len(tokens) - 1)  # the last one must be read to go on from it
            slot.tokens = tokens[:cached]
            arriving.append(_Sequence(order, slot, cached, tokens))
        self._live += arriving
        self._waiting = later

    @staticmethod
    def _best(slots: Sequence[_Slot], tokens: Ints) -> tuple[_Slot, int]:
        """The slot that shares most with the tokens; of those that share nothing the oldest."""
        found = [(shared_start(slot.tokens, tokens), -slot.used, slot) for slot in slots]
        shared, _, slot = max(found, key=lambda f: f[:2], default=(0, 0, _Slot(-1)))
        return slot, shared

    def _forward(self, some: Sequence[_Sequence]) -> Tensor:
        """Logits (B, V), 32 bits, after the last token of each sequence."""
        device = self._net.device
        longest = max(s.ahead for s in some)
        slots = [s.slot for s in some]
        if longest == 1:
            slots = self._taken_along(slots)
        at = {slot.number: row for row, slot in enumerate(slots)}
        rows = [at[s.slot.number] for s in some]
        ids_B_T = np.zeros((len(slots), longest), np.int64)
        starts = np.array([len(slot.tokens) for slot in slots])
        for row, s in zip(rows, some, strict=True):
            ids_B_T[row, : s.ahead] = s.tokens[s.cached :]
            starts[row] = s.cached
        # Past its end a row is padded; that is overwritten before any token may look at it.
        at_B_T = torch.from_numpy(starts).to(device)[:, None] + torch.arange(longest, device=device)
        rows_B = torch.tensor([slot.number for slot in slots], device=device)
        upto = self._cache.aim(rows_B, at_B_T)
        gap_B_T_L = at_B_T[:, :, None] - torch.arange(upto, device=device)
        last = torch.tensor([s.ahead - 1 for s in some], device=device)
        needed, place = last.unique(return_inverse=True)
        logits = self._net(
            input_ids=torch.from_numpy(ids_B_T).to(device),
            position_ids=at_B_T,
            attention_mask=self._attention.masks(gap_B_T_L >= 0, gap_B_T_L, self._net.dtype),
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=needed,
        ).logits
        return logits[torch.tensor(rows, device=device), place].float()

    def _taken_along(self, slots: Sequence[_Slot]) -> Sequence[_Slot]:
        """The slots of a pass. When most of a range are in it the rest is taken along, as if
        padded: to compute a little more is cheaper than to gather the keys and values of some."""
        first, last = min(s.number for s in slots), max(s.number for s in slots)
        whole = self._slots[first : last + 1]
        return whole if len(whole) <= len(slots) * _ALONG else slots

    def _write(self, some: Sequence[_Sequence], logits_B_V: Tensor) -> None:
        chosen = _chosen([s.order for s in some], logits_B_V)
        for sequence, (token, logprob) in zip(some, chosen, strict=True):
            sequence.cached = len(sequence.tokens)
            sequence.slot.tokens = sequence.tokens
            sequence.tokens = np.append(sequence.tokens, token)
            sequence.logprobs.append(logprob)
            if token in self._ends or len(sequence.logprobs) >= sequence.order.limit:
                self._leave(sequence)
                written = sequence.tokens[len(sequence.order.prefix) :]
                if sequence.order.answer.set_running_or_notify_cancel():
                    done = tuple(map(int, written)), tuple(sequence.logprobs)
                    sequence.order.answer.set_result(done)

    def _leave(self, sequence: _Sequence) -> None:
        self._clock += 1
        sequence.slot.used = self._clock
        self._live.remove(sequence)
        self._free.append(sequence.slot)


def _passes(reading: Sequence[_Sequence]) -> Iterator[list[_Sequence]]:
    """Sequences of like length together, in passes of bounded size (`reading` is sorted)."""
    some: list[_Sequence] = []
    for sequence in reading:
        if some and (len(some) + 1) * sequence.ahead > _PASS:
            yield some
            some = []
        some.append(sequence)
    if some:
        yield some


def _chosen(orders: Sequence[Order], logits_B_V: Tensor) -> list[tuple[int, float]]:
    """A token and its log-probability a row. Greedy rows (temperature 0) take the likeliest token
    and record its probability at temperature 1."""
    temperatures = torch.tensor([order.temperature or 1.0 for order in orders])
    logp_B_V = (logits_B_V / temperatures.to(logits_B_V.device)[:, None]).log_softmax(-1)
    points = torch.tensor([order.random.random() for order in orders], dtype=torch.float64)
    sums_B_V = logp_B_V.double().exp().cumsum(-1)
    points_B = points.to(sums_B_V.device)[:, None] * sums_B_V[:, -1:]
    drawn_B = torch.searchsorted(sums_B_V, points_B, right=True)[:, 0]
    drawn_B = drawn_B.clamp(max=logits_B_V.shape[-1] - 1)
    greedy_B = torch.tensor([order.temperature == 0 for order in orders], device=drawn_B.device)
    token_B = torch.where(greedy_B, logits_B_V.argmax(-1), drawn_B)
    logprob_B = logp_B_V.gather(-1, token_B[:, None])[:, 0]
    tokens: list[int] = token_B.tolist()
    logprobs: list[float] = logprob_B.tolist()
    return list(zip(tokens, logprobs, strict=True))
