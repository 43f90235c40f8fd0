"""Known sites, such as mines, from a file that a user names: points, each with a name."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geosite.crs import WGS84
from geosite.errors import LayerDataError, faults
from geosite.model.source import FileSource
from geosite.sources import inspection
from geosite.sources.inspection import TABLES
from geosite.sources.outline import read_drawn
from geosite.sources.table import read_csv

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from geosite.sources.dataset import Dataset

_DEGREES = (
    ("longitude", "latitude"), ("long", "lat"), ("lon", "lat"), ("lng", "lat"),
    ("longwgs", "latwgs"), ("longdd", "latdd"), ("londd", "latdd"),
    ("decimallongitude", "decimallatitude"), ("longitudedd", "latitudedd"),
)  # fmt: skip
"""Usual names of columns of degrees, letters only; x and y may be anything, so they are not."""
_NAMES = ("name", "sitename", "minename", "depositname", "site", "mine", "deposit", "project")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""First bytes of what spreadsheets call Unicode text; read as anything else it is no table."""
_NAMED = 5
"""Faults of a file that are named."""


def read_known(path: Path) -> gpd.GeoDataFrame:
    """Places of known sites: ``name, geometry`` (points), in the CRS of the file.

    A table (.csv, .tsv …) has columns of longitude and latitude [degrees, WGS 84]; another
    vector file carries its own CRS. A line or a polygon stands where a point inside it lies.
    A site without a name is called by its number, counted from 1.

    Raises
    ------
    LayerDataError
        If the file cannot be read, has no columns of coordinates, or holds no site; or if a
        site has no place on earth.
    CRSMismatchError
        If a vector file carries no CRS.
    """
    if not path.is_file():
        msg = (
            f"{path}: there is no such file; give known sites as CSV with longitude and latitude, "
            "GeoJSON or GeoPackage"
        )
        raise LayerDataError(msg)
    frame = _table(path) if path.name.lower().endswith(TABLES) else read_drawn(path)
    if frame.empty:
        msg = f"{path}: holds no site; expected one known site a row or feature"
        raise LayerDataError(msg)
    shapes = frame.geometry.to_numpy()
    nowhere = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    at = shapely.point_on_surface(np.where(nowhere, None, shapes))
    points = shapely.get_type_id(shapes) == shapely.GeometryType.POINT
    at[points] = shapes[points]
    names = _names(frame)
    found = gpd.GeoDataFrame({"name": names}, geometry=at, crs=frame.crs)
    if wrong := _misplaced(found):
        more = [f"and {len(wrong) - _NAMED} more"] if len(wrong) > _NAMED else []
        title = f"{path}: {len(wrong)} of {len(found)} sites have no place:"
        fix = (
            "give each a longitude and a latitude in degrees, or take it out of the file; are "
            "longitude and latitude swapped?"
        )
        raise LayerDataError(faults(title, [*wrong[:_NAMED], *more, fix]))
    return found


def _table(path: Path) -> gpd.GeoDataFrame:
    with path.open("rb") as file:
        if file.read(2) in _UTF16:
            msg = (
                f"{path}: is text in UTF-16, expected UTF-8; save it from the spreadsheet as "
                "CSV UTF-8"
            )
            raise LayerDataError(msg)
    encoding = inspection.encoding(path, None) or "cp1252"
    delimiter, columns = inspection.header(path, None, encoding)
    letters = {_letters(c): c for c in columns}
    pair = next(((letters[x], letters[y]) for x, y in _DEGREES if {x, y} <= {*letters}), None)
    if pair is None:
        there = ", ".join(columns) or "none"
        msg = (
            f"{path}: has no columns of longitude and latitude; it has {there}; call them "
            "longitude and latitude (degrees, WGS 84), or save the sites as GeoPackage with "
            "their CRS"
        )
        raise LayerDataError(msg)
    source = FileSource(
        kind="file", path=path.name, encoding=encoding, delimiter=delimiter, xy=pair, format="csv"
    )
    found: Dataset = read_csv(path, source, str(path))
    table: pd.DataFrame = found.attributes
    return gpd.GeoDataFrame(table, geometry=found.geometry, crs=WGS84)


def _letters(column: object) -> str:
    return re.sub(r"[^a-z]", "", str(column).lower())


def _names(frame: gpd.GeoDataFrame) -> list[str]:
    letters = {_letters(c): c for c in reversed(frame.columns)}
    column = next((letters[n] for n in _NAMES if n in letters), None)
    numbers = [f"site {k}" for k in range(1, len(frame) + 1)]
    if column is None:
        return numbers
    said = ["" if v is None or v != v else str(v).strip() for v in frame[column]]  # noqa: PLR0124
    return [name or number for name, number in zip(said, numbers, strict=True)]


def _misplaced(found: gpd.GeoDataFrame) -> list[str]:
    # Places in another CRS than degrees are seen to lie elsewhere by whoever projects them.
    wrong = []
    for k, (name, shape) in enumerate(zip(found["name"], found.geometry, strict=True), 1):
        if shape is None or shape.is_empty or not np.isfinite([shape.x, shape.y]).all():
            wrong.append(f"row {k} ({name}) has no coordinates")
        elif found.crs.is_geographic and not (abs(shape.x) <= 180 and abs(shape.y) <= 90):
            wrong.append(
                f"row {k} ({name}) lies at {shape.x:g}, {shape.y:g}: no longitude and latitude"
            )
    return wrong
