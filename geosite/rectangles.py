"""A rectangle on eligible cells, at any rotation: where it fits best, and its strips."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import ceil, cos, floor, radians, sin
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import shapely
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Cells = NDArray[Any]
_STEPS = 1_000_000
"""Suitability is summed in whole millionths, so that no order changes a sum."""
_HAIR = 1e-9
"""What a rectangle may reach into a cell without touching it [cells]: rounding."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Where a rectangle fits, or where most of it would.

    Attributes
    ----------
    fits : bool
    share : float
        Of its area that lies on eligible land, 0 to 1; 1 where it fits.
    mean : float
        Mean suitability of the cells that it touches, of those without any 0.
    bearing : float
        Of its long side, from its middle to the end of its first part [degrees clockwise
        from the grid's north].
    centre : (row, column)
        In cells from the top-left corner of the window; half cells.
    """

    fits: bool
    share: float
    mean: float
    bearing: float
    centre: tuple[float, float]


def bearings(step: float) -> tuple[float, ...]:
    """Rotations that are tried [degrees], each below 180: a rectangle has no front.

    Every multiple of the step, and each turned by a quarter, so that length and width
    change places.

    Examples
    --------
    >>> bearings(60)
    (0.0, 30.0, 60.0, 90.0, 120.0, 150.0)
    """
    turns = [float(k * step) for k in range(ceil(180 / step))]
    return tuple(sorted({round(t % 180, 9) for b in turns for t in (b, b + 90)}))


def best_fit(
    eligible: NDArray[np.bool_],
    inside: NDArray[np.bool_],
    suitability: NDArray[np.float32],
    sides: tuple[float, float],
    *,
    rotation: float,
) -> Fit | None:
    """Where a rectangle fits best; where it fits nowhere, where most of it would; None: no site.

    Parameters
    ----------
    eligible : (rows, columns) bool
        Land that may lie under it. Nothing beyond the window may.
    inside : (rows, columns) bool
        Cells of the site: the middle of the rectangle lies on one of them, so that what is
        built belongs to the site, and may reach beyond it.
    suitability : (rows, columns)
        NaN where there is none.
    sides : (length, width)
        [cells]
    rotation : float
        Step between the rotations that are tried [degrees].

    Notes
    -----
    The middle is tried at the centre, the right and lower edge and the lower right corner
    of every cell of the site, at each of `bearings`. The rectangle fits where every cell
    that its inside touches is eligible, so no point of it lies on other land. A "no" is no
    proof: between the places and rotations that are tried, half a cell and one step apart,
    it might fit. Of all fits the one with the largest mean suitability is taken, of equals
    the smallest rotation, then the first in reading order. Which end is the first part's
    changes nothing of that: it is the half on better ground.

    Examples
    --------
    >>> land = np.ones((4, 6), bool)
    >>> fit = best_fit(land, land, np.zeros((4, 6), np.float32), (6.0, 4.0), rotation=45)
    >>> fit.fits, fit.bearing % 180, fit.centre
    (True, 90.0, (2.0, 3.0))
    """
    places = np.argwhere(inside)
    if not len(places):
        return None
    spans = _spans(sides, rotation)
    worth = np.rint(np.nan_to_num(suitability).astype(np.float64) * _STEPS).astype(np.int64)
    bad, value = _along_rows(~eligible), _along_rows(worth)
    k, site, mean, wrong = _best_place(places, bad, value, spans.starts, spans.rows, spans.touched)
    cells = _touched(spans, k) + places[site]
    centre = tuple((places[site] + 0.5 + np.array(spans.offsets[k]) / 2).tolist())
    bearing = spans.bearings[k]
    if wrong:
        ring = shapely.Polygon(_corners(sides, bearing, centre))
        share = _share(eligible, cells, ring)
        return Fit(fits=False, share=share, mean=mean, bearing=bearing, centre=centre)
    # Rows count southwards.
    north, east = cos(radians(bearing)), sin(radians(bearing))
    ahead = (cells + 0.5 - np.array(centre)) @ np.array([-north, east])
    ground = worth[tuple(cells.T)]
    behind = ground[ahead < -_HAIR].sum() > ground[ahead > _HAIR].sum()
    bearing += 180.0 * bool(behind)
    return Fit(fits=True, share=1.0, mean=mean, bearing=bearing, centre=centre)


def _share(eligible: Cells, cells: Cells, ring: shapely.Polygon) -> float:
    # How much of a polygon lies on eligible cells.
    within = ((cells >= 0) & (cells < eligible.shape)).all(axis=1)
    kept = cells[within][eligible[tuple(cells[within].T)]]
    boxes = shapely.box(kept[:, 1], kept[:, 0], kept[:, 1] + 1, kept[:, 0] + 1)
    return float(shapely.area(shapely.intersection(ring, boxes)).sum() / ring.area)


@numba.njit(cache=True, nogil=True)
def _best_place(
    places: Cells, bad: Cells, value: Cells, starts: Cells, rows: Cells, touched: Cells
) -> tuple[int, int, float, int]:  # pragma: no cover - compiled
    # Way, place, mean value and number of bad cells of the best rectangle.
    height, width = bad.shape[0], bad.shape[1] - 1
    way, at, mean, least = -1, -1, -1.0, 2.0
    wrong = -1
    for k in range(touched.shape[0]):
        for p in range(places.shape[0]):
            lost, total = 0, 0
            for j in range(starts[k], starts[k + 1]):
                r = places[p, 0] + rows[j, 0]
                a, b = places[p, 1] + rows[j, 1], places[p, 1] + rows[j, 2]
                if r < 0 or r >= height:
                    lost += b - a
                else:
                    first, last = min(max(a, 0), width), min(max(b, 0), width)
                    lost += (b - a) - (last - first) + bad[r, last] - bad[r, first]
                    total += value[r, last] - value[r, first]
                if lost > least * touched[k]:
                    break
            share = lost / touched[k]
            worth = total / touched[k] / _STEPS
            if share < least or (share == least and worth > mean):
                way, at, mean, least, wrong = k, p, worth, share, lost
    return way, at, mean, wrong


def _along_rows(values: Cells) -> NDArray[np.int64]:
    # Sums from the left edge on, so that a stretch of a row is one difference.
    out = np.zeros((values.shape[0], values.shape[1] + 1), np.int64)
    np.cumsum(values, axis=1, out=out[:, 1:])
    return out


@dataclass(frozen=True, slots=True)
class _Spans:
    """Cells that a rectangle touches, row by row, for each way that it may lie."""

    bearings: tuple[float, ...]
    """Of each way."""
    offsets: tuple[tuple[int, int], ...]
    """Of its middle from the centre of a cell, down and to the right [half cells]."""
    starts: NDArray[np.int64]
    """First row of each way in `rows`, and their number."""
    rows: NDArray[np.int64]
    """(n, 3): row, first column, last column + 1, from the cell."""
    touched: NDArray[np.int64]
    """Number of cells of each way."""


@lru_cache(maxsize=8)
def _spans(sides: tuple[float, float], rotation: float) -> _Spans:
    ways = [(b, (down, right)) for b in bearings(rotation) for down in (0, 1) for right in (0, 1)]
    found = [_rows_touched(sides, b, half) for b, half in ways]
    starts = np.cumsum([0, *(len(f) for f in found)])
    touched = np.array([(f[:, 2] - f[:, 1]).sum() for f in found], np.int64)
    return _Spans(
        tuple(b for b, _ in ways),
        tuple(half for _, half in ways),
        starts.astype(np.int64),
        np.concatenate(found).astype(np.int64),
        touched,
    )


def _corners(
    sides: tuple[float, float], bearing: float, centre: tuple[float, float]
) -> NDArray[np.float64]:
    # x to the right, y down, in cells.
    s, c = sin(radians(bearing)), cos(radians(bearing))
    along = np.array([s, -c]) * sides[0] / 2
    across = np.array([c, s]) * sides[1] / 2
    middle = np.array([centre[1], centre[0]])
    ring = [along + across, along - across, -along - across, across - along]
    return np.array([middle + corner for corner in ring])


def _rows_touched(
    sides: tuple[float, float], bearing: float, half: tuple[int, int]
) -> NDArray[np.int64]:
    corners = _corners(sides, bearing, (0.5 + half[0] / 2, 0.5 + half[1] / 2))
    ends = np.roll(corners, -1, axis=0)
    low, high = corners[:, 1].min() + _HAIR, corners[:, 1].max() - _HAIR
    rows = []
    for row in range(floor(low), ceil(high)):
        top, bottom = max(row, low), min(row + 1, high)
        x = [corner[0] for corner in corners if top <= corner[1] <= bottom]
        x += [
            a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1])
            for a, b in zip(corners, ends, strict=True)
            for y in (top, bottom)
            if min(a[1], b[1]) <= y <= max(a[1], b[1]) and a[1] != b[1]
        ]
        rows.append((row, floor(min(x) + _HAIR), ceil(max(x) - _HAIR)))
    return np.array(rows, np.int64)


def _touched(spans: _Spans, way: int) -> NDArray[np.int64]:
    # Rows and columns of the cells, from the one that its middle lies on.
    some = spans.rows[spans.starts[way] : spans.starts[way + 1]]
    cells = [np.stack([np.full(b - a, r), np.arange(a, b)], axis=1) for r, a, b in some.tolist()]
    return np.concatenate(cells)


def strips(
    xy: tuple[float, float], sides: tuple[float, float], bearing: float, areas: Sequence[float]
) -> Cells:
    """Parts of a rectangle, one behind another along its length: (parts,) polygons.

    Parameters
    ----------
    xy : (x, y)
        Of its middle [m].
    sides : (length, width)
        [m]
    bearing : float
        From its middle to the end of the first part [degrees clockwise from north].
    areas : sequence
        Of the parts, in any unit; together they fill the rectangle.

    Examples
    --------
    >>> pit, mill = strips((0.0, 0.0), (40.0, 10.0), 90.0, (3.0, 1.0))
    >>> [round(float(b)) for b in (*pit.bounds, *mill.bounds)]
    [-10, -5, 20, 5, -20, -5, -10, 5]
    """
    s, c = sin(radians(bearing)), cos(radians(bearing))
    along, across = np.array([s, c]), np.array([c, -s]) * sides[1] / 2
    cuts = sides[0] * (0.5 - np.concatenate([[0.0], np.cumsum(areas)]) / sum(areas))
    edges = [np.array(xy) + along * cut for cut in cuts]
    rings = [[a + across, a - across, b - across, b + across] for a, b in pairwise(edges)]
    return np.asarray(shapely.polygons(rings), object)
