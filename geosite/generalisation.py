"""Features made as light as a screen needs them: cut to a box, joined, simplified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geosite.grid import Bounds

    Geometries = NDArray[Any]

VERTICES = 80_000
"""Vertices of a layer beyond which its lines are simplified further."""
POINTS = 20_000
"""Points of a layer that are kept, the largest first."""
_GROWTH = 1.6
_STUCK = 0.97
"""Share of the vertices that are left when simplifying further helps no more."""
_LINE, _SURFACE = 1, 2
_MOSTLY, _LARGE = 0.1, 0.01
"""Share of an area, or of the box, inside the box from which on the area is named there."""


def generalised(
    frame: gpd.GeoDataFrame, box: Bounds, tolerance: float, *, largest_by: Sequence[str] = ()
) -> tuple[gpd.GeoDataFrame, int]:
    """Features inside a box, one part a row, and how many were left out.

    Parameters
    ----------
    box : left, bottom, right, top in the CRS of the features
    tolerance : float
        Lines and outlines may move by so much [m]; more where they have too many vertices.
        Polygons smaller than its square are left out.
    largest_by : sequence of columns
        The first that is there says which points are kept where they are too many.

    Examples
    --------
    >>> lines = shapely.from_wkt(["LINESTRING (0 0, 50 1, 100 0)", "LINESTRING (100 0, 900 0)"])
    >>> roads = gpd.GeoDataFrame({"name": ["A 1", "A 1"]}, geometry=lines, crs=5070)
    >>> light, left_out = generalised(roads, (0, -10, 500, 10), 5.0)
    >>> light.geometry.to_wkt().tolist(), left_out
    (['LINESTRING (0 0, 500 0)'], 0)
    """
    shapes = frame.geometry.to_numpy()
    frame = frame[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if frame.empty:
        return frame, 0
    dimension = int(shapely.get_dimensions(frame.geometry.to_numpy()).max())
    if dimension < _LINE:
        return _points(frame, box, largest_by)
    if dimension == _LINE:
        return _lines(frame, box, tolerance), 0
    cut = shapely.intersection(frame.geometry.to_numpy(), shapely.box(*box))
    parts, owner = _parts(cut)
    seen = (shapely.get_dimensions(parts) == _SURFACE) & (shapely.area(parts) > tolerance**2)
    return _with(frame, _simplified(parts[seen], tolerance), owner[seen]), 0


def borders(frame: gpd.GeoDataFrame, box: Bounds, tolerance: float) -> gpd.GeoDataFrame:
    """Outlines of areas inside a box as lines, drawn once where two areas share one.

    Where three areas meet, the point stays, so that lines still meet there.

    Examples
    --------
    >>> areas = [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]
    >>> found = borders(gpd.GeoDataFrame(geometry=areas, crs=5070), (-5, -5, 25, 25), 1.0)
    >>> float(found.length.sum())
    70.0
    """
    edges = shapely.boundary(frame.geometry.to_numpy())
    # Two areas share a border only if it has the same vertices in both: a union finds it.
    whole = shapely.clip_by_rect(shapely.union_all(edges), *box)
    lines = _simplified(_joined(np.array([whole], object)), tolerance)
    return gpd.GeoDataFrame(geometry=lines, crs=frame.crs)


def named_points(frame: gpd.GeoDataFrame, box: Bounds) -> gpd.GeoDataFrame:
    """A point with the name of each area, in the middle of its largest part inside a box.

    Areas of which only a corner lies inside have none.
    """
    shapes, room = frame.geometry.to_numpy(), shapely.box(*box)
    parts, owner = _parts(shapely.intersection(shapes, room))
    area = shapely.area(parts)
    order = np.lexsort((-area, owner))
    _, first = np.unique(owner[order], return_index=True)
    chosen = order[first]
    there = area[chosen] >= np.minimum(
        _MOSTLY * shapely.area(shapes)[owner[chosen]], _LARGE * shapely.area(room)
    )
    chosen = chosen[there & (area[chosen] > 0)]
    middle = shapely.point_on_surface(parts[chosen])
    return _with(frame[["name", frame.geometry.name]], middle, owner[chosen])


def _points(
    frame: gpd.GeoDataFrame, box: Bounds, largest_by: Sequence[str]
) -> tuple[gpd.GeoDataFrame, int]:
    parts, owner = _parts(frame.geometry.to_numpy())
    inside = shapely.intersects(parts, shapely.box(*box))
    found = _with(frame, parts[inside], owner[inside])
    if size := next((c for c in largest_by if c in found), None):
        found = found.sort_values(size, ascending=False, kind="stable", na_position="last")
    return found.iloc[:POINTS].reset_index(drop=True), max(0, len(found) - POINTS)


def _lines(frame: gpd.GeoDataFrame, box: Bounds, tolerance: float) -> gpd.GeoDataFrame:
    cut = shapely.clip_by_rect(frame.geometry.to_numpy(), *box)
    fields = [c for c in frame if c != frame.geometry.name]
    # Lines come in pieces that end at every crossing; those that say the same are lighter as one.
    rows = list(frame[fields].fillna("").astype(str).itertuples(index=False, name=None))
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, row in enumerate(rows):
        groups.setdefault(row, []).append(i)
    merged: list[Any] = []
    owner: list[int] = []
    for members in groups.values():
        joined = _joined(cut[members])
        merged += list(joined)
        owner += [members[0]] * len(joined)
    lines = np.array(merged, object)
    return _with(frame, _simplified(lines, tolerance), np.array(owner, np.intp))


def _joined(lines: Geometries) -> Geometries:
    parts, _ = _parts(lines)
    parts = parts[(shapely.get_dimensions(parts) == _LINE) & ~shapely.is_empty(parts)]
    joined = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(parts)))
    found: Geometries = joined[~shapely.is_empty(joined)]
    return found


def _parts(shapes: Geometries) -> tuple[Geometries, NDArray[np.intp]]:
    # Twice: a collection may hold parts of several.
    parts, owner = shapely.get_parts(shapes, return_index=True)
    inner, of = shapely.get_parts(parts, return_index=True)
    return inner, owner[of]


def _simplified(shapes: Geometries, tolerance: float) -> Geometries:
    found: Geometries = shapely.simplify(shapes, tolerance)
    while (before := shapely.get_num_coordinates(found).sum()) > VERTICES:
        tolerance *= _GROWTH
        found = shapely.simplify(found, tolerance)
        if shapely.get_num_coordinates(found).sum() > _STUCK * before:
            break
    return found


def _with(frame: gpd.GeoDataFrame, shapes: Geometries, owner: Any) -> gpd.GeoDataFrame:
    """Geometries with the fields of the rows they come from."""
    table = frame.drop(columns=frame.geometry.name).iloc[owner].reset_index(drop=True)
    return gpd.GeoDataFrame(table, geometry=shapes, crs=frame.crs)
