"""Pieces of sites beside pieces of features: which meet, by how much, and how far others are.

Every pair is looked up in a tree of the features' pieces, block of sites by block on threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.spatial import cKDTree

from geosite.cuts import Parts, mapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Geometries = NDArray[Any]
    Numbers = NDArray[np.float64]
    Places = NDArray[np.int64]

TOUCH_M = 1e-6
"""Nearer than this, outlines touch [m]: coordinates of a million metres are no finer."""
_BLOCK = 512
"""Pieces of sites that are laid against the features at once."""
_TOGETHER = 4096
"""Clips that are united at one go."""
_FIRST = 2
"""Pieces that a first guess at the nearest one is taken from."""


@dataclass(frozen=True, slots=True)
class Met:
    """What sites have in common with features.

    Attributes
    ----------
    site, feature : (pairs,)
        Places of those that overlap or touch, each pair once, in order.
    area, length : (sites,)
        Of the union of the polygons, and of the lines, inside each site [m², m].
    """

    site: Places
    feature: Places
    area: Numbers
    length: Numbers


class Features:
    """Pieces of features in a tree."""

    def __init__(self, pieces: Parts) -> None:
        self.pieces = pieces
        self.tree = shapely.STRtree(pieces.geometry)
        self.tree.query(shapely.box(0, 0, 1, 1))  # built now, and not by two threads at once

    def met(self, sites: Parts, count: int) -> Met:
        """What sites have in common with the features, of `count` sites."""
        found = self._each(sites, self._met)
        area, length = np.zeros(count), np.zeros(count)
        for block, _, areas, lengths in found:
            np.add.at(area, sites.owner[block], areas)
            np.add.at(length, sites.owner[block], lengths)
        site, feature, _ = firsts([pairs for _, pairs, _, _ in found])
        return Met(site, feature, area, length)

    def _met(self, sites: Parts, block: slice) -> tuple[slice, Pairs, Numbers, Numbers]:
        own = sites.geometry[block]
        near, piece = self._beside(own, TOUCH_M)
        meets = shapely.intersects(own[near], self.pieces.geometry[piece])
        touches = meets.copy()
        apart = ~meets
        touches[apart] = shapely.dwithin(
            own[near[apart]], self.pieces.geometry[piece[apart]], TOUCH_M
        )
        of = self.pieces.owner[piece]
        filled = meets & (sites.dimension[block][near] == 2)
        sizes = []
        for dimension, size in ((2, shapely.area), (1, shapely.length)):
            asked = filled & (self.pieces.dimension[piece] == dimension)
            clips = shapely.intersection(own[near[asked]], self.pieces.geometry[piece[asked]])
            sizes.append(_size(clips, near[asked], of[asked], own, size))
        at = sites.owner[block][near[touches]]
        return block, (at, of[touches], np.zeros(len(at))), sizes[0], sizes[1]

    def within(self, sites: Parts, reach: float) -> tuple[Places, Places]:
        """Pairs of pieces, of sites and of features, that are so near, in the order of the sites.

        Parameters
        ----------
        reach : float
            In the plane [m].
        """

        def near(sites: Parts, block: slice) -> tuple[Places, Places]:
            own = sites.geometry[block]
            at, piece = self._beside(own, reach)
            there = shapely.dwithin(own[at], self.pieces.geometry[piece], reach)
            return at[there] + block.start, piece[there]

        found = self._each(sites, near)
        none = np.empty(0, np.int64)
        return (
            np.concatenate([none, *(site for site, _ in found)]),
            np.concatenate([none, *(piece for _, piece in found)]),
        )

    def nearest(self, sites: Parts) -> tuple[Places, Places]:
        """Pairs of pieces, of each site and of the feature nearest to it in the plane.

        Of several that are equally near, the first feature.
        """
        if not len(sites) or not len(self.pieces):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        # A corner of each piece gives a first guess, and with it a bound on the distance.
        _, start = np.unique(
            shapely.get_coordinates(self.pieces.geometry, return_index=True)[1], return_index=True
        )
        corners = shapely.get_coordinates(self.pieces.geometry)[start]
        guesses = cKDTree(corners)
        boxes = shapely.bounds(self.pieces.geometry)

        def near(sites: Parts, block: slice) -> tuple[Places, Places, Numbers]:
            own = sites.geometry[block]
            middle = shapely.get_coordinates(shapely.centroid(own))
            _, guess = guesses.query(middle, k=min(_FIRST, len(corners)))
            guess = guess.reshape(len(own), -1)
            bound = shapely.distance(own[:, None], self.pieces.geometry[guess]).min(axis=1)
            at, piece = self._beside(own, bound)
            gap = _gaps(shapely.bounds(own)[at], boxes[piece])
            some = gap <= bound[at]
            at, piece = at[some], piece[some]
            far = shapely.distance(own[at], self.pieces.geometry[piece])
            return at + block.start, piece, far

        found = self._each(sites, near)
        at, piece, far = (np.concatenate(each) for each in zip(*found, strict=True))
        order = np.lexsort((piece, self.pieces.owner[piece], far, sites.owner[at]))
        at, piece = at[order], piece[order]
        _, first = np.unique(sites.owner[at], return_index=True)
        return at[first], piece[first]

    def _beside(self, own: Geometries, reach: float | Numbers) -> tuple[Places, Places]:
        # Pairs whose boxes are so near, in the order of the sites.
        left, bottom, right, top = shapely.bounds(own).T
        boxes = shapely.box(left - reach, bottom - reach, right + reach, top + reach)
        near, piece = self.tree.query(boxes)
        order = np.lexsort((piece, near))
        return near[order], piece[order]

    def _each(self, sites: Parts, function: Callable[[Parts, slice], Any]) -> list[Any]:
        # Prepared copies: what threads share, or others hold, must not be.
        own = Parts(shapely.get_parts(sites.geometry), sites.owner, sites.dimension)
        shapely.prepare(own.geometry)

        def asked(block: slice) -> Any:
            return function(own, block)

        n = len(sites)
        return mapped(asked, [slice(k, min(k + _BLOCK, n)) for k in range(0, n, _BLOCK)])


Pairs = tuple["Places", "Places", "Numbers"]


def firsts(found: list[Pairs]) -> Pairs:
    """Pairs of site and feature, each once, in order, with the least of their numbers."""
    none = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    site, feature, number = (np.concatenate(each) for each in zip(none, *found, strict=True))
    order = np.lexsort((number, feature, site))
    site, feature, number = site[order], feature[order], number[order]
    first = np.ones(len(site), bool)
    first[1:] = (site[1:] != site[:-1]) | (feature[1:] != feature[:-1])
    return site[first], feature[first], number[first]


def _gaps(one: Numbers, other: Numbers) -> Numbers:
    # Distances between boxes, a little too small: a bound must not lose the nearest by rounding.
    across = np.maximum(one[:, 0] - other[:, 2], other[:, 0] - one[:, 2])
    down = np.maximum(one[:, 1] - other[:, 3], other[:, 1] - one[:, 3])
    return np.hypot(np.maximum(across, 0), np.maximum(down, 0)) * (1 - 1e-9)


def _size(clips: Geometries, group: Places, owner: Places, own: Geometries, size: Any) -> Numbers:
    # Size of the union of the clips of each group; those of one feature share no inside.
    sizes = size(clips)
    some = sizes > 0
    clips, group, owner, sizes = clips[some], group[some], owner[some], sizes[some]
    found = np.bincount(group, sizes, len(own)).astype(np.float64)
    first = np.full(len(own), -1)
    first[group[::-1]] = owner[::-1]
    mixed = np.zeros(len(own), bool)
    mixed[group[owner != first[group]]] = True
    if size is shapely.area:
        most = shapely.area(own)
        largest = np.zeros(len(own))
        np.maximum.at(largest, group, sizes)
        full = largest >= most * (1 - 1e-12)
        found[full] = most[full]
        mixed &= ~full
    asked = mixed[group]
    if asked.any():
        at, unions = united(clips[asked], group[asked])
        found[at] = size(unions)
    return np.minimum(found, most) if size is shapely.area else found


def united(clips: Geometries, group: Places) -> tuple[Places, Geometries]:
    """Groups, ascending, and the union of the geometries of each."""
    order = np.argsort(group, kind="stable")
    at, start, number = np.unique(group[order], return_index=True, return_counts=True)
    out = np.empty(len(at), object)
    # Groups of like size stand in the rows of one table, and are united at one go.
    rank = np.ceil(np.log2(number)).astype(int)
    for power in np.unique(rank):
        rows = np.flatnonzero(rank == power)
        for few in np.array_split(rows, len(rows) * 2**power // _TOGETHER + 1):
            line = np.repeat(np.arange(len(few)), number[few])
            column = np.arange(len(line)) - np.repeat(
                np.cumsum(number[few]) - number[few], number[few]
            )
            table = np.full((len(few), 2**power), None, object)
            table[line, column] = clips[order[start[few][line] + column]]
            out[few] = shapely.union_all(table, axis=1)
    return at, out
