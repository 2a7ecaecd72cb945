"""The pointer policy's net: a prefix language model that reads a page once, in both directions, and
writes an action that points at elements and copies words (Vinyals et al. 2015, Pointer Networks; Gu
et al. 2016, CopyNet).

Shapes: R rows, P prefix tokens, A action tokens, T action tokens so far, D width, H heads of C, V
tokens of the vocabulary, S = V + P.
"""

# torch leaves some of its functions without annotations.
# pyright: reportUnknownMemberType=false

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from doer.errors import ConfigError
from doer.models.local.pointer.facts import PLACED, Fact
from doer.models.local.pointer.features import MATCHES, SEGMENTS
from doer.models.local.pointer.vocabulary import PLACES

ACTION_POSITION = 900  # of the first action token, beyond any prefix
_LAST_POSITION = 1024
_NO_TOKEN = -1
_REACH = 5  # width of the convolution
_LOUD = 4.0  # times what is told of a token: so it is learnt as many times faster


@dataclass(frozen=True)
class NetConfig:
    """Sizes of the net, where the vocabulary's ids of places begin, and whether it is told the
    facts of `facts.py`."""

    tokens: int
    first_place: int
    width: int = 128
    layers: int = 3
    heads: int = 4
    hidden: int = 512
    rotary_base: float = 1000.0
    facts: bool = False


class Prefixes(NamedTuple):
    """R prefixes, padded on the right; all but `there` are arbitrary at padding. `words` are the
    positions of pieces of text that may be copied. `facts` has the columns of `facts.py`, or
    none."""

    tokens_R_P: Tensor
    segments_R_P: Tensor
    matches_R_P: Tensor
    there_R_P: Tensor
    words_R_P: Tensor
    facts_R_P_F: Tensor


class Inputs(NamedTuple):
    """Action tokens to go on from: the token, the one before it, and the prefix position of the
    place that it is (-1 where it is none)."""

    tokens_R_A: Tensor
    before_R_A: Tensor
    places_R_A: Tensor


class Ragged(NamedTuple):
    """R rows of different length in two forms: spread out with padding, or packed without, as all
    that needs no neighbours is computed. `packed` are the N cells of R x P that are there, `cells`
    says which of the N each cell is (any at padding)."""

    there_R_P: Tensor
    packed_N: Tensor
    cells_RP: Tensor

    @staticmethod
    def of(there_R_P: Tensor) -> "Ragged":
        there = there_R_P.flatten()
        return Ragged(there_R_P, there.nonzero()[:, 0], (there.cumsum(0) - 1).clamp_min(0))

    def packed(self, x_R_P: Tensor) -> Tensor:
        return x_R_P.flatten(0, 1).index_select(0, self.packed_N)

    def spread(self, x_N: Tensor) -> Tensor:
        return x_N.index_select(0, self.cells_RP).view(*self.there_R_P.shape, -1)


class Seen(NamedTuple):
    """Keys and values of a prefix in one layer."""

    keys_R_H_P_C: Tensor
    values_R_H_P_C: Tensor


class Memory(NamedTuple):
    """What is kept of R prefixes while actions are written: keys and values of every layer, minus
    infinity at padding, final states, the keys of the copy head, and the copyable words one and two
    positions back."""

    prefixes: Prefixes
    pages: tuple[Seen, ...]
    hidden_R_P: Tensor
    states_R_P_D: Tensor
    copied_R_P_D: Tensor
    one_back_R_P: Tensor
    two_back_R_P: Tensor


class Written(NamedTuple):
    """What one layer keeps of the T action tokens before: keys, values, and the convolution's last
    inputs."""

    keys_R_H_T_C: Tensor
    values_R_H_T_C: Tensor
    near_R_4_D: Tensor


class Block(nn.Module):
    """Convolution, attention and feed-forward, each on a normalised residual stream."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        width, half = config.width, config.width // 2
        self.heads = config.heads
        self.norm_near = nn.LayerNorm(width)
        self.near = nn.Parameter(torch.zeros(_REACH, width))
        self.norm_far = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm_up = nn.LayerNorm(width)
        self.up = nn.Linear(width, config.hidden)
        self.down = nn.Linear(config.hidden, width)
        nn.init.normal_(self.out.weight, std=0.02)
        nn.init.normal_(self.down.weight, std=0.02)
        with torch.no_grad():  # heads without positions match equal content from the first step
            nn.init.normal_(self.qkv.weight[:half], std=1.4 / math.sqrt(width))
            self.qkv.weight[width : width + half] = self.qkv.weight[:half]

    def read(self, x_N_D: Tensor, ragged: Ragged, turn: Tensor) -> tuple[Tensor, Seen]:
        """The prefix through this layer, and its keys and values."""
        near = ragged.spread(self.norm_near(x_N_D)) * ragged.there_R_P[..., None]
        x_N_D = x_N_D + ragged.packed(self._convolved(F.pad(near, (0, 0, 2, 2))))
        qkv = ragged.spread(self.qkv(self.norm_far(x_N_D)))
        queries, keys, values = self._heads(qkv, turn)
        seen = F.scaled_dot_product_attention(
            queries, keys, values, attn_mask=ragged.there_R_P[:, None, None]
        )
        x_N_D = self._mixed(x_N_D, ragged.packed(seen.transpose(1, 2).flatten(2)))
        return x_N_D, Seen(keys, values.contiguous())

    def write(
        self, x: Tensor, page: Seen, past: Written, hidden_R_P: Tensor, turn: Tensor
    ) -> tuple[Tensor, Written]:
        """Action tokens through this layer: they see the prefix and the action up to themselves.
        `hidden` is minus infinity at the prefix's padding, else 0."""
        near = torch.cat((past.near_R_4_D, self.norm_near(x)), 1)
        x = x + self._convolved(near)
        queries, new_keys, new_values = self._heads(self.qkv(self.norm_far(x)), turn)
        keys = torch.cat((past.keys_R_H_T_C, new_keys), 2)
        values = torch.cat((past.values_R_H_T_C, new_values), 2)
        queries = queries / math.sqrt(queries.shape[-1])
        to_prefix = queries @ page.keys_R_H_P_C.transpose(2, 3) + hidden_R_P[:, None, None]
        to_action = queries @ keys.transpose(2, 3)
        new, total = to_action.shape[2:]
        if new > 1:
            later = torch.ones(new, total, dtype=torch.bool).triu(total - new + 1)
            to_action = to_action.masked_fill(later, -math.inf)
        weights = torch.cat((to_prefix, to_action), 3).softmax(3)
        length = hidden_R_P.shape[1]
        seen = weights[..., :length] @ page.values_R_H_P_C + weights[..., length:] @ values
        written = Written(keys, values, near[:, -(_REACH - 1) :])
        return self._mixed(x, seen.transpose(1, 2).flatten(2)), written

    def _convolved(self, near_R_W_D: Tensor) -> Tensor:
        """(R, W, D) -> (R, W - 4, D), every channel by itself."""
        length = near_R_W_D.shape[1] - _REACH + 1
        if length == 1:
            return (near_R_W_D * self.near).sum(1, keepdim=True)
        out = near_R_W_D[:, :length] * self.near[0]
        for offset in range(1, _REACH):
            out = torch.addcmul(out, near_R_W_D[:, offset : offset + length], self.near[offset])
        return out

    def _heads(self, qkv_R_A_3D: Tensor, turn: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each R_H_A_C; the second half of the heads is turned by its
        positions."""
        rows, length, width = qkv_R_A_3D.shape
        split = qkv_R_A_3D.view(rows, length, 3, self.heads, width // (3 * self.heads))
        plain, placed = split[:, :, :2].chunk(2, 3)
        pairs = torch.view_as_complex(placed.view(*placed.shape[:4], -1, 2))
        turned = torch.view_as_real(pairs * turn[:, None, None]).flatten(4)
        queries, keys = torch.cat((plain, turned), 3).permute(2, 0, 3, 1, 4)
        return queries, keys, split[:, :, 2].transpose(1, 2)

    def _mixed(self, x: Tensor, seen: Tensor) -> Tensor:
        x = x + self.out(seen)
        return x + self.down(F.gelu(self.up(self.norm_up(x))))


class Told(nn.Module):
    """Vectors of what a token is told beside itself. They begin at zero: a net that did without is
    the same with them."""

    bits: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.facts = nn.Parameter(torch.zeros(len(Fact), width))
        self.places = nn.Parameter(torch.zeros(4, PLACED, width))  # ordinal, count, rank, word
        self.register_buffer("bits", 1 << torch.arange(len(Fact)), persistent=False)

    def forward(self, facts_N_F: Tensor) -> Tensor:
        """(N, D)."""
        known = (facts_N_F[:, :1] & self.bits) > 0
        x = known.to(self.facts.dtype) @ self.facts
        for table, column in zip(self.places, facts_N_F[:, 1:].unbind(1), strict=True):
            x = x + F.embedding(column, table)
        return _LOUD * x


class PointerNet(nn.Module):
    """Scores of the next action token over [vocabulary ; prefix positions], before any mask."""

    turns: Tensor
    vectors: Tensor

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.tokens = nn.Embedding(config.tokens, width)
        self.segments = nn.Embedding(SEGMENTS, width)
        self.matches = nn.Embedding(MATCHES, width)
        for embedding in (self.tokens, self.segments, self.matches):
            nn.init.normal_(embedding.weight, std=0.08)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.chosen = nn.Linear(width, width)
        self.copy_query = nn.Linear(width, width, bias=False)
        self.copy_key = nn.Linear(width, width, bias=False)
        self.induction = nn.Parameter(torch.full((2,), 2.0))
        turns = _turns(width // config.heads, config.rotary_base)
        self.register_buffer("turns", turns, persistent=False)
        if config.facts:
            self.told = Told(width)
        vectors = torch.arange(config.tokens)  # all places share one: their number says nothing
        vectors[config.first_place : config.first_place + PLACES] = config.first_place
        self.register_buffer("vectors", vectors, persistent=False)

    @property
    def _layers(self) -> list[Block]:
        return cast("list[Block]", list(self.blocks))

    def read(self, prefixes: Prefixes) -> Memory:
        """Read R prefixes."""
        ragged = Ragged.of(prefixes.there_R_P)
        tokens, segments, matches = (ragged.packed(x) for x in prefixes[:3])
        x = self.tokens(self.vectors[tokens]) + self.segments(segments) + self.matches(matches)
        if self.config.facts:
            x = x + self.told(ragged.packed(prefixes.facts_R_P_F))
        turn = self.turns[: prefixes.there_R_P.shape[1]]
        pages: list[Seen] = []
        for block in self._layers:
            x, page = block.read(x, ragged, turn)
            pages.append(page)
        states = self.norm(x)
        words = torch.where(prefixes.words_R_P, prefixes.tokens_R_P, _NO_TOKEN)
        return Memory(
            prefixes,
            tuple(pages),
            hidden_R_P=torch.where(prefixes.there_R_P, 0.0, -math.inf),
            states_R_P_D=ragged.spread(states),
            copied_R_P_D=ragged.spread(self.copy_key(states)),
            one_back_R_P=F.pad(words, (1, 0), value=_NO_TOKEN)[:, :-1],
            two_back_R_P=F.pad(words, (2, 0), value=_NO_TOKEN)[:, :-2],
        )

    def write(
        self, inputs: Inputs, memory: Memory, past: tuple[Written, ...] | None = None
    ) -> tuple[Tensor, tuple[Written, ...]]:
        """scores_R_A_S after each of the A action tokens, which go on from `past`."""
        past = past or self._nothing_written(len(inputs.tokens_R_A))
        x = self.tokens(self.vectors[inputs.tokens_R_A])
        is_place = inputs.places_R_A[..., None] >= 0
        index = inputs.places_R_A[..., None].clamp_min(0).expand(-1, -1, x.shape[2])
        x = x + self.chosen(memory.states_R_P_D.gather(1, index)) * is_place
        start = ACTION_POSITION + past[0].keys_R_H_T_C.shape[2]
        turn = self.turns[start : start + x.shape[1]]
        now: list[Written] = []
        for block, page, before in zip(self._layers, memory.pages, past, strict=True):
            x, written = block.write(x, page, before, memory.hidden_R_P, turn)
            now.append(written)
        x = self.norm(x)
        vocabulary = F.linear(x, self.tokens.weight)
        return torch.cat((vocabulary, self._copying(x, inputs, memory)), 2), tuple(now)

    def _copying(self, x: Tensor, inputs: Inputs, memory: Memory) -> Tensor:
        """(R, A, P): how much each prefix position is to be copied. A position that follows what
        was just copied gets a bonus, so a copy goes on."""
        scores = self.copy_query(x) @ memory.copied_R_P_D.transpose(1, 2) / math.sqrt(x.shape[2])
        one_back = memory.one_back_R_P[:, None] == inputs.tokens_R_A[..., None]
        two_back = memory.two_back_R_P[:, None] == inputs.before_R_A[..., None]
        return scores + self.induction[0] * one_back + self.induction[1] * (one_back & two_back)

    def _nothing_written(self, rows: int) -> tuple[Written, ...]:
        config = self.config
        none = torch.zeros(rows, config.heads, 0, config.width // config.heads)
        near = torch.zeros(rows, _REACH - 1, config.width)
        return (Written(none, none, near),) * config.layers


def fresh(config: NetConfig, seed: int) -> PointerNet:
    """A net with weights drawn from `seed`; torch's own random state stays as it is."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return PointerNet(config)


def fitted(config: NetConfig, weights: Mapping[str, Tensor]) -> PointerNet:
    """A net with a copy of these weights. Raises `ConfigError` when they have other sizes."""
    net = fresh(config, seed=0)
    try:
        net.load_state_dict(weights)
    except RuntimeError as wrong:
        raise ConfigError(f"these weights are not of a net of {config}") from wrong
    return net


def _turns(size: int, base: float) -> Tensor:
    """(positions, size / 2): the rotary position code (Su et al. 2021) as complex numbers."""
    rates = base ** (-torch.arange(0, size, 2) / size)
    angles = torch.arange(_LAST_POSITION)[:, None] * rates
    return torch.polar(torch.ones_like(angles), angles)
