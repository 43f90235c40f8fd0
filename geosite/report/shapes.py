"""Outlines light enough for a page: simplified on the grid, then grid CRS → WGS84."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geosite.crs import WGS84, projected
from geosite.report.text import Json

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

DECIMALS = 5
"""Decimals of a degree: about one metre."""
_STEP = 1.6
_SURFACE = 2


@dataclass(frozen=True, slots=True)
class Outlines:
    """Geometries to draw, by the row of the frame they come from."""

    rows: NDArray[np.intp]
    geometries: list[Json]
    """As GeoJSON."""
    left_out: int
    """Features too small to be seen at this scale, or without a geometry."""


def tolerance_of(frame: gpd.GeoDataFrame) -> float:
    """Simplification that cannot be seen when the whole frame fills a screen [m]."""
    if frame.empty:
        return 1.0
    left, bottom, right, top = frame.total_bounds
    return float(max(right - left, top - bottom, 1.0)) / 4000


def outlines(
    frame: gpd.GeoDataFrame, *, tolerance: float, vertices: int, keep_all: bool = False
) -> Outlines:
    """Simplified outlines in WGS84 with at most about so many vertices in all.

    Parameters
    ----------
    frame : in the grid CRS
    tolerance : float
        First simplification [m]; it grows until the vertices fit.
    vertices : int
        What the page can carry.
    keep_all : bool
        Draw even what is smaller than the tolerance.

    Notes
    -----
    Parts of a polygon smaller than the tolerance squared are not drawn.
    """
    whole = np.asarray(frame.geometry.array, dtype=object)
    there = np.flatnonzero([g is not None and not g.is_empty for g in whole])
    light, rows = _simplified(whole[there], there, tolerance, keep_all=keep_all)
    count = int(shapely.get_num_coordinates(light).sum())
    while count > vertices:
        tolerance *= _STEP
        # What is simplified once is simplified further: the outlines are for the eye.
        light, rows = _simplified(light, rows, tolerance, keep_all=keep_all)
        before, count = count, int(shapely.get_num_coordinates(light).sum())
        if keep_all and count > 0.97 * before:
            break
    degrees = projected(frame.iloc[rows].set_geometry(light), WGS84).geometry.array
    rounded = shapely.transform(
        np.asarray(degrees, dtype=object), lambda xy: np.round(xy, DECIMALS)
    )
    mapped = [Json(text) for text in shapely.to_geojson(rounded)]
    return Outlines(rows, mapped, len(whole) - len(rows))


def _simplified(
    whole: NDArray[Any], rows: NDArray[np.intp], tolerance: float, *, keep_all: bool
) -> tuple[NDArray[Any], NDArray[np.intp]]:
    parts, owner = shapely.get_parts(whole, return_index=True)
    flat = shapely.get_dimensions(parts) == _SURFACE
    seen = ~flat | (shapely.area(parts) >= tolerance**2)
    if keep_all:
        hidden = np.setdiff1d(np.arange(len(whole)), owner[seen])
        seen |= np.isin(owner, hidden)
    parts, owner = shapely.simplify(parts[seen], tolerance), owner[seen]
    filled = ~shapely.is_empty(parts)
    parts, owner = parts[filled], owner[filled]
    kept, start = np.unique(owner, return_index=True)
    joined = np.empty(len(kept), dtype=object)
    for i, group in enumerate(np.split(parts, start[1:]) if len(kept) else []):
        joined[i] = group[0] if len(group) == 1 else _collected(group)
    return joined, rows[kept]


def _collected(parts: NDArray[Any]) -> shapely.Geometry:
    # Plain collections of one kind, made without a union: parts of one feature do not overlap.
    dimension = int(shapely.get_dimensions(parts).max())
    same = parts[shapely.get_dimensions(parts) == dimension]
    joined: shapely.Geometry = (
        shapely.multipoints,
        shapely.multilinestrings,
        shapely.multipolygons,
    )[dimension](same)
    return joined


def anchors(frame: gpd.GeoDataFrame, *, decimals: int = DECIMALS) -> NDArray[np.float64]:
    """A point inside every feature: (features, 2) longitude, latitude, rounded; NaN if none."""
    points = shapely.point_on_surface(np.asarray(frame.geometry.array, dtype=object))
    inside = projected(frame[[frame.geometry.name]].set_geometry(points), WGS84).geometry
    return np.round(np.column_stack([inside.x.to_numpy(), inside.y.to_numpy()]), decimals)
