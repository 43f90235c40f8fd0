"""The area of interest: from a name, a box or a file to an outline on the grid."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geosite.crs import (
    WGS84,
    areal_scale,
    projected,
    projected_bounds,
    projected_geometry,
    strays,
)
from geosite.errors import CatalogError, CoverageError, CRSMismatchError
from geosite.sources import read_features, read_outline

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    from geosite.catalog import Catalog, Rulebook

STATES = "aoi/states"
"""The layer in which names of states are looked up."""
EQUAL_AREA = 0.01
"""Largest error of areas on a grid [share]: acres are what a planner quotes."""
_BOX = 4


def area_of_interest(
    text: str, catalog: Catalog, rulebook: Rulebook, data: Path, crs: CRS
) -> tuple[str, BaseGeometry]:
    """Name and outline of an area of interest, in the grid's CRS.

    Parameters
    ----------
    text : str
        A state, a group of states, ``west,south,east,north`` in degrees or a file.

    Raises
    ------
    CoverageError
        If there is no such area, or it lies where the grid's CRS is not meant for.
    CRSMismatchError
        If the grid's CRS does not keep areas there.
    """
    name, outline = outline_of(text, catalog, rulebook, data, crs)
    _refuse_elsewhere(text, outline, crs)
    return name, outline


def is_name(text: str) -> bool:
    """Whether an area is named, so that the states are needed to find it."""
    return text.count(",") != _BOX - 1 and not (Path(text).suffix and Path(text).exists())


def outline_of(
    text: str, catalog: Catalog, rulebook: Rulebook, data: Path, crs: CRS
) -> tuple[str, BaseGeometry]:
    """Name and outline of an area of interest, in any CRS.

    Raises
    ------
    CoverageError
        If there is no such area.
    """
    path = Path(text)
    if is_name(text):
        name, shapes = text, _states(text, catalog, rulebook, data, crs).geometry.to_numpy()
    elif text.count(",") == _BOX - 1:
        box = _box(text, text.split(","))
        name, shapes = text, np.array([projected_geometry(box, WGS84, crs)])
    else:
        name, shapes = path.stem, projected(read_outline(path), crs).geometry.to_numpy()
    if not np.isfinite(shapely.get_coordinates(shapes)).all():
        msg = f"aoi {text!r}: has no place in {crs.name}; are longitude and latitude swapped?"
        raise CoverageError(msg)
    outline = shapely.union_all(shapely.make_valid(shapes))
    if outline.is_empty or not shapely.area(outline):
        msg = f"aoi {text!r}: the area is empty; expected at least one polygon"
        raise CoverageError(msg)
    return name, outline


def _refuse_elsewhere(text: str, outline: BaseGeometry, crs: CRS) -> None:
    west, south, east, north = projected_bounds(tuple(shapely.bounds(outline)), crs, WGS84)
    if strays((west, south, east, north), crs):
        msg = (
            f"aoi {text!r}: reaches from {west:.1f}, {south:.1f} to {east:.1f}, {north:.1f} "
            f"degrees, and {crs.name} is not meant for that; are longitude and latitude swapped? "
            "Choose an AOI inside the grid's area of use, or another grid.crs"
        )
        raise CoverageError(msg)
    error = max(
        abs(areal_scale(crs, lon, lat) - 1)
        for lon, lat in ((west, south), (east, north), ((west + east) / 2, (south + north) / 2))
    )
    if error > EQUAL_AREA:
        msg = (
            f"grid.crs: {crs.name} does not keep areas: here they are off by up to "
            f"{100 * error:.0f} %, so no acre of the answer would be right; use an equal-area CRS, "
            "EPSG:5070 (conterminous US) or EPSG:3338 (Alaska)"
        )
        raise CRSMismatchError(msg)


def _box(text: str, numbers: list[str]) -> BaseGeometry:
    try:
        west, south, east, north = (float(n) for n in numbers)
    except ValueError:
        msg = f"aoi {text!r}: expected four numbers west,south,east,north in degrees"
        raise CoverageError(msg) from None
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        msg = (
            f"aoi {text!r}: expected west,south,east,north in degrees with west < east and "
            "south < north; are longitude and latitude swapped?"
        )
        raise CoverageError(msg)
    # A parallel is a curve on the grid: corners alone would cut land off.
    return shapely.segmentize(shapely.box(west, south, east, north), 0.02)


def _states(
    text: str, catalog: Catalog, rulebook: Rulebook, data: Path, crs: CRS
) -> gpd.GeoDataFrame:
    if STATES not in catalog:
        msg = f"aoi {text!r}: the catalogue has no layer {STATES} to look the name up in"
        raise CoverageError(msg)
    frame = read_features(catalog[STATES], catalog, data).frame
    if "name" not in frame:
        msg = f"aoi {text!r}: layer {STATES} has no field name to look it up in; map one in fields"
        raise CatalogError(msg)
    groups = {k.casefold(): v for k, v in rulebook.groups.items()}
    if text.casefold() in groups:
        return projected(named_states(frame, groups[text.casefold()], f"aoi {text!r}"), crs)
    names = frame["name"].astype(str).str.casefold()
    codes = frame["code"].astype(str).str.casefold() if "code" in frame else names
    chosen = frame[(names == text.casefold()) | (codes == text.casefold())]
    if chosen.empty:
        known = ", ".join([*rulebook.groups, *sorted(frame["name"].astype(str))[:60]])
        msg = (
            f"aoi {text!r}: no state, group of states or file of that name; known are {known}; "
            "or write west,south,east,north in degrees"
        )
        raise CoverageError(msg)
    return projected(chosen, crs)


def named_states(states: gpd.GeoDataFrame, names: Iterable[str], where: str) -> gpd.GeoDataFrame:
    """States by their names, without regard to case.

    Raises
    ------
    CatalogError
        If a name is not among them: a misspelt gap in coverage would be taken for land
        that was looked at.
    """
    known = states["name"].astype(str).str.casefold()
    if lost := sorted(n for n in names if n.casefold() not in set(known)):
        msg = (
            f"{where}: {STATES} has no state called {', '.join(lost)}; check the spelling, "
            f"known are {', '.join(sorted(states['name'].astype(str))[:60])}"
        )
        raise CatalogError(msg)
    return states[known.isin({n.casefold() for n in names})]
