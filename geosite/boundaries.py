"""The boundary of land that somebody drew: a box in degrees, or the polygons of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geosite.crs import WGS84, projected, projected_geometry, transformed
from geosite.errors import CoverageError
from geosite.sources import read_drawn

if TYPE_CHECKING:
    import geopandas as gpd
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

_CORNERS = 4
_STEP = 0.02
"""Longest piece of a box's edge [degrees]: a parallel is a curve on the grid."""
_NAMED = 5
"""Faults of a file that are named."""


def boundary(text: str, folder: Path, crs: CRS) -> BaseGeometry:
    """Land inside a drawn boundary, in a CRS.

    Parameters
    ----------
    text : str
        ``west,south,east,north`` in degrees, or a vector file.
    folder : Path
        Where a file is looked for first.

    Raises
    ------
    CoverageError
        If the boundary crosses itself or the antimeridian, or encloses nothing.
    LayerDataError, CRSMismatchError
        If the file cannot be read, or carries no CRS.
    """
    if text.count(",") == _CORNERS - 1:
        return projected_geometry(shapely.segmentize(_box(text), _STEP), WGS84, crs)
    path = next((p for p in (folder / text, Path.cwd() / text) if p.is_file()), None)
    if path is None:
        msg = (
            f"{text!r}: there is no such file in {folder}; give a vector file, or "
            "west,south,east,north in degrees"
        )
        raise CoverageError(msg)
    frame = read_drawn(path)
    if found := _faults(frame):
        more = [f"and {len(found) - _NAMED} more"] if len(found) > _NAMED else []
        msg = f"{text}: {'; '.join([*found[:_NAMED], *more])}"
        raise CoverageError(msg)
    return shapely.union_all(projected(frame, crs).geometry.to_numpy())


def _box(text: str) -> BaseGeometry:
    try:
        west, south, east, north = (float(n) for n in text.split(","))
    except ValueError:
        msg = f"{text!r}: expected four numbers west,south,east,north in degrees"
        raise CoverageError(msg) from None
    inside = -180 <= min(west, east) <= max(west, east) <= 180 and -90 <= south < north <= 90
    if inside and west > east:
        msg = (
            f"{text!r}: crosses the antimeridian, because its west lies east of its east; write "
            "a box on each side of it (or are west and east swapped?)"
        )
        raise CoverageError(msg)
    if not inside or west == east:
        msg = (
            f"{text!r}: expected west,south,east,north in degrees with west < east and south < "
            "north; are longitude and latitude swapped?"
        )
        raise CoverageError(msg)
    return shapely.box(west, south, east, north)


def _faults(frame: gpd.GeoDataFrame) -> list[str]:
    # What one would guess wrong in mending is refused.
    shapes = frame.geometry.to_numpy()
    if not len(shapes):
        return ["holds no feature; expected at least one polygon"]
    found = []
    for number, shape in enumerate(shapes, 1):
        name = f"feature {number}"
        if shape is None or shape.is_empty:
            found.append(f"{name} has no shape; expected a polygon")
        elif shape.geom_type not in ("Polygon", "MultiPolygon"):
            found.append(f"{name} is a {shape.geom_type}; expected a polygon")
        elif not shape.is_valid:
            found.append(f"{name} crosses itself ({_where(shape)}); draw it anew, or repair it")
        else:
            found += [f"{name} {words}" for words in _misplaced(shape, frame.crs)]
    return found


def _where(shape: BaseGeometry) -> str:
    return shapely.is_valid_reason(shape).replace("[", " at ").replace("]", "")


def _misplaced(shape: BaseGeometry, crs: CRS) -> list[str]:
    x, y = shapely.get_coordinates(shape).T
    lon, lat = (x, y) if crs.is_geographic else transformed(x, y, crs, WGS84)
    if not np.isfinite([lon, lat]).all() or np.abs(lat).max() > 90 or np.abs(lon).max() > 360:
        return ["has no place on earth; are longitude and latitude swapped?"]
    if np.ptp(lon) > 180 or np.abs(lon).max() > 180:
        return ["crosses the antimeridian; split it there into two polygons"]
    return []
