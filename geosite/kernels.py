"""Shapes burnt into cells, and cells joined: compiled loops, exact in integers.

Every coordinate is a whole number of sub-cells (`grid.SUBCELLS` a cell), counted
from the window's top-left corner; shifting a window by whole cells shifts every
intermediate number by whole cells, and every division acts on differences only.
Compiled functions have no view of coverage tools; tests compare each with a
plain picture or with shapely.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from geosite.grid import SUBCELLS

S = SUBCELLS
FULL = 2 * S * S
"""Twice the area of a cell in square sub-cells: the share of a full cell."""

Cells = NDArray[Any]


@numba.njit(cache=True, nogil=True)
def _accumulate(edges: Cells, area: Cells) -> None:  # pragma: no cover - compiled
    rows, columns = area.shape
    for k in range(edges.shape[0]):
        x0, y0, x1, y1 = edges[k]
        if y0 == y1:
            continue
        sign = 1
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
            sign = -1
        first, last = max(y0 // S, 0), min((y1 - 1) // S, rows - 1)
        for r in range(first, last + 1):
            ya, yb = max(y0, r * S), min(y1, (r + 1) * S)
            xa = x0 + (x1 - x0) * (ya - y0) // (y1 - y0)
            xb = x0 + (x1 - x0) * (yb - y0) // (y1 - y0)
            _accumulate_row(area[r], columns, sign, xa, ya, xb, yb)


@numba.njit(cache=True, nogil=True)
def _accumulate_row(
    row: Cells, columns: int, sign: int, xa: int, ya: int, xb: int, yb: int
) -> None:  # pragma: no cover - compiled
    # One piece of an edge inside one row, from left to right; `row` holds
    # differences along x of twice the area right of the edges so far.
    if xa > xb:
        xa, ya, xb, yb = xb, yb, xa, ya
    first, last = xa // S, xb // S
    y, x = ya, xa
    for c in range(first, last + 1):
        if c == last:
            next_x, next_y = xb, yb
        else:
            next_x = (c + 1) * S
            next_y = ya + (yb - ya) * (next_x - xa) // (xb - xa)
        cover = abs(next_y - y) * sign
        whole = cover * 2 * S
        if c < 0:
            row[0] += whole
        elif c < columns:
            here = cover * (2 * (c + 1) * S - x - next_x)
            row[c] += here
            if c + 1 < columns:
                row[c + 1] += whole - here
        x, y = next_x, next_y


@numba.njit(cache=True, nogil=True)
def _running_sum(area: Cells) -> None:  # pragma: no cover - compiled
    for r in range(area.shape[0]):
        total = 0
        for c in range(area.shape[1]):
            total += area[r, c]
            area[r, c] = total


def filled(edges: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.int32]:
    """How much of each cell polygons fill: (rows, columns), out of `FULL`.

    Exact for the snapped vertices: signed areas are accumulated edge by edge,
    as font rasterisers do.

    Parameters
    ----------
    edges : (n, 4) int64
        x0, y0, x1, y1 [sub-cells]; rings wound so that inside is on one side.
    """
    area = np.zeros(shape, np.int32)
    _accumulate(edges, area)
    _running_sum(area)
    return np.abs(area)


@numba.njit(cache=True, nogil=True)
def _touch(edges: Cells, out: Cells) -> None:  # pragma: no cover - compiled
    rows, columns = out.shape
    for k in range(edges.shape[0]):
        x0, y0, x1, y1 = edges[k]
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        for r in range(max(y0 // S, 0), min(y1 // S, rows - 1) + 1):
            xa, xb = x0, x1
            if y0 != y1:
                xa = x0 + (x1 - x0) * (max(y0, r * S) - y0) // (y1 - y0)
                xb = x0 + (x1 - x0) * (min(y1, (r + 1) * S) - y0) // (y1 - y0)
            if xa > xb:
                xa, xb = xb, xa
            for c in range(max(xa // S, 0), min(xb // S, columns - 1) + 1):
                out[r, c] = 1


def touched(edges: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Cells that any line segment touches: (rows, columns), 0 or 1."""
    out = np.zeros(shape, np.uint8)
    _touch(edges, out)
    return out


@numba.njit(cache=True, nogil=True)
def _paint(
    edges: Cells, starts: Cells, values: Cells, boxes: Cells, out: Cells
) -> None:  # pragma: no cover - compiled
    rows, columns = out.shape
    half = S // 2
    for p in range(values.shape[0]):
        left, top, right, bottom = boxes[p]
        if right < 0 or bottom < 0 or left > columns * S or top > rows * S:
            continue
        found = 0
        for k in range(starts[p], starts[p + 1]):
            low, high = min(edges[k, 1], edges[k, 3]), max(edges[k, 1], edges[k, 3])
            first = max((low - half + S - 1) // S, 0)
            last = min((high - half + S - 1) // S, rows)
            found += max(last - first, 0)
        keys = np.empty(found, np.int64)
        n = 0
        for k in range(starts[p], starts[p + 1]):
            x0, y0, x1, y1 = edges[k]
            if y0 > y1:
                x0, y0, x1, y1 = x1, y1, x0, y0
            first = max((y0 - half + S - 1) // S, 0)
            last = min((y1 - half + S - 1) // S, rows)
            for r in range(first, last):
                x = x0 + (x1 - x0) * (r * S + half - y0) // (y1 - y0)
                c = min(max((x - half + S - 1) // S, 0), columns)
                keys[n] = r * (columns + 1) + c
                n += 1
        keys.sort()
        for i in range(0, n - 1, 2):
            r = keys[i] // (columns + 1)
            for c in range(keys[i] % (columns + 1), keys[i + 1] % (columns + 1)):
                if out[r, c] == 0:
                    out[r, c] = values[p]


def painted(
    edges: NDArray[np.int64],
    starts: NDArray[np.int64],
    values: NDArray[np.int32],
    boxes: NDArray[np.int64],
    shape: tuple[int, int],
) -> NDArray[np.int32]:
    """Value of the polygon over each cell's centre: (rows, columns), 0 where none is.

    Where snapped polygons overlap by a hair the first one keeps the cell.

    Parameters
    ----------
    edges : (n, 4) int64
        Segments of all rings [sub-cells], polygon by polygon.
    starts : (polygons + 1,) int64
        First segment of each polygon.
    values : (polygons,) int32
        Above zero.
    boxes : (polygons, 4) int64
        left, top, right, bottom [sub-cells].
    """
    out = np.zeros(shape, np.int32)
    _paint(edges, starts, values, boxes, out)
    return out


@numba.njit(cache=True, nogil=True)
def _root(parent: Cells, i: int) -> int:  # pragma: no cover - compiled
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@numba.njit(cache=True, nogil=True)
def _label(values: Cells, out: Cells) -> int:  # pragma: no cover - compiled
    rows, columns = values.shape
    parent = np.arange(rows * columns + 1, dtype=np.int32)
    count = 0
    for r in range(rows):
        for c in range(columns):
            v = values[r, c]
            if v == 0:
                continue
            up = out[r - 1, c] if r > 0 and values[r - 1, c] == v else 0
            left = out[r, c - 1] if c > 0 and values[r, c - 1] == v else 0
            if up == 0 and left == 0:
                count += 1
                out[r, c] = count
            elif up == 0 or left == 0:
                out[r, c] = up + left
            else:
                a, b = _root(parent, up), _root(parent, left)
                parent[max(a, b)] = min(a, b)
                out[r, c] = min(a, b)
    names = np.zeros(count + 1, np.int32)
    n = 0
    for i in range(1, count + 1):
        root = _root(parent, i)
        if root == i:
            n += 1
            names[i] = n
        else:
            names[i] = names[root]
    for r in range(rows):
        for c in range(columns):
            out[r, c] = names[out[r, c]]
    return n


def labelled(values: NDArray[np.int32]) -> tuple[NDArray[np.int32], int]:
    """Rook-contiguous cells of one value, numbered from 1 in reading order; 0 stays 0.

    Returns
    -------
    labels : (rows, columns) int32
    count : int
    """
    out = np.zeros(values.shape, np.int32)
    return out, _label(values, out)


@numba.njit(cache=True, nogil=True)
def steepness(
    z: NDArray[np.float32], corners: float, scale: float, out: NDArray[np.float32]
) -> None:  # pragma: no cover - compiled
    """Fill with the length of the gradient times a scale; `out` is a cell smaller on every side.

    Cells beside the centre weigh 2 and those at the corners `corners`. The centre has no
    weight, but ground that is not known there has no known slope.
    """
    for r in range(out.shape[0]):
        for c in range(out.shape[1]):
            n, s = np.float64(z[r, c + 1]), np.float64(z[r + 2, c + 1])
            w, e = np.float64(z[r + 1, c]), np.float64(z[r + 1, c + 2])
            nw, ne = np.float64(z[r, c]), np.float64(z[r, c + 2])
            sw, se = np.float64(z[r + 2, c]), np.float64(z[r + 2, c + 2])
            dx = corners * (ne + se) + 2.0 * e - (corners * (nw + sw) + 2.0 * w)
            dy = corners * (sw + se) + 2.0 * s - (corners * (nw + ne) + 2.0 * n)
            known = 0.0 * z[r + 1, c + 1]
            out[r, c] = np.sqrt(dx * dx + dy * dy) * scale + known


@numba.njit(cache=True, nogil=True)
def _mark(plane: Cells, bit: int, where: Cells, also: Cells) -> None:  # pragma: no cover - compiled
    one = plane.dtype.type(1) << plane.dtype.type(bit)
    rows, columns = where.shape
    for r in range(rows):
        for begin in range(0, columns, 64):
            end = min(begin + 64, columns)
            # Most features are small: stretches without any are passed over at once.
            some = False
            for c in range(begin, end):
                some |= where[r, c]
            if not some:
                continue
            for c in range(begin, end):
                if where[r, c]:
                    plane[r, c] |= one
            if also.shape[0]:
                for c in range(begin, end):
                    also[r, c] |= where[r, c]


def mark(plane: NDArray[Any], bit: int, where: NDArray[np.bool_], also: NDArray[np.bool_]) -> None:
    """Set a bit of a plane, and a second surface, where something is so; both in one pass.

    Parameters
    ----------
    plane : (rows, columns) unsigned
    where, also : (rows, columns) bool
        One without rows is none.
    """
    if where.size:
        _mark(plane, bit, where, also)


@numba.njit(cache=True, nogil=True)
def _places(marked: Cells, out: Cells) -> None:  # pragma: no cover - compiled
    k = 0
    for r in range(marked.shape[0]):
        for c in range(marked.shape[1]):
            if marked[r, c]:
                out[k, 0], out[k, 1] = r, c
                k += 1


def places(marked: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Rows and columns of the marked cells, in reading order: (cells, 2).

    As `numpy.argwhere`, in a quarter of its memory.
    """
    out = np.empty((np.count_nonzero(marked), 2), np.int32)
    _places(marked, out)
    return out
