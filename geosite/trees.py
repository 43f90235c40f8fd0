"""Sums along the ways of a tree of shortest ways, from its root to some of its nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@numba.njit(cache=True, nogil=True)
def _climb(
    before: Any, targets: Any, starts: Any, heads: Any, amount: Any, column: Any, found: Any
) -> None:
    for t in range(len(targets)):
        node = targets[t]
        while before[node] >= 0:
            above = before[node]
            edge = starts[above]
            while heads[edge] != node:
                edge += 1
            for k in range(amount.shape[1]):
                found[t, column[edge, k]] += amount[edge, k]
            node = above


def sums_from_root(
    before: NDArray[np.int32],
    targets: NDArray[np.int64],
    graph: tuple[NDArray[np.int64], NDArray[np.int64]],
    amount: NDArray[np.float64],
    column: NDArray[np.int64],
    columns: int,
) -> NDArray[np.float64]:
    """Sums of the amounts of the edges of each way: (targets, columns).

    Parameters
    ----------
    before : (nodes,)
        The node before each on the way from the root; below zero at the root and where no way
        leads.
    targets : nodes whose ways are summed
    graph : (nodes + 1,) and (edges,)
        Where the edges of each node begin, and the node that each of them leads to.
    amount, column : (edges, k)
        What an edge adds, and to which sum.
    columns : int
        Number of sums.

    Examples
    --------
    >>> before = np.array([-1, 0, 1], np.int32)
    >>> graph = np.array([0, 1, 2, 2]), np.array([1, 2])
    >>> amount, column = np.array([[5.0], [7.0]]), np.array([[0], [1]])
    >>> sums_from_root(before, np.array([2, 1]), graph, amount, column, 2).tolist()
    [[5.0, 7.0], [5.0, 0.0]]
    """
    found = np.zeros((len(targets), columns))
    _climb(before, targets, *graph, amount, column, found)
    return found
