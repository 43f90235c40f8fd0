"""Parts of features: single polygons, lines and points, and fewer of them where none is seen."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geosite.map.vector_tiles import LINE, POINT, POLYGON

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIXELS = 512
"""Side of a tile on the screen [CSS pixels]; zoom z of a tile is zoom z + 1 of the map."""
SMALLEST = 4.0
"""Area below which a polygon is not drawn by its outline [pixels²]."""
APART = 3.0
"""Points of one look nearer than this are drawn as one before the finest zoom [pixels]."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Single geometries of one kind, and the row of the frame that each is of."""

    shapes: NDArray[Any]
    rows: NDArray[np.intp]

    def where(self, kept: NDArray[Any]) -> Parts:
        """Some of the parts, by a mask or by their places."""
        return Parts(self.shapes[kept], self.rows[kept])


def kinds_of(shapes: NDArray[Any]) -> dict[int, Parts]:
    """Parts of geometries of any type, by kind; invalid polygons are mended, empty ones go."""
    rows = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    # What has no place cannot be mended either.
    rows = rows[np.isfinite(shapely.bounds(shapes[rows]).reshape(-1, 4)).all(axis=1)]
    shapes = shapely.force_2d(shapes[rows])
    wrong = ~shapely.is_valid(shapes)
    shapes[wrong] = shapely.make_valid(shapes[wrong])
    # Twice: a collection may hold collections of parts.
    for _ in range(2):
        shapes, of = shapely.get_parts(shapes, return_index=True)
        rows = rows[of]
    whole = ~shapely.is_empty(shapes)
    every = Parts(shapes, rows)
    dimension = shapely.get_dimensions(shapes)
    return {
        kind: every.where(whole & (dimension == size))
        for size, kind in ((2, POLYGON), (1, LINE), (0, POINT))
    }


def stood_in(parts: Parts, look: NDArray[np.intp]) -> Parts:
    """Polygons too small to be seen as squares that make up their area, where they lie.

    Parameters
    ----------
    parts : polygons in tiles
    look : (rows,) by which number the rows of the frame look the same
    """
    least = SMALLEST / PIXELS**2
    area = shapely.area(parts.shapes)
    small = np.flatnonzero(area < least)
    if not len(small):
        return parts
    centre = shapely.get_coordinates(shapely.centroid(parts.shapes[small]))
    looks = look[parts.rows[small]]
    # In strips a few pixels high, so that what is added up lies close together.
    strip = np.floor(centre[:, 1] * PIXELS / 8)
    order = np.lexsort((centre[:, 0], strip, looks))
    small, centre, looks = small[order], centre[order], looks[order]
    total = np.cumsum(area[small])
    begin = np.r_[0.0, total[:-1]][np.searchsorted(looks, looks)]
    within = (total - begin) / least
    # One that is alone counts from a half on.
    kept = np.floor(within + 0.5) > np.floor(within - area[small] / least + 0.5)
    half = sqrt(least) / 2
    x, y = centre[kept].T
    squares = shapely.box(x - half, y - half, x + half, y + half)
    large = parts.where(area >= least)
    return Parts(np.r_[large.shapes, squares], np.r_[large.rows, parts.rows[small[kept]]])


def apart(parts: Parts, look: NDArray[np.intp]) -> Parts:
    """Points without those that lie within a few pixels of one that looks the same."""
    xy = shapely.get_coordinates(parts.shapes)
    place = np.floor(xy * PIXELS / APART).astype(np.int64)
    keys = np.column_stack([look[parts.rows], place])
    return parts.where(np.sort(np.unique(keys, axis=0, return_index=True)[1]))
