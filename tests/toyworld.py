"""Worlds small enough to check by eye: a picture in, a picture out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from geosite import harmonise
from geosite.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

ALBERS = CRS.from_epsg(5070)


def picture(text: str) -> str:
    """A picture without the indentation and the spaces it is written with.

    >>> picture('''
    ...     . #
    ...     # .
    ... ''')
    '. #\\n# .'
    """
    return "\n".join(" ".join(row.split()) for row in text.strip().splitlines())


def toygrid(
    rows: int,
    columns: int,
    *,
    resolution: float = 100.0,
    row: int = 0,
    column: int = 0,
    origin: tuple[float, float] = (0.0, 0.0),
) -> Grid:
    """A grid of so many cells; row 0 and column 0 touch the origin from the south-east."""
    return Grid(ALBERS, resolution, column, row, (rows, columns), origin)


def world(
    text: str, legend: Mapping[str, Any] | None = None, **place: Any
) -> tuple[Grid, xr.DataArray]:
    """A drawn surface on its grid: each symbol is the value the legend gives it.

    Without a legend, ``.`` is False and any other symbol True.
    """
    rows = _symbols(text)
    grid = toygrid(len(rows), len(rows[0]), **place)
    values = [[legend[s] if legend else s != "." for s in row] for row in rows]
    return grid, grid.surface(np.array(values), "world")


def draw(surface: Any, legend: Mapping[str, Any] | None = None) -> str:
    """The picture of a surface, by the legend it was (or would be) drawn with.

    Without a legend, False is ``.`` and True ``#``. A value that the legend does
    not know is drawn as ``?``.
    """
    legend = legend or {".": False, "#": True}
    rows = np.asarray(surface).tolist()
    return "\n".join(" ".join(_symbol(value, legend) for value in row) for row in rows)


def points(text: str, fields: Mapping[str, Mapping[str, Any]], **place: Any) -> gpd.GeoDataFrame:
    """A point at the centre of every cell whose symbol is in `fields`, with those attributes."""
    return _features(text, fields, place, shapely.Point)


def squares(text: str, fields: Mapping[str, Mapping[str, Any]], **place: Any) -> gpd.GeoDataFrame:
    """A polygon for each symbol of `fields`: all its cells, edge to edge, in one feature."""
    cells = _features(text, fields, place, _cell_of(place.get("resolution", 100.0)))
    if cells.empty:
        return cells
    return cells.dissolve(by="symbol", as_index=False)


def _features(text: str, fields: Mapping[str, Any], place: dict[str, Any], shape: Any) -> Any:
    rows = _symbols(text)
    grid = toygrid(len(rows), len(rows[0]), **place)
    x, y = grid.centres()
    found = [
        {"symbol": symbol, **fields[symbol], "geometry": shape(x[c], y[r])}
        for r, row in enumerate(rows)
        for c, symbol in enumerate(row)
        if symbol in fields
    ]
    names = ["symbol", *next(iter(fields.values()), {}), "geometry"]
    return gpd.GeoDataFrame(found, columns=names, geometry="geometry", crs=ALBERS)


def _cell_of(resolution: float) -> Any:
    half = resolution / 2
    return lambda x, y: shapely.box(x - half, y - half, x + half, y + half)


def _symbols(text: str) -> list[list[str]]:
    rows = [row.split() for row in text.strip().splitlines()]
    if len({len(row) for row in rows}) != 1:
        msg = f"the rows of this picture differ in length:\n{text}"
        raise ValueError(msg)
    return rows


def _symbol(value: Any, legend: Mapping[str, Any]) -> str:
    for symbol, meaning in legend.items():
        both_nan = isinstance(value, float) and isinstance(meaning, float)
        if value == meaning or (both_nan and math.isnan(value) and math.isnan(meaning)):
            return symbol
    return "?"


def squared(marked, reach=10_000):
    """Squared distance of every cell to the nearest marked one [cells²]; infinite without one."""
    everywhere = np.argwhere(np.ones(marked.shape, bool)).astype(np.int32)
    return harmonise.distance_at(marked, everywhere, reach).reshape(marked.shape)
