"""Raster values at the cells of a grid, by one rule that knows nothing of windows.

Compiled; tests compare it with a plain interpolation.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Cells = NDArray[Any]


@numba.njit(cache=True, nogil=True)
def _corner(
    values: Cells, nodata: float, r: int, c: int, weight: float
) -> float:  # pragma: no cover - compiled
    # A pixel of no weight need not exist.
    if weight == 0.0:
        return 0.0
    if r < 0 or c < 0 or r >= values.shape[0] or c >= values.shape[1]:
        return np.nan
    v = np.float64(values[r, c])
    if v == nodata:
        return np.nan
    return weight * v


@numba.njit(cache=True, nogil=True)
def _pixel(
    values: Cells, nodata: float, c: float, r: float
) -> float:  # pragma: no cover - compiled
    # Between the four nearest pixel centres; NaN where one of them is missing.
    x, y = np.floor(c - 0.5), np.floor(r - 0.5)
    fc, fr = c - 0.5 - x, r - 0.5 - y
    c0, r0 = int(x), int(y)
    w00, w01 = (1.0 - fr) * (1.0 - fc), (1.0 - fr) * fc
    w10, w11 = fr * (1.0 - fc), fr * fc
    if r0 >= 0 and c0 >= 0 and r0 + 1 < values.shape[0] and c0 + 1 < values.shape[1]:
        a, b = np.float64(values[r0, c0]), np.float64(values[r0, c0 + 1])
        d, e = np.float64(values[r0 + 1, c0]), np.float64(values[r0 + 1, c0 + 1])
        total = a * w00 + b * w01 + d * w10 + e * w11
        if not (nodata in (a, b, d, e) or np.isnan(total)):
            return float(total)
    total = _corner(values, nodata, r0, c0, w00)
    total += _corner(values, nodata, r0, c0 + 1, w01)
    total += _corner(values, nodata, r0 + 1, c0, w10)
    total += _corner(values, nodata, r0 + 1, c0 + 1, w11)
    return float(total)


@numba.njit(cache=True, nogil=True)
def _sample(
    values: Cells,
    nodata: float,
    nodes: Cells,
    first: Cells,
    step: int,
    samples: int,
    nearest: bool,  # noqa: FBT001  compiled functions take no keywords
    offset: Cells,
    out: Cells,
) -> None:  # pragma: no cover - compiled
    rows, columns = out.shape
    across = nodes.shape[2]
    # Where each sample of a row lies between the nodes, the same for every row. Its place is
    # found before anything is counted from the window's first node: afterwards its rounding
    # would be the window's own.
    node = np.empty(columns * samples, np.int64)
    part = np.empty(columns * samples)
    for k in range(columns * samples):
        x = (first[1] + k // samples + (k % samples + 0.5) / samples) / step
        node[k] = int(np.floor(x)) - first[3]
        part[k] = x - np.floor(x)
    c_at, r_at = np.empty(across), np.empty(across)
    total = np.empty(columns)
    for i in range(rows):
        total[:] = 0.0
        for a in range(samples):
            y = (first[0] + i + (a + 0.5) / samples) / step
            fr = y - np.floor(y)
            r0 = int(np.floor(y)) - first[2]
            for n in range(across):
                c_at[n] = nodes[0, r0, n] * (1.0 - fr) + nodes[0, r0 + 1, n] * fr
                r_at[n] = nodes[1, r0, n] * (1.0 - fr) + nodes[1, r0 + 1, n] * fr
            for k in range(columns * samples):
                j = k // samples
                # One missing sample is enough, and most of a continent is missing.
                if np.isnan(total[j]):
                    continue
                n, fc = node[k], part[k]
                c = c_at[n] * (1.0 - fc) + c_at[n + 1] * fc - offset[0]
                r = r_at[n] * (1.0 - fc) + r_at[n + 1] * fc - offset[1]
                if not (np.isfinite(c) and np.isfinite(r)):
                    total[j] = np.nan
                elif nearest:
                    total[j] += _pixel(values, nodata, np.floor(c) + 0.5, np.floor(r) + 0.5)
                else:
                    total[j] += _pixel(values, nodata, c, r)
        for j in range(columns):
            out[i, j] = total[j] / (samples * samples)


@numba.njit(cache=True, nogil=True)
def _sample_at(
    values: Cells,
    nodata: float,
    nodes: Cells,
    first: Cells,
    step: int,
    samples: int,
    offset: Cells,
    at: Cells,
    out: Cells,
) -> None:  # pragma: no cover - compiled
    # As `_sample` bilinear, with the same operations in the same order.
    for i in range(at.shape[0]):
        total = 0.0
        for a in range(samples):
            y = (first[0] + at[i, 0] + (a + 0.5) / samples) / step
            fr = y - np.floor(y)
            r0 = int(np.floor(y)) - first[2]
            for b in range(samples):
                x = (first[1] + at[i, 1] + (b + 0.5) / samples) / step
                fc = x - np.floor(x)
                n = int(np.floor(x)) - first[3]
                c = (nodes[0, r0, n] * (1.0 - fr) + nodes[0, r0 + 1, n] * fr) * (1.0 - fc)
                c = c + (nodes[0, r0, n + 1] * (1.0 - fr) + nodes[0, r0 + 1, n + 1] * fr) * fc
                r = (nodes[1, r0, n] * (1.0 - fr) + nodes[1, r0 + 1, n] * fr) * (1.0 - fc)
                r = r + (nodes[1, r0, n + 1] * (1.0 - fr) + nodes[1, r0 + 1, n + 1] * fr) * fc
                c, r = c - offset[0], r - offset[1]
                if np.isfinite(c) and np.isfinite(r):
                    total += _pixel(values, nodata, c, r)
                else:
                    total = np.nan
        out[i] = total / (samples * samples)


def sampled(
    values: NDArray[Any],
    nodata: float,
    nodes: NDArray[np.float64],
    *,
    first: tuple[int, int, int, int],
    step: int,
    samples: int,
    nearest: bool,
    offset: tuple[int, int],
    shape: tuple[int, int],
    at: NDArray[np.int32] | None = None,
) -> NDArray[np.float32]:
    """Raster values at the cells of a window: (rows, columns), NaN where one is missing.

    Or at some of the cells only: (cells,), the same values, never the nearest pixel's.

    Parameters
    ----------
    values : (height, width)
        Pixels that were read.
    nodata : float
        NaN if the raster has none.
    nodes : (2, m, n) float64
        Columns and rows in pixels of the nodes of a wide lattice that all windows
        share; places between them follow linearly.
    first : row, column of the window's first cell; row, column of the first node
    step : int
        Cells from node to node.
    samples : int
        Samples along each side of a cell, averaged.
    nearest : bool
        Take the pixel that holds the place instead of interpolating.
    offset : column, row of the first pixel that was read
    at : (cells, 2), optional
        Rows and columns in the window.
    """
    if at is None and samples == 1 and (place := _aligned(nodes, first, step, offset)):
        return _taken(values, nodata, place, shape)
    if at is not None:
        some = np.empty(len(at), np.float32)
        _sample_at(
            values,
            nodata,
            nodes,
            np.array(first, np.int64),
            step,
            samples,
            np.array(offset, np.int64),
            at,
            some,
        )
        return some
    out = np.empty(shape, np.float32)
    _sample(
        values,
        nodata,
        nodes,
        np.array(first, np.int64),
        step,
        samples,
        nearest,
        np.array(offset, np.int64),
        out,
    )
    return out


def _aligned(
    nodes: NDArray[np.float64],
    first: tuple[int, int, int, int],
    step: int,
    offset: tuple[int, int],
) -> tuple[int, int] | None:
    """Row and column of the pixel under the window's first cell, if pixels are the cells."""
    left, top = nodes[0, 0, 0], nodes[1, 0, 0]
    down, across = (np.arange(n) * step for n in nodes.shape[1:])
    there = (nodes[0] == left + across).all() and (nodes[1] == top + down[:, None]).all()
    if not (there and left.is_integer() and top.is_integer()):
        return None
    row, column = first[0] - first[2] * step, first[1] - first[3] * step
    return int(top) + row - offset[1], int(left) + column - offset[0]


def _taken(
    values: NDArray[Any], nodata: float, place: tuple[int, int], shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Pixels as they are, NaN beyond the raster and where they are missing."""
    out = np.full(shape, np.nan, np.float32)
    r, c = place
    rows, columns = (max(0, -k) for k in place)
    # A raster that begins beyond the window gives no pixel, not its last ones.
    part = values[r + rows : max(r + shape[0], 0), c + columns : max(c + shape[1], 0)]
    if not part.size:
        return out
    height, width = part.shape
    out[rows : rows + height, columns : columns + width] = part
    if not np.isnan(nodata):
        inside = out[rows : rows + height, columns : columns + width]
        inside[part == nodata] = np.nan
    return out
