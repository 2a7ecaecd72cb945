"""Keys and values of many sequences, a slot each, as a cache that transformers models write to.

A sequence's tokens stay in its slot when it has ended: the next turn of the same episode begins
with them, and other sequences copy what they share with it. Not paged: a slot is as long as the
longest sequence so far.
"""

# transformers leaves these out of its annotations.
# pyright: reportUnknownMemberType=false

from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache

_FIRST_LENGTH = 256


class Slots(Cache):
    """Shapes: S slots, B sequences of one forward pass, T new tokens each, L tokens of room.
    Before a pass `aim` says which slots it is about."""

    def __init__(self, layers: int, slots: int) -> None:
        super().__init__(layers=[])
        self._keys: list[Tensor | None] = [None] * layers
        self._values: list[Tensor | None] = [None] * layers
        self._slots = slots
        self._length = _FIRST_LENGTH
        self._rows_B = torch.zeros(0, dtype=torch.long)
        self._at_B_T = torch.zeros(0, 0, dtype=torch.long)
        self._upto = 0
        self._first: int | None = None  # of neighbouring slots, which need not be gathered

    def aim(self, rows_B: Tensor, at_B_T: Tensor) -> int:
        """New tokens go to places `at_B_T` of slots `rows_B`. Returns how many places of a slot the
        pass will see."""
        self._rows_B, self._at_B_T = rows_B, at_B_T
        self._upto = int(at_B_T.max()) + 1
        while self._length < self._upto:
            self._length *= 2
        neighbours = bool((rows_B.diff() == 1).all())
        self._first = int(rows_B[0]) if neighbours else None
        return self._upto

    def copy(self, source: int, to: int, count: int) -> None:
        """The first `count` tokens of one slot to another."""
        for kept in (*self._keys, *self._values):
            if kept is not None:
                kept[to, :, :count] = kept[source, :, :count]

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Called by every attention layer with its new keys and values (B, heads, T, width); gives
        it all it may look at (B, heads, places, width)."""
        return (
            self._put(self._keys, layer_idx, key_states),
            self._put(self._values, layer_idx, value_states),
        )

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Places are always given to the model, so nothing depends on this."""
        return self._upto - self._at_B_T.shape[1]

    def _put(self, kept: list[Tensor | None], layer: int, new: Tensor) -> Tensor:
        now = kept[layer]
        if now is None or now.shape[2] < self._length:
            grown = new.new_zeros(self._slots, new.shape[1], self._length, new.shape[3])
            if now is not None:
                grown[:, :, : now.shape[2]] = now
            kept[layer] = now = grown
        now[self._rows_B[:, None], :, self._at_B_T] = new.transpose(1, 2)
        if self._first is not None:
            return now[self._first : self._first + len(self._rows_B), :, : self._upto]
        return now[self._rows_B, :, : self._upto]
