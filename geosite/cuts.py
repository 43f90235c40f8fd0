"""Geometries cut into small parts, so that what is small meets only what is near it.

A national polygon may have 50,000 corners, of which a site meets three. It is cut once
into pieces of few corners, and each site is laid against the pieces within its reach.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Geometries = NDArray[Any]

T = TypeVar("T")
CORNERS = 1024
"""Corners above which a part is cut in two."""
_DEPTH = 40
"""A part is halved so many times at most: corners that lie on one spot cannot be parted."""
_THREADS = min(4, os.cpu_count() or 1)
_ASIDE = 0.4877
"""Where a part is cut: beside the middle, on which corners of regular outlines lie."""
_LOST = 1e-12
"""Share of its area that a part may lose where it is cut, by rounding."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Pieces of geometries: n single points, lines or polygons without a shared inside.

    Attributes
    ----------
    geometry : (n,)
    owner : (n,) int64
        Place, among the geometries, of the one that the piece is of; ascending.
    dimension : (n,) int8
        0 for a point, 1 for a line, 2 for a polygon.
    """

    geometry: Geometries
    owner: NDArray[np.int64]
    dimension: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.geometry)

    def of(self, dimension: int) -> Parts:
        """The points, the lines or the polygons alone."""
        return self.at(np.flatnonzero(self.dimension == dimension))

    def at(self, places: NDArray[np.intp]) -> Parts:
        """Some of the pieces."""
        return Parts(self.geometry[places], self.owner[places], self.dimension[places])


def valid(geometries: Geometries) -> Geometries:
    """The same geometries, those repaired that are not valid; None where there is nothing.

    Notes
    -----
    What a polygon's ring encloses stays in the polygon, even where the ring crosses itself
    and encloses it twice.
    """
    out = np.array(geometries, object)
    out[shapely.is_empty(out)] = None
    wrong = ~(shapely.is_valid(out) | shapely.is_missing(out))
    if wrong.any():
        repaired = shapely.make_valid(out[wrong], method="structure", keep_collapsed=False)
        repaired[shapely.is_empty(repaired)] = None
        out[wrong] = repaired
    return out


def parts(geometries: Geometries, *, corners: int = CORNERS) -> Parts:
    """Pieces of valid geometries, none with many corners.

    Parameters
    ----------
    geometries : (n,) of geometry or None
    corners : int
        Parts with more corners are cut along the grid's axes; a cut adds no land and loses
        none, but for the rounding of the corners that it makes.
    """
    whole, owner = _exploded(geometries, np.arange(len(geometries)))
    done: list[tuple[Geometries, NDArray[np.int64]]] = []
    for _ in range(_DEPTH):
        large = shapely.get_num_coordinates(whole) > corners
        done.append((whole[~large], owner[~large]))
        whole, owner = whole[large], owner[large]
        if not len(whole):
            break
        whole, owner = _halved(whole, owner)
    done.append((whole, owner))
    pieces = np.concatenate([piece for piece, _ in done])
    of = np.concatenate([each for _, each in done])
    order = np.argsort(of, kind="stable")
    pieces, of = pieces[order], of[order]
    return Parts(pieces, of, shapely.get_dimensions(pieces).astype(np.int8))


def _exploded(
    geometries: Geometries, owner: NDArray[np.int64]
) -> tuple[Geometries, NDArray[np.int64]]:
    single, of = geometries, np.arange(len(geometries))
    # A collection may hold multi-geometries: twice.
    for _ in range(2):
        several = shapely.get_type_id(single) > shapely.GeometryType.POLYGON
        split, again = shapely.get_parts(single[several], return_index=True)
        single = np.concatenate([single[~several], split])
        of = np.concatenate([of[~several], of[several][again]])
    there = ~(shapely.is_missing(single) | shapely.is_empty(single))
    return single[there], np.asarray(owner, np.int64)[of[there]]


def _halved(whole: Geometries, owner: NDArray[np.int64]) -> tuple[Geometries, NDArray[np.int64]]:
    left, bottom, right, top = shapely.bounds(whole).T
    wide = right - left >= top - bottom
    x = np.where(wide, left + _ASIDE * (right - left), right)
    y = np.where(wide, top, bottom + _ASIDE * (top - bottom))
    # Boxes reach beyond the outline elsewhere: nothing but the cut itself may cut.
    dx, dy = right - left + 1, top - bottom + 1
    low = np.c_[left - dx, bottom - dy, np.where(wide, x, x + dx), np.where(wide, y + dy, y)]
    high = np.c_[np.where(wide, x, left - dx), np.where(wide, bottom - dy, y), right + dx, top + dy]
    cut = np.array(mapped(_cut, list(zip(whole, low, high, strict=True))), object).reshape(-1)
    single, of = _exploded(cut, np.arange(len(cut)))
    kept = shapely.get_dimensions(single) == shapely.get_dimensions(whole)[of // 2]
    return single[kept], owner[of[kept] // 2]


def _cut(given: tuple[BaseGeometry, NDArray[np.float64], NDArray[np.float64]]) -> list[Any]:
    # Clipping takes a quarter of the time of an intersection, but may fail where corners
    # lie on the cut: then the halves are not valid, or do not add up.
    whole, *boxes = given
    halves = [shapely.clip_by_rect(whole, *box) for box in boxes]
    if shapely.get_dimensions(whole) == 2:
        lost = shapely.area(whole) - sum(shapely.area(half) for half in halves)
        if abs(lost) > _LOST * shapely.area(whole) or not shapely.is_valid(halves).all():
            return [shapely.intersection(whole, shapely.box(*box)) for box in boxes]
    return halves


def mapped(function: Callable[[Any], T], given: Sequence[Any]) -> list[T]:
    """What a function gives for each, in their order, worked out on threads.

    Notes
    -----
    GEOS writes beside a prepared geometry what it looks up while it answers: no geometry
    may be prepared that two of the calls ask about.
    """
    if len(given) < 2 or _THREADS < 2:
        return [function(each) for each in given]
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(function, given))
