"""Features of a layer as segments in whole sub-cells of a grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely

from geosite.grid import SUBCELLS, Grid

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

Kind = Literal["point", "line", "polygon"]
_BAND = 256 * SUBCELLS
"""Height of the bands by which segments are looked up [sub-cells]."""


@dataclass(frozen=True)
class Shapes:
    """Features of one kind in whole sub-cells of a grid, counted from its origin.

    Attributes
    ----------
    kind
        Decides the rasterisation rule.
    edges : (n, 4) int64
        Segments x0, y0, x1, y1; for points x, y, x, y. Rows grow southwards.
    starts : (features + 1,) int64
        First segment of each feature.
    thin : (m, 4) int64
        Segments of the polygons that are thinner than a cell: twice the area over
        the perimeter is less than the resolution.
    """

    kind: Kind
    edges: NDArray[np.int64]
    starts: NDArray[np.int64]
    thin: NDArray[np.int64]

    @classmethod
    def of(cls, frame: gpd.GeoDataFrame, grid: Grid, kind: Kind, *, merge: bool = True) -> Shapes:
        """Shapes of features that are in the grid's CRS already.

        Parameters
        ----------
        merge : bool
            Polygons are united first, so that land under two features is counted
            once; without it each feature keeps its own segments, for `category`.
        """
        geometry = frame.geometry.to_numpy()
        thin = _thin(geometry, grid) if kind == "polygon" else np.empty((0, 4), np.int64)
        if kind == "polygon" and merge and len(geometry):
            geometry = np.array([shapely.disjoint_subset_union_all(geometry)])
        parts, owner = shapely.get_parts(geometry, return_index=True)
        if kind == "polygon":
            # A union of lines and areas may hold both; only areas fill a cell.
            area = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
            parts, owner = shapely.orient_polygons(parts[area]), owner[area]
        if kind == "point":
            snapped = grid.subcells(shapely.get_coordinates(parts))
            edges, of = np.c_[snapped, snapped], owner
        else:
            rings, ring_of = _rings(parts) if kind == "polygon" else (parts, np.arange(len(parts)))
            edges, ring = _segments(rings, grid)
            of = owner[ring_of[ring]]
        starts = np.searchsorted(of, np.arange(len(geometry) + 1)).astype(np.int64)
        return cls(kind, np.ascontiguousarray(edges, np.int64), starts, thin)

    @cached_property
    def thin_lines(self) -> Shapes:
        """The thin polygons' segments as lines."""
        return Shapes("line", self.thin, np.array([0, len(self.thin)]), self.thin[:0])

    @cached_property
    def boxes(self) -> NDArray[np.int64]:
        """Bounding box of each feature: (features, 4) left, top, right, bottom."""
        n = len(self.starts) - 1
        out = np.zeros((n, 4), np.int64)
        out[:, :2] = np.iinfo(np.int64).max // 4
        filled = np.diff(self.starts) > 0
        if filled.any():
            at = self.starts[:-1][filled]
            low = np.minimum(self.edges[:, :2], self.edges[:, 2:])
            high = np.maximum(self.edges[:, :2], self.edges[:, 2:])
            out[filled, :2] = np.minimum.reduceat(low, at)
            out[filled, 2:] = np.maximum.reduceat(high, at)
        return out

    @cached_property
    def _bands(self) -> _Bands:
        return _Bands.of(self.edges)

    def segments(self, window: Grid) -> NDArray[np.int64]:
        """Segments that matter to a window, counted from its top-left corner.

        Of polygons, those left of the window matter too: they decide what is inside.
        """
        rows, columns = window.shape
        left, top = window.column * SUBCELLS, window.row * SUBCELLS
        right, bottom = left + columns * SUBCELLS, top + rows * SUBCELLS
        e = self.edges[self._bands.meeting(top, bottom)]
        near = (
            (np.minimum(e[:, 0], e[:, 2]) <= right)
            & (np.minimum(e[:, 1], e[:, 3]) <= bottom)
            & (np.maximum(e[:, 1], e[:, 3]) >= top)
        )
        if self.kind != "polygon":
            near &= np.maximum(e[:, 0], e[:, 2]) >= left
        moved: NDArray[np.int64] = e[near] - np.array([left, top, left, top])
        return moved


@dataclass(frozen=True, slots=True)
class _Bands:
    """Segments by bands of rows, so that a window need not look at those of a whole nation.

    Each segment begins in one band, and is listed again in every later band that it
    reaches: a window takes what begins in its bands, and what reaches its first one.
    """

    first: int
    begins: NDArray[np.int64]
    begins_at: NDArray[np.int64]
    reaches: NDArray[np.int64]
    reaches_at: NDArray[np.int64]

    @classmethod
    def of(cls, edges: NDArray[np.int64]) -> _Bands:
        low = np.minimum(edges[:, 1], edges[:, 3]) // _BAND
        high = np.maximum(edges[:, 1], edges[:, 3]) // _BAND
        first = int(low.min()) if len(low) else 0
        count = int(high.max()) - first + 1 if len(high) else 0
        begins = np.argsort(low, kind="stable")
        more = np.flatnonzero(high > low)
        times = (high - low)[more]
        segment = np.repeat(more, times)
        later = (
            low[segment] + 1 + np.arange(len(segment)) - np.repeat(times.cumsum() - times, times)
        )
        reaches = segment[np.argsort(later, kind="stable")]
        at = np.arange(first, first + count + 1)
        return cls(
            first,
            begins,
            np.searchsorted(low[begins], at),
            reaches,
            np.searchsorted(np.sort(later), at),
        )

    def meeting(self, top: int, bottom: int) -> NDArray[np.int64]:
        """Numbers of the segments in the bands between two heights [sub-cells], each once."""
        count = len(self.begins_at) - 1
        b0 = max(top // _BAND - self.first, 0)
        b1 = min(bottom // _BAND - self.first + 1, count)
        if b0 >= b1:
            return self.begins[:0]
        return np.concatenate(
            [
                self.begins[self.begins_at[b0] : self.begins_at[b1]],
                self.reaches[self.reaches_at[b0] : self.reaches_at[b0 + 1]],
            ]
        )


def _segments(rings: NDArray[Any], grid: Grid) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # Segments of rings or lines, and which of them each belongs to.
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    snapped = grid.subcells(xy)
    same = ring[1:] == ring[:-1]
    return np.c_[snapped[:-1][same], snapped[1:][same]], ring[:-1][same]


def _thin(geometry: NDArray[Any], grid: Grid) -> NDArray[np.int64]:
    # Before features are united, so that a neighbour never makes one vanish.
    parts = shapely.get_parts(geometry)
    width = 2 * shapely.area(parts) / np.maximum(shapely.length(parts), 1e-9)
    polygon = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    rings, _ = _rings(parts[polygon & (width < grid.resolution)])
    return np.ascontiguousarray(_segments(rings, grid)[0], np.int64)


def _rings(polygons: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    return shapely.get_rings(polygons, return_index=True)
