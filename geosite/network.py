"""Roads and railways as a graph: lines to nodes and edges with their lengths on the ellipsoid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.spatial import cKDTree

from geosite.crs import geodesic

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

SNAP = 100.0
"""Gap that an end of a line may have to the next line [m]."""
STEP = 5_000.0
"""A line has a node at least about so often, where a site can join it [m]."""
_SAME = 0.01
_NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of one kind as a graph.

    Attributes
    ----------
    nodes : (nodes, 2)
        Places in the CRS [m].
    tail, head : (edges,)
        Numbers of the nodes that an edge joins; each edge is there once.
    length_m : (edges,)
        Length on the ellipsoid [m].
    corners : (corners, 2)
        Every corner of every line [m].
    first, last : (edges,)
        An edge is drawn by ``corners[first : last + 1]``; where last < 0 it is a gap between
        the ends of two lines and is drawn straight.
    """

    nodes: NDArray[np.float64]
    tail: NDArray[np.intp]
    head: NDArray[np.intp]
    length_m: NDArray[np.float64]
    corners: NDArray[np.float64]
    first: NDArray[np.intp]
    last: NDArray[np.intp]


def lines_graph(
    lines: Any, crs: CRS, *, snap_m: float = SNAP, step_m: float = STEP, stated_m: Any = None
) -> Lines:
    """Lines joined where they share a corner, or where one ends near another.

    Parameters
    ----------
    lines : array of geometries
        Lines in the CRS, whole or in parts; other kinds and empty ones are left out.
    crs : CRS
        Metric. Nodes are found on its grid; lengths are geodesic.
    snap_m : float
        An end is joined with corners of other lines so near [m].
    step_m : float
        Corners at least about so often are nodes [m].
    stated_m : (lines,), optional
        Length of each line as its layer states it, where that is longer than what is drawn [m];
        NaN where it is not stated. A graph is often drawn with straight edges.

    Notes
    -----
    Lines that cross without a shared corner are not joined: a bridge looks the same.

    Examples
    --------
    >>> from pyproj import CRS
    >>> tee = ["LINESTRING (0 0, 1000 0, 2000 0)", "LINESTRING (1000 0, 1000 900)"]
    >>> found = lines_graph(shapely.from_wkt(tee), CRS.from_epsg(5070))
    >>> len(found.nodes), len(found.tail)
    (4, 3)
    """
    parts, whole = shapely.get_parts(np.asarray(lines, dtype=object), return_index=True)
    able = (shapely.get_type_id(parts) == 1) & (shapely.length(parts) > 0)
    parts, whole = parts[able], whole[able]
    corners, line = shapely.get_coordinates(shapely.segmentize(parts, step_m), return_index=True)
    if not len(corners):
        return _nothing()
    along = _along(corners, line, crs, whole, stated_m)
    _, spot = np.unique(np.round(corners / _SAME), axis=0, return_inverse=True)
    spot = spot.reshape(-1)
    places = np.empty((int(spot.max()) + 1, 2))
    places[spot] = corners
    ends = _is_end(line)
    gaps = _gaps(places, spot, line, ends, snap_m)
    stay = np.bincount(spot) > 1
    stay[spot[ends]] = True
    stay[gaps.ravel()] = True
    stay[spot[_is_milestone(along, line, step_m)]] = True
    at = np.flatnonzero(stay[spot])
    same = line[at[1:]] == line[at[:-1]]
    first, last = at[:-1][same], at[1:][same]
    number = np.cumsum(stay) - 1
    gap_m = geodesic(places[gaps[:, 0]], places[gaps[:, 1]], crs)[0]
    none = np.full(len(gaps), -1, np.intp)
    return Lines(
        places[stay],
        np.concatenate([number[spot[first]], number[gaps[:, 0]]]),
        np.concatenate([number[spot[last]], number[gaps[:, 1]]]),
        np.concatenate([along[last] - along[first], gap_m]),
        corners,
        np.concatenate([first, none]),
        np.concatenate([last, none]),
    )


def ends_beside(
    lines: Lines, places: NDArray[np.float64], reach_m: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Both ends of every edge that passes within reach of a place, and how far it is to them.

    Parameters
    ----------
    places : (places, 2)
        In the CRS [m].
    reach_m : float
        On the grid [m].

    Returns
    -------
    place, node : (n,)
        Their numbers.
    length_m : (n,)
        Straight to the edge, on the grid, and on along it [m].

    Notes
    -----
    Nodes are some kilometres apart, so a place right beside a line may be far from all of them.

    Examples
    --------
    >>> from pyproj import CRS
    >>> line = lines_graph(shapely.from_wkt(["LINESTRING (0 0, 4000 0)"]), CRS.from_epsg(5070))
    >>> _, node, far = ends_beside(line, np.array([[1000.0, 300], [2000, 1500]]), 1000.0)
    >>> node.tolist(), (far / 1000).round().tolist()
    ([0, 1], [1.0, 3.0])
    """
    drawn = np.flatnonzero(lines.last >= 0)
    first, count = lines.first[drawn], lines.last[drawn] - lines.first[drawn] + 1
    owner = np.repeat(np.arange(len(drawn)), count)
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    shapes = shapely.linestrings(lines.corners[first[owner] + step], indices=owner)
    points = np.asarray(shapely.points(places), dtype=object)
    place, near = shapely.STRtree(shapes).query(points, predicate="dwithin", distance=reach_m)
    edge = drawn[near]
    off = shapely.distance(points[place], shapes[near])
    along = shapely.line_locate_point(shapes[near], points[place], normalized=True)
    length = lines.length_m[edge]
    # An edge is drawn from its tail to its head.
    return (
        np.tile(place, 2),
        np.concatenate([lines.tail[edge], lines.head[edge]]),
        np.concatenate([off + along * length, off + (1.0 - along) * length]),
    )


def _nothing() -> Lines:
    none = np.empty(0, np.intp)
    return Lines(np.empty((0, 2)), none, none, np.empty(0), np.empty((0, 2)), none, none)


def _along(
    corners: NDArray[Any], line: NDArray[Any], crs: CRS, whole: NDArray[Any], stated_m: Any
) -> NDArray[np.float64]:
    # Metres from the first corner of all; the step from one line to the next is none.
    step, _ = geodesic(corners[:-1], corners[1:], crs)
    step[line[1:] != line[:-1]] = 0.0
    if stated_m is not None:
        owner = whole[line[1:]]
        drawn = np.bincount(owner, step, minlength=len(stated_m))
        with np.errstate(invalid="ignore", divide="ignore"):
            longer = np.asarray(stated_m, float) / drawn
        # What is said to be shorter than it is drawn is a mistake of one of the two.
        step *= np.where(longer > 1, longer, 1.0)[owner]
    return np.concatenate([[0.0], np.cumsum(step)])


def _is_end(line: NDArray[Any]) -> NDArray[np.bool_]:
    change = line[1:] != line[:-1]
    first, last = np.concatenate([[True], change]), np.concatenate([change, [True]])
    return np.asarray(first | last, bool)


def _is_milestone(along: NDArray[Any], line: NDArray[Any], step_m: float) -> NDArray[np.bool_]:
    start = along[np.searchsorted(line, line)]
    mile = np.floor((along - start) / step_m)
    return np.concatenate([[False], (mile[1:] != mile[:-1]) & (line[1:] == line[:-1])])


def _gaps(
    places: NDArray[Any],
    spot: NDArray[Any],
    line: NDArray[Any],
    ends: NDArray[np.bool_],
    snap_m: float,
) -> NDArray[np.intp]:
    # Of each end the nearest places of other lines; pairs of places, each once.
    owner = np.full(len(places), -1)
    owner[spot] = line
    loose = np.unique(spot[ends])
    count = min(_NEIGHBOURS, len(places))
    far, near = cKDTree(places).query(places[loose], k=count, distance_upper_bound=snap_m)
    far, near = far.reshape(len(loose), -1), near.reshape(len(loose), -1)
    row, column = np.nonzero(np.isfinite(far) & (far > 0))
    pairs = np.column_stack([loose[row], near[row, column]])
    pairs = np.sort(pairs[owner[pairs[:, 0]] != owner[pairs[:, 1]]], axis=1)
    return np.asarray(np.unique(pairs, axis=0), np.intp)
