"""A region grown cell by cell: compiled loops that take what adds most to its objective.

All surfaces have a border of one cell without land, so that no loop looks beyond them. Cells
are numbered row by row; suitability is in whole millionths, distances are squared half cells,
so that no order of adding changes an answer. `regions.best_regions` says what is made of them.
"""

from __future__ import annotations

import heapq
from math import pi
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Cells = NDArray[Any]

ROUNDS = 6
"""Times that a region is at most grown again round its own middle."""
SWAPS = 64
"""Cells of a grown region that are at most exchanged for better ones beside it."""
STEPS = 1_000_000
"""Suitability is given in whole millionths of the best of the parcel."""


@numba.njit(cache=True, nogil=True)
def next_seed(
    rank: Cells, at: int, taken: Cells, free: Cells
) -> int:  # pragma: no cover - compiled
    """Place in a ranking, from one place on, of the first cell that is free and not taken."""
    columns = free.shape[1]
    while at < rank.shape[0]:
        r, c = rank[at] // columns, rank[at] % columns
        if free[r, c] and not taken[r, c]:
            break
        at += 1
    return at


@numba.njit(cache=True, nogil=True)
def _grown(
    worth: Cells,
    free: Cells,
    place: tuple[int, int, int],
    compactness: float,
    stamps: Cells,
    stamp: int,
    out: Cells,
) -> int:  # pragma: no cover - compiled
    # Cells in the order in which they are taken, from a cell on, round a middle [half cells].
    start, row, column = place
    columns, wanted = worth.shape[1], out.shape[0]
    bend = 2.0 * compactness * pi / wanted / 4.0
    heap = [(0.0, 0, start)]
    stamps[start // columns, start % columns] = stamp
    size = 0
    while len(heap) > 0 and size < wanted:
        _, _, cell = heapq.heappop(heap)
        out[size] = cell
        size += 1
        r, c = cell // columns, cell % columns
        for dr, dc in ((-1, 0), (0, -1), (0, 1), (1, 0)):
            nr, nc = r + dr, c + dc
            if not free[nr, nc] or stamps[nr, nc] == stamp:
                continue
            stamps[nr, nc] = stamp
            d2 = (2 * nr - row) ** 2 + (2 * nc - column) ** 2
            cost = bend * d2 - (1.0 - compactness) * worth[nr, nc] / STEPS
            heapq.heappush(heap, (cost, d2, nr * columns + nc))
    return size


@numba.njit(cache=True, nogil=True)
def merits(worth: Cells, cells: Cells) -> tuple[float, float]:  # pragma: no cover - compiled
    """Mean suitability, 0 to 1, and normalised moment of inertia of some cells."""
    columns, n = worth.shape[1], cells.shape[0]
    r0, c0 = cells[0] // columns, cells[0] % columns
    total, rows, across, squares = 0, 0, 0, 0
    for cell in cells:
        r, c = cell // columns - r0, cell % columns - c0
        total += worth[r + r0, c + c0]
        rows += r
        across += c
        squares += r * r + c * c
    inertia = squares - (rows * rows + across * across) / n + n / 6.0
    return total / n / STEPS, n * n / (2.0 * pi * inertia)


@numba.njit(cache=True, nogil=True)
def settled(
    worth: Cells,
    free: Cells,
    seed: int,
    compactness: float,
    stamps: Cells,
    stamp: int,
    out: Cells,
) -> tuple[int, int]:  # pragma: no cover - compiled
    """Fill `out` with the cells of a region; gives how many there are, and the last stamp.

    Grown from a seed, then again round its own middle for as long as that is better. Where
    there is too little room, the cells are all that hang together with the seed.
    """
    columns = worth.shape[1]
    stamp += 1
    place = (seed, 2 * (seed // columns), 2 * (seed % columns))
    size = _grown(worth, free, place, compactness, stamps, stamp, out)
    if size < out.shape[0]:
        return size, stamp
    mean, shape = merits(worth, out)
    best = (1.0 - compactness) * mean + compactness * shape
    other = np.empty_like(out)
    for _ in range(ROUNDS):
        rows, across = 0, 0
        for cell in out:
            rows += 2 * (cell // columns)
            across += 2 * (cell % columns)
        row, column = (2 * rows + size) // (2 * size), (2 * across + size) // (2 * size)
        start, nearest = out[0], -1
        for cell in out:
            d2 = (2 * (cell // columns) - row) ** 2 + (2 * (cell % columns) - column) ** 2
            if nearest < 0 or d2 < nearest or (d2 == nearest and cell < start):
                start, nearest = cell, d2
        stamp += 1
        _grown(worth, free, (start, row, column), compactness, stamps, stamp, other)
        mean, shape = merits(worth, other)
        value = (1.0 - compactness) * mean + compactness * shape
        if value <= best + 1e-12:
            break
        best = value
        out[:] = other
    return size, stamp


@numba.njit(cache=True, nogil=True)
def exchange(
    worth: Cells, free: Cells, compactness: float, stamps: Cells, stamp: int, out: Cells
) -> None:  # pragma: no cover - compiled
    """Change `out` cell by cell: the one that gives least for the one that would give most.

    For as long as that is better, and without tearing the region.
    """
    columns, n = worth.shape[1], out.shape[0]
    for cell in out:
        stamps[cell // columns, cell % columns] = stamp
    mean, shape = merits(worth, out)
    best = (1.0 - compactness) * mean + compactness * shape
    for _ in range(SWAPS):
        rows, across = 0, 0
        for cell in out:
            rows += cell // columns
            across += cell % columns
        middle = (rows / n, across / n, 2.0 * compactness * pi / n * shape * shape)
        leaves = _least(worth, compactness, middle, stamps, stamp, out)
        if leaves < 0:
            return
        old = out[leaves]
        # It may not come back at once.
        stamps[old // columns, old % columns] = -stamp
        comes = _most(worth, free, compactness, middle, stamps, stamp, out)
        if comes < 0:
            return
        out[leaves] = comes
        mean, shape = merits(worth, out)
        value = (1.0 - compactness) * mean + compactness * shape
        if value <= best + 1e-12:
            out[leaves] = old
            return
        best = value
        stamps[old // columns, old % columns] = 0
        stamps[comes // columns, comes % columns] = stamp


@numba.njit(cache=True, nogil=True)
def _least(
    worth: Cells,
    compactness: float,
    middle: tuple[float, float, float],
    stamps: Cells,
    stamp: int,
    out: Cells,
) -> int:  # pragma: no cover - compiled
    # Which of a region's cells gives least and may go without tearing it.
    columns = worth.shape[1]
    row, column, bend = middle
    found, least = -1, np.inf
    for k in range(out.shape[0]):
        r, c = out[k] // columns, out[k] % columns
        gain = (1.0 - compactness) * worth[r, c] / STEPS
        gain -= bend * ((r - row) ** 2 + (c - column) ** 2)
        if gain < least and _is_loose(stamps, stamp, r, c):
            found, least = k, gain
    return found


@numba.njit(cache=True, nogil=True)
def _most(
    worth: Cells,
    free: Cells,
    compactness: float,
    middle: tuple[float, float, float],
    stamps: Cells,
    stamp: int,
    out: Cells,
) -> int:  # pragma: no cover - compiled
    # The cell beside a region that would give most; -1 if there is none.
    columns = worth.shape[1]
    row, column, bend = middle
    found, most = -1, -np.inf
    for cell in out:
        if stamps[cell // columns, cell % columns] != stamp:
            continue
        for dr, dc in ((-1, 0), (0, -1), (0, 1), (1, 0)):
            r, c = cell // columns + dr, cell % columns + dc
            if not free[r, c] or abs(stamps[r, c]) == stamp:
                continue
            gain = (1.0 - compactness) * worth[r, c] / STEPS
            gain -= bend * ((r - row) ** 2 + (c - column) ** 2)
            if gain > most or (gain == most and r * columns + c < found):
                found, most = r * columns + c, gain
    return found


@numba.njit(cache=True, nogil=True)
def _is_loose(stamps: Cells, stamp: int, r: int, c: int) -> bool:  # pragma: no cover - compiled
    # Whether its neighbours hold together without a cell: seen from the eight cells round it.
    ring = (
        (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1),
    )  # fmt: skip
    groups, sides = 0, 0
    for k in range(0, 8, 2):
        if stamps[r + ring[k][0], c + ring[k][1]] != stamp:
            continue
        sides += 1
        corner, side = ring[k + 1], ring[(k + 2) % 8]
        joined = (
            stamps[r + corner[0], c + corner[1]] == stamp
            and stamps[r + side[0], c + side[1]] == stamp
        )
        groups += not joined
    # Of a full ring no group ends anywhere, and the cell would leave a hole.
    return sides == 1 or groups == 1


@numba.njit(cache=True, nogil=True)
def blocked(free: Cells, place: Cells, offsets: Cells) -> None:  # pragma: no cover - compiled
    """Make cells at some offsets of others no longer free: both (n, 2) rows and columns."""
    rows, columns = free.shape
    for k in range(place.shape[0]):
        for j in range(offsets.shape[0]):
            r, c = place[k, 0] + offsets[j, 0], place[k, 1] + offsets[j, 1]
            if 0 <= r < rows and 0 <= c < columns:
                free[r, c] = False
