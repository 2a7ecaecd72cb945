"""Rows of tokens laid out so that what they share is computed once.

Rollouts of one group begin with the same prompt, and often go the same way for a while. Laid out as
a trie, each shared token is one node; a node looks at its ancestors only, so every row gets the
same numbers as if it stood alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
Bools = np.ndarray[tuple[int, int], np.dtype[np.bool_]]


@dataclass(frozen=True)
class Trie:
    """N nodes: `ids_N` their tokens, `depth_N` their places in a row, `above_N_N` which nodes each
    one descends from (itself included). `paths`: the nodes of each row."""

    ids_N: Ints
    depth_N: Ints
    above_N_N: Bools
    paths: Sequence[Ints]


def grouped(rows: Sequence[tuple[int, ...]], size: int) -> list[list[int]]:
    """The numbers of all rows, those that share much together, in tries of up to `size` nodes; a
    longer row has one to itself."""
    groups: list[list[int]] = []
    nodes = 0
    before = np.zeros(0, np.int64)
    for at in sorted(range(len(rows)), key=lambda at: rows[at]):
        row = np.array(rows[at], np.int64)
        new = len(row) - shared_start(before, row)
        if not groups or nodes + new > size:
            groups.append([])
            nodes, new = 0, len(row)
        groups[-1].append(at)
        nodes, before = nodes + new, row
    return groups


def trie(rows: Sequence[tuple[int, ...]]) -> Trie:
    """Rows as a trie. In sorted order each leaves the path of the one before where they differ."""
    paths = [np.zeros(0, np.int64)] * len(rows)
    shares = [0] * len(rows)
    path = before = np.zeros(0, np.int64)
    nodes = 0
    for at in sorted(range(len(rows)), key=lambda at: rows[at]):
        row = np.array(rows[at], np.int64)
        shares[at] = shared = shared_start(before, row)
        new = np.arange(nodes, nodes + len(row) - shared)
        paths[at] = path = np.concatenate((path[:shared], new))
        nodes, before = nodes + len(new), row
    ids_N, depth_N = np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)
    above_N_N = np.zeros((nodes, nodes), np.bool_)
    for row, path, shared in zip(rows, paths, shares, strict=True):
        new = path[shared:]
        ids_N[new], depth_N[new] = row[shared:], np.arange(shared, len(row))
        above_N_N[new[:, None], path[None, :]] = np.tri(len(row), dtype=np.bool_)[shared:]
    return Trie(ids_N, depth_N, above_N_N, paths)


def shared_start(first: Ints, second: Ints) -> int:
    """How many tokens two rows have in common from the start."""
    count = min(len(first), len(second))
    differ = np.flatnonzero(first[:count] != second[:count])
    return int(differ[0]) if len(differ) else count
