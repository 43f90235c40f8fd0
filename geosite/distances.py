"""Exact distances where they are asked for: compiled loops over whole numbers.

The distance transforms of the libraries answer for every cell of a window and of its
halo, at several times the cost (`benchmarks/distances.py` measures them). A tile asks for
few cells: those that may hold a site, or whether a feature is within a setback.
Distance along the columns is found first, in two sweeps over the rows; what is asked
is then read off one row at a time. Coverage tools cannot look into compiled loops;
tests compare each with SciPy's transform of the whole.
"""

from __future__ import annotations

from math import floor
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Cells = NDArray[Any]
_ENVELOPE_STEPS = 4
"""Measured: what an envelope costs a column, in steps of a search; it changes no answer."""
MOST = 65_000
"""Longest reach [cells]: rows and columns are counted in 16 bits."""


@numba.njit(cache=True, nogil=True)
def _sweep(
    marked: Cells, first: int, reach: int, out: Cells
) -> None:  # pragma: no cover - compiled
    # Beyond the reach all is equally far. The rows of the halo leave a running count only.
    columns, rows = marked.shape[1], out.shape[0]
    far = np.uint16(reach + 1)
    one = np.uint16(1)
    since = np.full(columns, far, np.uint16)
    for r in range(first + rows):
        line = marked[r]
        for c in range(columns):
            since[c] = np.uint16(0) if line[c] else min(np.uint16(since[c] + one), far)
        if r >= first:
            out[r - first] = since
    since[:] = far
    for r in range(marked.shape[0] - 1, first - 1, -1):
        line = marked[r]
        for c in range(columns):
            since[c] = np.uint16(0) if line[c] else min(np.uint16(since[c] + one), far)
        if r < first + rows:
            below = out[r - first]
            for c in range(columns):
                below[c] = min(below[c], since[c])


def along_columns(
    marked: NDArray[np.bool_], first: int, rows: int, reach: float
) -> NDArray[np.uint16]:
    """Cells to the nearest marked cell of the same column: (rows, columns).

    Parameters
    ----------
    marked : (y, x) bool
    first, rows : int
        For which rows of it; the others are the halo.
    reach : float
        What is farther counts as one more than the reach [cells].

    Examples
    --------
    >>> along_columns(np.array([[0, 1], [0, 0], [0, 0]], bool), 1, 2, 9).tolist()
    [[10, 1], [10, 2]]
    """
    out = np.empty((rows, marked.shape[1]), np.uint16)
    _sweep(marked, first, floor(reach), out)
    return out


@numba.njit(cache=True, nogil=True)
def _outwards(row: Cells, x: int, reach: int) -> tuple[Any, int]:  # pragma: no cover - compiled
    # Until no column can be nearer than the best one so far; the best, and the steps it took.
    columns = row.shape[0]
    v = np.int64(row[x])
    best = v * v
    k = 1
    while k <= reach and k * k < best:
        if x - k >= 0:
            v = np.int64(row[x - k])
            best = min(best, v * v + k * k)
        if x + k < columns:
            v = np.int64(row[x + k])
            best = min(best, v * v + k * k)
        k += 1
    return best, k


@numba.njit(cache=True, nogil=True)
def _envelope(
    row: Cells, reach: int, peaks: Cells, begins: Cells
) -> int:  # pragma: no cover - compiled
    # Lower envelope of the parabolas over the columns of a row (Felzenszwalb and Huttenlocher
    # 2012, in whole numbers as Meijster, Roerdink and Hesselink 2000): the columns that are the
    # nearest of some cell, and the first cell of each.
    n = 0
    for u in range(row.shape[0]):
        v = np.int64(row[u])
        if v > reach:
            continue
        begin = 0
        while n > 0:
            i = peaks[n - 1]
            w = np.int64(row[i])
            # The last cell that is no farther from column i than from column u.
            begin = (u * u - i * i + v * v - w * w) // (2 * (u - i)) + 1
            if begin > begins[n - 1]:
                break
            n -= 1
            begin = 0
        if begin < row.shape[0]:
            peaks[n], begins[n] = u, begin
            n += 1
    return n


@numba.njit(cache=True, nogil=True)
def _read(
    along: Cells, at: Cells, left: int, reach: int, limit: int, out: Cells
) -> None:  # pragma: no cover - compiled
    # No column farther than the reach matters; the limit is the square of what it was cut from.
    columns = along.shape[1]
    peaks, begins = np.empty(columns, np.int64), np.empty(columns, np.int64)
    i, steps, searched = 0, 0, 0
    while i < at.shape[0]:
        end = i
        while end < at.shape[0] and at[end, 0] == at[i, 0]:
            end += 1
        row = along[at[i, 0]]
        # A search costs a step for each column it passes, an envelope some steps for every
        # column of the row: by what the searches so far took, the cheaper of the two.
        if searched < 64 or (end - i) * steps < _ENVELOPE_STEPS * columns * searched:
            for k in range(i, end):
                best, took = _outwards(row, at[k, 1] + left, reach)
                out[k] = best if best <= limit else np.inf
                steps += took
                searched += 1
        else:
            n, m = _envelope(row, reach, peaks, begins), 0
            for k in range(i, end):
                x = at[k, 1] + left
                if n and x < begins[m]:
                    m = 0
                while m + 1 < n and begins[m + 1] <= x:
                    m += 1
                out[k] = np.inf
                if n:
                    v = np.int64(row[peaks[m]])
                    d2 = (x - peaks[m]) * (x - peaks[m]) + v * v
                    out[k] = d2 if d2 <= limit else np.inf
        i = end


def squared_at(
    along: NDArray[np.uint16], at: NDArray[np.integer[Any]], left: int, reach: float
) -> NDArray[np.float64]:
    """Squared distance of some cells to the nearest marked cell: (cells,) [cells²].

    Whole numbers; infinite beyond the reach.

    Parameters
    ----------
    along : (rows, columns)
        From `along_columns`, with the same reach.
    at : (cells, 2)
        Rows, and columns less `left`; row by row is quickest.
    reach : float
        [cells]
    """
    out = np.empty(len(at))
    _read(along, at, left, floor(reach), floor(reach**2), out)
    return out


@numba.njit(cache=True, nogil=True)
def _spread(along: Cells, widths: Cells, out: Cells) -> None:  # pragma: no cover - compiled
    rows, columns = along.shape
    until = np.empty(columns, np.int64)
    for r in range(rows):
        # Of each column the stretch of this row that lies within reach of its nearest mark.
        last = -1
        for c in range(columns):
            v = along[r, c]
            if v < widths.shape[0]:
                last = max(last, c + widths[v])
            until[c] = last
        first = columns
        for c in range(columns - 1, -1, -1):
            v = along[r, c]
            if v < widths.shape[0]:
                first = min(first, c - widths[v])
            out[r, c] = until[c] >= c or first <= c


def within(along: NDArray[np.uint16], reach: float) -> NDArray[np.bool_]:
    """Cells within a reach of a marked cell: (rows, columns), bool.

    Parameters
    ----------
    along
        From `along_columns`, with the same reach or a longer one.
    reach : float
        [cells]

    Examples
    --------
    >>> marks = np.array([[0, 0, 0, 0], [0, 1, 0, 0]], bool)
    >>> within(along_columns(marks, 0, 2, 1.5), 1.5).astype(int).tolist()
    [[1, 1, 1, 0], [1, 1, 1, 0]]
    """
    away = np.arange(floor(reach) + 1)
    # The root of a whole number rounds to it exactly where it is one.
    widths = np.floor(np.sqrt(np.maximum(floor(reach**2) - away**2, 0))).astype(np.int64)
    out = np.empty(along.shape, bool)
    _spread(along, widths, out)
    return out
