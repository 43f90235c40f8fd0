"""Cuts features into the tiles of a zoom."""

from __future__ import annotations

from math import inf, pi
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geosite.crs import WEB_MERCATOR, transformed
from geosite.map.parts import Parts
from geosite.map.vector_tiles import EXTENT

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

BUFFER = 64 / EXTENT
"""Margin beyond a tile's edge that its features are cut at [tiles]: strokes end unseen there."""
WORLD = 2 * pi * 6_378_137.0
"""Width of Web Mercator [m]."""


def unrolled(shapes: NDArray[Any], crs: CRS, zoom: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Geometries in tiles of a zoom, x to the right and y down, and which could be taken there.

    What crosses the antimeridian goes on to the east, beyond the last tile of the world.
    """
    xy, of = shapely.get_coordinates(shapes, return_index=True)
    x, y = transformed(xy[:, 0], xy[:, 1], crs, WEB_MERCATOR)
    across, down = x / WORLD + 0.5, 0.5 - y / WORLD
    n = len(shapes)
    bad = np.zeros(n, bool)
    np.logical_or.at(bad, of, ~(np.isfinite(across) & np.isfinite(down)))
    low, high = np.full(n, inf), np.full(n, -inf)
    np.minimum.at(low, of, across)
    np.maximum.at(high, of, across)
    with np.errstate(invalid="ignore"):
        rolled = (high - low > 0.5)[of] & (across < 0.5)
    across = np.where(rolled, across + 1, across)
    placed = np.nan_to_num(np.column_stack([across, down]), posinf=0, neginf=0) * (1 << zoom)
    return shapely.set_coordinates(shapes.copy(), placed), ~bad


def cut(parts: Parts, zoom: int) -> tuple[Parts, NDArray[np.int64], NDArray[np.int64]]:
    """Parts cut at the margins of the tiles they lie in, and the tile (x, y) of each piece.

    Parameters
    ----------
    parts : in tiles of the zoom

    Notes
    -----
    The world is halved again and again, so that a large outline is not cut anew for each of
    its tiles.
    """
    side = 1 << zoom
    found: list[tuple[Parts, int, int]] = []
    edges = shapely.bounds(parts.shapes)
    # A feature that touches the antimeridian may reach a margin into the tiles beyond it.
    waiting = [(parts, edges, 0, 0, 2 * side, side)]
    while waiting:
        held, edges, x0, y0, x1, y1 = waiting.pop()
        if not len(held.shapes):
            continue
        if x1 - x0 == 1 and y1 - y0 == 1:
            found.append((held, x0, y0))
            continue
        wide = x1 - x0 >= y1 - y0
        axis, middle = (0, (x0 + x1) // 2) if wide else (1, (y0 + y1) // 2)
        for low in (True, False):
            half = _half(held, edges, axis, middle, low=low)
            frame = (
                ((x0, y0, middle, y1) if wide else (x0, y0, x1, middle))
                if low
                else ((middle, y0, x1, y1) if wide else (x0, middle, x1, y1))
            )
            waiting.append((*half, *frame))
    rows = [np.empty(0, np.intp), *(p.rows for p, _, _ in found)]
    shapes = [np.empty(0, object), *(p.shapes for p, _, _ in found)]
    sizes = [len(p.rows) for p, _, _ in found]
    x = np.repeat(np.array([x for _, x, _ in found], np.int64), sizes)
    y = np.repeat(np.array([y for _, _, y in found], np.int64), sizes)
    return Parts(np.concatenate(shapes), np.concatenate(rows)), x, y


def _half(
    held: Parts, edges: NDArray[np.float64], axis: int, middle: int, *, low: bool
) -> tuple[Parts, NDArray[np.float64]]:
    if low:
        line = middle + BUFFER
        inside, over = edges[:, axis] < line, edges[:, axis + 2] > line
    else:
        line = middle - BUFFER
        inside, over = edges[:, axis + 2] > line, edges[:, axis] < line
    kept = held.where(inside)
    edges, across = edges[inside], np.flatnonzero(over[inside])
    if not len(across):
        return kept, edges
    far = 2.0**40
    box = [-far, -far, far, far]
    box[axis + 2 if low else axis] = line
    clipped = shapely.clip_by_rect(kept.shapes[across], *box)
    size = shapely.get_dimensions(kept.shapes[across])
    whole = np.ones(len(kept.rows), bool)
    whole[across] = False
    pieces, of = shapely.get_parts(clipped, return_index=True)
    pieces, more = shapely.get_parts(pieces, return_index=True)
    of = of[more]
    good = ~shapely.is_empty(pieces) & (shapely.get_dimensions(pieces) == size[of])
    pieces, of = pieces[good], of[good]
    made = Parts(np.r_[kept.shapes[whole], pieces], np.r_[kept.rows[whole], kept.rows[across[of]]])
    return made, np.concatenate([edges[whole], shapely.bounds(pieces).reshape(-1, 4)])
