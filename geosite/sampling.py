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
def _pixel(values: Cells, nodata: float, c: float, r: float) -> float:  # pragma: no cover
    # Between the four nearest pixel centres; NaN where one of them is missing.
    height, width = values.shape
    c0, r0 = np.floor(c - 0.5), np.floor(r - 0.5)
    fc, fr = c - 0.5 - c0, r - 0.5 - r0
    total = 0.0
    for dr in range(2):
        for dc in range(2):
            w = (fr if dr else 1.0 - fr) * (fc if dc else 1.0 - fc)
            if w == 0.0:
                continue
            rr, cc = int(r0) + dr, int(c0) + dc
            if rr < 0 or cc < 0 or rr >= height or cc >= width:
                return np.nan
            v = np.float64(values[rr, cc])
            if v == nodata or np.isnan(v):
                return np.nan
            total += w * v
    return total


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
    for i in range(rows):
        for j in range(columns):
            total = 0.0
            for a in range(samples):
                # The place between two nodes before anything is counted from the window's
                # first node: afterwards its rounding would be the window's own.
                y = (first[0] + i + (a + 0.5) / samples) / step
                fr = y - np.floor(y)
                r0 = int(np.floor(y)) - first[2]
                for b in range(samples):
                    x = (first[1] + j + (b + 0.5) / samples) / step
                    fc = x - np.floor(x)
                    c0 = int(np.floor(x)) - first[3]
                    w00, w01 = (1.0 - fr) * (1.0 - fc), (1.0 - fr) * fc
                    w10, w11 = fr * (1.0 - fc), fr * fc
                    c = (
                        nodes[0, r0, c0] * w00
                        + nodes[0, r0, c0 + 1] * w01
                        + nodes[0, r0 + 1, c0] * w10
                        + nodes[0, r0 + 1, c0 + 1] * w11
                        - offset[0]
                    )
                    r = (
                        nodes[1, r0, c0] * w00
                        + nodes[1, r0, c0 + 1] * w01
                        + nodes[1, r0 + 1, c0] * w10
                        + nodes[1, r0 + 1, c0 + 1] * w11
                        - offset[1]
                    )
                    if nearest:
                        c, r = np.floor(c) + 0.5, np.floor(r) + 0.5
                    if np.isfinite(c) and np.isfinite(r):
                        total += _pixel(values, nodata, c, r)
                    else:
                        total = np.nan
                    # One missing sample is enough, and most of a continent is missing.
                    if np.isnan(total):
                        break
                if np.isnan(total):
                    break
            out[i, j] = total / (samples * samples)


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
) -> NDArray[np.float32]:
    """Raster values at the cells of a window: (rows, columns), NaN where one is missing.

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
    """
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
