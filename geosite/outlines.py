"""Outlines of sites: from cells of the store to polygons, whatever the tiling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    rows, columns = np.flatnonzero(sites.any(axis=1)), np.flatnonzero(sites.any(axis=0))
    if not len(rows):
        return []
    part = sites[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    place = Affine.translation(window.column + int(columns[0]), window.row + int(rows[0]))
    found = shapes(np.ascontiguousarray(part), mask=part > 0, connectivity=4, transform=place)
    drawn = [(int(value), polygon["coordinates"]) for polygon, value in found]
    # All rings in one call: a geometry made from its mapping visits every vertex in Python.
    rings = [np.array(ring) for _, rings in drawn for ring in rings]
    owner = np.repeat(np.arange(len(drawn)), [len(rings) for _, rings in drawn])
    lines: Any = shapely.linearrings(
        np.concatenate(rings), indices=np.repeat(np.arange(len(rings)), [len(r) for r in rings])
    )
    polygons: Any = shapely.polygons(lines, indices=owner)
    return [(site, polygon) for (site, _), polygon in zip(drawn, polygons, strict=True)]


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
    # Neighbouring cells are mostly alike: a number is looked up once for each run of them.
    flat = [k.ravel() for k in (piece, parcel, lattice)]
    head = np.ones(piece.size, bool)
    head[1:] = flat[0][1:] != flat[0][:-1]
    for k in flat[1:]:
        head[1:] |= k[1:] != k[:-1]
    starts = np.flatnonzero(head)
    keys = zip(*(k[starts].tolist() for k in flat), strict=True)
    numbers = np.array([site_of.get(key, 0) if key[0] else 0 for key in keys], np.int32)
    return np.repeat(numbers, np.diff([*starts, piece.size])).reshape(piece.shape)


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
