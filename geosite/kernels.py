"""Loops over cells, compiled: exact in integers, so that no tiling can change them.

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
    _running_sum(out)
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
    marked: NDArray[np.bool_], at: NDArray[np.int64], radius_cells: float
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
    label: NDArray[np.int32], at: NDArray[np.int64], radius_cells: float
) -> NDArray[np.int64]:
    """Number of cells within a radius that carry the same label as some cells: (n,)."""
    out = np.empty(len(at), np.int64)
    _same_counts(label, at, disc_widths(radius_cells), out)
    return out


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


@numba.njit(cache=True, nogil=True)
def _root(parent: Cells, i: int) -> int:  # pragma: no cover - compiled
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@numba.njit(cache=True, nogil=True)
def _label(values: Cells, out: Cells) -> int:  # pragma: no cover - compiled
    rows, columns = values.shape
    parent = np.arange(rows * columns + 1)
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
    names = np.zeros(count + 1, np.int64)
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
