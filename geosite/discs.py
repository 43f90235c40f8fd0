"""Sums, counts and strengths within a radius of each cell.

Compiled loops, exact in integers, so that no tiling can change them: every
coordinate is a whole number of sub-cells (`grid.SUBCELLS` a cell), counted from
the window's top-left corner. Coverage tools cannot look into them; tests compare
each with a plain oracle.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from geosite.grid import SUBCELLS

S = SUBCELLS
Cells = NDArray[Any]


@numba.njit(cache=True, nogil=True)
def _add_kernels(
    xy: Cells, weights: Cells, radius: int, out: Cells
) -> None:  # pragma: no cover - compiled
    rows, columns = out.shape
    half = S // 2
    k2 = radius * radius
    for i in range(xy.shape[0]):
        x, y = xy[i, 0], xy[i, 1]
        for r in range(max((y - radius) // S, 0), min((y + radius) // S + 1, rows)):
            dy = r * S + half - y
            for c in range(max((x - radius) // S, 0), min((x + radius) // S + 1, columns)):
                dx = c * S + half - x
                d2 = dx * dx + dy * dy
                if d2 <= k2:
                    t = 1.0 - d2 / k2
                    out[r, c] += weights[i] * t * t


def kernel_sum(
    xy: NDArray[np.int64],
    weights: NDArray[np.float64],
    *,
    radius: int,
    shape: tuple[int, int],
) -> NDArray[np.float64]:
    r"""Sum of the quartic kernels of points: (rows, columns).

    Parameters
    ----------
    xy : (n, 2) int64
        Points [sub-cells], in a stable order, because floats are added in it.
    weights : (n,) float64
        Height of each kernel at its centre.
    radius : int
        Of the kernel [sub-cells].

    Notes
    -----
    .. math:: K(d) = (1 - d^2 / r^2)^2, d \le r
    """
    out = np.zeros(shape)
    _add_kernels(xy, weights, radius, out)
    return out


@numba.njit(cache=True, nogil=True)
def _strongest(
    xy: Cells,
    weights: Cells,
    accepted: Cells,
    reach: int,
    radius: int,
    strength: Cells,
    nearest: Cells,
    nearest_d2: Cells,
) -> None:  # pragma: no cover - compiled
    rows, columns = strength.shape
    half = S // 2
    r2, k2 = reach * reach, radius * radius
    far = max(reach, radius)
    for i in range(xy.shape[0]):
        x, y = xy[i, 0], xy[i, 1]
        for r in range(max((y - far) // S, 0), min((y + far) // S + 1, rows)):
            dy = r * S + half - y
            for c in range(max((x - far) // S, 0), min((x + far) // S + 1, columns)):
                dx = c * S + half - x
                d2 = dx * dx + dy * dy
                if d2 <= k2:
                    t = 1.0 - d2 / k2
                    strength[r, c] = max(strength[r, c], weights[i] * t * t)
                if accepted[i] and d2 <= r2 and d2 < nearest_d2[r, c]:
                    nearest[r, c] = i
                    nearest_d2[r, c] = d2


def strongest(
    xy: NDArray[np.int64],
    weights: NDArray[np.float64],
    accepted: NDArray[np.bool_],
    *,
    reach: int,
    radius: int,
    shape: tuple[int, int],
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    r"""Strongest kernel over each cell, and the nearest accepted point within reach.

    The strongest and not the sum: ten records of one small mine are no better
    ground than one, and density of records is a matter of who recorded.

    Parameters
    ----------
    xy : (n, 2) int64
        Points [sub-cells], in a stable order: of two equally near the first wins.
    weights : (n,) float64
        Height of each kernel at its centre.
    accepted : (n,) bool
        Points that may be a cell's nearest.
    reach, radius : int
        Of the gate and of the kernel [sub-cells].

    Returns
    -------
    strength : (rows, columns) float64
    nearest : (rows, columns) int32
        Index of the nearest accepted point, -1 where none is within reach.

    Notes
    -----
    .. math:: K(d) = (1 - d^2 / r^2)^2, d \le r
    """
    strength = np.zeros(shape)
    nearest = np.full(shape, -1, np.int32)
    distance = np.full(shape, np.iinfo(np.int64).max, np.int64)
    _strongest(xy, weights, accepted, reach, radius, strength, nearest, distance)
    return strength, nearest


@numba.njit(cache=True, nogil=True)
def _disc_sums(
    xy: Cells, amounts: Cells, radius: int, out: Cells
) -> None:  # pragma: no cover - compiled
    rows, columns = out.shape
    half = S // 2
    r2 = radius * radius
    for i in range(xy.shape[0]):
        x, y = xy[i, 0], xy[i, 1]
        for r in range(max((y - radius) // S, 0), min((y + radius) // S + 1, rows)):
            dy = r * S + half - y
            if dy * dy > r2:
                continue
            width = np.int64(np.sqrt(np.float64(r2 - dy * dy)))
            while width * width > r2 - dy * dy:
                width -= 1
            while (width + 1) * (width + 1) <= r2 - dy * dy:
                width += 1
            first = max((x - width - half + S - 1) // S, 0)
            last = min((x + width - half) // S, columns - 1)
            if first <= last:
                out[r, first] += amounts[i]
                if last + 1 < columns:
                    out[r, last + 1] -= amounts[i]


def disc_sums(
    xy: NDArray[np.int64], amounts: NDArray[np.int64], *, radius: int, shape: tuple[int, int]
) -> NDArray[np.int64]:
    """Sum of the amounts of the points within a radius of each cell's centre, (rows, columns)."""
    out = np.zeros(shape, np.int64)
    _disc_sums(xy, amounts, radius, out)
    np.cumsum(out, axis=1, out=out)
    return out


@numba.njit(cache=True, nogil=True)
def _disc_counts(
    totals: Cells, at: Cells, widths: Cells, out: Cells
) -> None:  # pragma: no cover - compiled
    reach = widths.shape[0] // 2
    for i in range(at.shape[0]):
        r, c = at[i]
        n = 0
        for k in range(-reach, reach + 1):
            w = widths[k + reach]
            n += totals[r + k, c + w + 1] - totals[r + k, c - w]
        out[i] = n


def disc_widths(radius_cells: float) -> NDArray[np.int64]:
    """Half-widths of the rows of a disc of cells whose centres lie within a radius."""
    reach = int(radius_cells)
    dy = np.arange(-reach, reach + 1)
    return np.asarray(np.sqrt(radius_cells**2 - dy**2), np.int64)


def disc_counts(
    marked: NDArray[np.bool_], at: NDArray[np.integer[Any]], radius_cells: float
) -> NDArray[np.int64]:
    """Number of marked cells within a radius of some cells: (n,).

    Parameters
    ----------
    marked : (rows, columns) bool
        Must reach at least the radius beyond every asked cell.
    at : (n, 2) int64
        Row and column of the asked cells.
    """
    totals = np.zeros((marked.shape[0], marked.shape[1] + 1), np.int32)
    np.cumsum(marked, axis=1, dtype=np.int32, out=totals[:, 1:])
    out = np.empty(len(at), np.int64)
    _disc_counts(totals, at, disc_widths(radius_cells), out)
    return out


@numba.njit(cache=True, nogil=True)
def _same_counts(
    label: Cells, at: Cells, widths: Cells, out: Cells
) -> None:  # pragma: no cover - compiled
    reach = widths.shape[0] // 2
    for i in range(at.shape[0]):
        r, c = at[i]
        own = label[r, c]
        n = 0
        for k in range(-reach, reach + 1):
            for j in range(c - widths[k + reach], c + widths[k + reach] + 1):
                n += label[r + k, j] == own
        out[i] = n


def same_label_counts(
    label: NDArray[np.int32], at: NDArray[np.integer[Any]], radius_cells: float
) -> NDArray[np.int64]:
    """Number of cells within a radius that carry the same label as some cells: (n,)."""
    out = np.empty(len(at), np.int64)
    _same_counts(label, at, disc_widths(radius_cells), out)
    return out
