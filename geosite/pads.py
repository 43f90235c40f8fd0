"""The best contiguous pad of a parcel: where in an installation the plant would go."""

from __future__ import annotations

import heapq
from math import ceil, isqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEEDS = 64
"""Places from which pads are grown in one parcel."""
_NEIGHBOURS = ((-1, 0), (0, -1), (0, 1), (1, 0))


def pad_cells(pad_ha: float, cell_ha: float) -> int:
    """Number of cells of a pad: at least its area."""
    return max(1, ceil(round(pad_ha / cell_ha, 9)))


def best_pad(suitability: NDArray[np.float32], cells: int) -> NDArray[np.int64] | None:
    """The contiguous pad with the highest mean suitability: (cells, 2) rows and columns.

    Pads are grown from the best places of the parcel, well apart, always taking
    the best neighbouring cell to the hundredth, and of equals the one nearest to the
    start, so that pads are compact. Growing
    finds a good pad, not provably the best of all shapes.

    Parameters
    ----------
    suitability : (rows, columns)
        NaN outside the parcel and where no candidate may be.
    cells : int
        Size of the pad.

    Returns
    -------
    array or None
        None where no contiguous land is large enough.

    Examples
    --------
    >>> s = np.array([[0.9, np.nan, 0.5], [np.nan, np.nan, 0.6], [0.2, 0.4, 0.7]], np.float32)
    >>> best_pad(s, 3).tolist()
    [[0, 2], [1, 2], [2, 2]]
    """
    # Land too small for any pad must not shadow good land beside it.
    from scipy.ndimage import label  # noqa: PLC0415 -- slow to import

    labels, _ = label(~np.isnan(suitability))
    large = np.bincount(labels.ravel(), minlength=1) >= cells
    large[0] = False
    suitability = np.where(large[labels], suitability, np.float32(np.nan))
    best: tuple[float, list[tuple[int, int]]] | None = None
    for seed in _seeds(suitability, isqrt(cells) + 1):
        pad = _grown(suitability, seed, cells)
        if pad is None:
            continue
        mean = float(np.mean([np.float64(suitability[p]) for p in sorted(pad)]))
        if best is None or mean > best[0]:
            best = (mean, pad)
    return None if best is None else np.array(sorted(best[1]), np.int64)


def _seeds(suitability: NDArray[np.float32], spacing: int) -> list[tuple[int, int]]:
    rows, columns = np.nonzero(~np.isnan(suitability))
    order = np.lexsort((columns, rows, -suitability[rows, columns]))
    taken = np.zeros(suitability.shape, bool)
    seeds: list[tuple[int, int]] = []
    for k in order.tolist():
        r, c = int(rows[k]), int(columns[k])
        if taken[r, c]:
            continue
        seeds.append((r, c))
        if len(seeds) == SEEDS:
            break
        taken[max(r - spacing, 0) : r + spacing + 1, max(c - spacing, 0) : c + spacing + 1] = True
    return seeds


def _worth(suitability: np.float32) -> float:
    # To the hundredth: for less than that nobody builds a plant in the shape of a snake.
    return -round(float(suitability), 2)


def _grown(
    suitability: NDArray[np.float32], seed: tuple[int, int], cells: int
) -> list[tuple[int, int]] | None:
    height, width = suitability.shape
    pad: list[tuple[int, int]] = []
    queue = [(_worth(suitability[seed]), 0, seed)]
    seen = {seed}
    while queue and len(pad) < cells:
        _, _, (r, c) = heapq.heappop(queue)
        pad.append((r, c))
        for dr, dc in _NEIGHBOURS:
            n = (r + dr, c + dc)
            inside = 0 <= n[0] < height and 0 <= n[1] < width
            if not inside or n in seen or np.isnan(suitability[n]):
                continue
            seen.add(n)
            apart = (n[0] - seed[0]) ** 2 + (n[1] - seed[1]) ** 2
            heapq.heappush(queue, (_worth(suitability[n]), apart, n))
    return pad if len(pad) == cells else None
