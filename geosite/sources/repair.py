"""Geometries that can be used: repaired where that is safe, refused with a reason where not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geosite.errors import LayerDataError
from geosite.sources.dataset import KINDS
from geosite.sources.table import NO_GEOMETRY, NOT_FINITE

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

    from geosite.model.layer import Geometry

OFF_THE_GLOBE = "coordinates are outside of longitude -180..180 and latitude -90..90"
_SWAPPED = (24, -180, 72, -60)
"""Bounds of the United States with longitude and latitude exchanged, generously."""
_COLLECTION = 7
_EDGE = 1e-6  # degrees; a shapefile may put the date line at 180.0000000001


@dataclass(frozen=True, slots=True)
class Sound:
    """Geometries after inspection.

    Parameters
    ----------
    geometry : (features,) of shapely geometries
        Two-dimensional and valid where ``refused`` is ''.
    refused : (features,) of str
        Why a feature is not used; '' if it is.
    repaired : int
        Used features whose geometry was made valid.
    """

    geometry: NDArray[np.object_]
    refused: NDArray[np.object_]
    repaired: int


def sound(
    geometry: NDArray[np.object_],
    refused: NDArray[np.object_],
    kind: Geometry,
    crs: CRS,
    name: str,
) -> Sound:
    """Geometries of one kind that the rest of the program may rely on.

    Parameters
    ----------
    geometry : (features,) of shapely geometries or None
    refused : (features,) of str
        Reasons the reader gave already; they stay.
    kind : Geometry
        What the layer declares.
    crs : pyproj.CRS
        Of the coordinates.
    name : str
        Of the file, in messages.

    Raises
    ------
    LayerDataError
        If more than half of the features lie where the United States would be
        with longitude and latitude exchanged.
    """
    geometry, refused = shapely.force_2d(geometry), refused.copy()
    _refuse(refused, shapely.is_missing(geometry) | shapely.is_empty(geometry), NO_GEOMETRY)
    _refuse(refused, _not_finite(geometry), NOT_FINITE)
    if crs.is_geographic:
        _check_degrees(geometry, refused, name)
    changed = _valid(geometry, refused, kind)
    return Sound(geometry, refused, int((changed & (refused == "")).sum()))


def _refuse(refused: NDArray[np.object_], mask: NDArray[np.bool_], reason: str) -> None:
    refused[mask & (refused == "")] = reason


def _not_finite(geometry: NDArray[np.object_]) -> NDArray[np.bool_]:
    xy, owner = shapely.get_coordinates(geometry, return_index=True)
    found = np.zeros(len(geometry), bool)
    found[owner[~np.isfinite(xy).all(axis=1)]] = True
    return found


def _check_degrees(geometry: NDArray[np.object_], refused: NDArray[np.object_], name: str) -> None:
    good = np.flatnonzero(refused == "")
    if not good.size:
        return
    boxes = shapely.bounds(geometry[good])
    left, bottom, right, top = boxes.T
    swapped = looks_swapped(boxes)
    if swapped.sum() > len(good) / 2:
        msg = (
            f"{name}: x and y look swapped: {swapped.sum()} of {len(good)} features have x in "
            "24..72 and y in -180..-60, which is the United States with longitude and latitude "
            "exchanged; expected x = longitude, y = latitude; exchange the two names of xy, or "
            "swap the coordinates of the file"
        )
        raise LayerDataError(msg)
    off = (np.maximum(abs(left), abs(right)) > 180 + _EDGE) | (
        np.maximum(abs(bottom), abs(top)) > 90 + _EDGE
    )
    refused[good[off]] = OFF_THE_GLOBE


def looks_swapped(boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which boxes in degrees (features, 4) are in the United States with x and y exchanged."""
    left, bottom, right, top = boxes.T
    west, south, east, north = _SWAPPED
    found: NDArray[np.bool_] = (left >= west) & (right <= east) & (bottom >= south) & (top <= north)
    return found


def _valid(
    geometry: NDArray[np.object_], refused: NDArray[np.object_], kind: Geometry
) -> NDArray[np.bool_]:
    """Make geometries valid and of one kind, in place; which of them changed."""
    types = shapely.get_type_id(geometry)
    mixed = types == _COLLECTION
    wrong = ~np.isin(types, KINDS[kind]) & ~mixed
    for type_ in np.unique(types[wrong & (refused == "")]):
        word = shapely.GeometryType(int(type_)).name.lower()
        _refuse(refused, types == type_, f"a {word} where the layer declares {kind}")
    changed = np.zeros(len(geometry), bool)
    good = refused == ""
    broken = np.zeros(len(geometry), bool)
    broken[good] = ~shapely.is_valid(geometry[good])
    for row in np.flatnonzero(good & (broken | mixed)):
        whole = shapely.make_valid(geometry[row]) if broken[row] else geometry[row]
        kept = _parts(whole, kind)
        if kept is None:
            refused[row] = f"no {kind} is left of an invalid geometry"
        else:
            geometry[row], changed[row] = kept, True
    return changed


def _parts(geometry: Any, kind: Geometry) -> Any | None:
    """The parts of one kind in a geometry; None if there are none."""
    if shapely.get_type_id(geometry) in KINDS[kind]:
        return None if geometry.is_empty else geometry
    parts = np.asarray(shapely.get_parts(geometry), dtype=object)
    while (shapely.get_type_id(parts) == _COLLECTION).any():
        parts = shapely.get_parts(parts)
    simple = shapely.get_parts(parts)
    simple = simple[np.isin(shapely.get_type_id(simple), KINDS[kind]) & ~shapely.is_empty(simple)]
    if not simple.size:
        return None
    if kind == "polygon":
        # Parts of a collection may overlap, which a multipolygon must not.
        return shapely.union_all(simple)
    return shapely.multipoints(simple) if kind == "point" else shapely.multilinestrings(simple)
