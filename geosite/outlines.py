"""Outlines of sites: from cells of the store to polygons, whatever the tiling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from affine import Affine
from rasterio.features import shapes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from geosite.grid import Grid


def cell_polygons(sites: NDArray[np.int32], window: Grid) -> list[tuple[int, shapely.Geometry]]:
    """Polygons of the numbered cells of one window, in whole cells from the grid's origin.

    Parameters
    ----------
    sites : (y, x) int32
        Site number from 1; 0 is none.
    """
    if not sites.any():
        return []
    place = Affine.translation(window.column, window.row)
    found = shapes(sites, mask=sites > 0, connectivity=4, transform=place)
    return [(int(value), shapely.geometry.shape(polygon)) for polygon, value in found]


def numbered_sites(
    piece: NDArray[np.int64],
    parcel: NDArray[np.int64],
    lattice: NDArray[np.int64],
    site_of: Mapping[tuple[int, int, int], int],
) -> NDArray[np.int32]:
    """Site number of each cell of a window: (y, x), 0 where there is none.

    Parameters
    ----------
    piece, parcel, lattice : (y, x)
        The keys of the piece that a cell belongs to; piece 0 is none.
    site_of : mapping of (piece, parcel, lattice) to site number
    """
    out = np.zeros(piece.shape, np.int32)
    at = piece > 0
    keys, index = np.unique(
        np.stack([piece[at], parcel[at], lattice[at]]), axis=1, return_inverse=True
    )
    if keys.size:
        numbers = [site_of.get((p, q, r), 0) for p, q, r in keys.T.tolist()]
        out[at] = np.array(numbers, np.int32)[index.ravel()]
    return out


def site_outlines(
    pieces: Iterable[tuple[int, shapely.Geometry]], count: int, grid: Grid
) -> NDArray[np.object_]:
    """Outline of each site in the grid's CRS: (count,) polygons or multipolygons.

    The parts that tiles made are united; vertices in the middle of a straight
    edge, which only a tile's border can leave, are dropped and rings are put in
    a normal order, so that the same cells give the same bytes.
    """
    parts: list[list[shapely.Geometry]] = [[] for _ in range(count)]
    for site, polygon in pieces:
        parts[site - 1].append(polygon)
    out = np.empty(count, object)
    for k, found in enumerate(parts):
        whole = shapely.normalize(shapely.simplify(shapely.union_all(found), 0))
        out[k] = shapely.transform(
            whole, lambda xy: xy * [grid.resolution, -grid.resolution] + grid.origin
        )
    return np.asarray(shapely.normalize(out), object)
