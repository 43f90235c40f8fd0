"""The outline of an area, from a file that a user names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyogrio
import shapely

from geosite.errors import CRSMismatchError, LayerDataError
from geosite.sources.dataset import one_line

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd


def read_outline(path: Path) -> gpd.GeoDataFrame:
    """Polygons of a vector file, in the CRS that the file itself carries.

    Raises
    ------
    LayerDataError
        If the file cannot be read or holds no polygon.
    CRSMismatchError
        If the file carries no CRS.
    """
    frame = read_drawn(path)
    area = shapely.area(frame.geometry.to_numpy()) > 0
    if not area.any():
        msg = f"{path}: holds no polygon with an area; an area of interest needs at least one"
        raise LayerDataError(msg)
    return frame[area]


def read_drawn(path: Path) -> gpd.GeoDataFrame:
    """Features of a vector file as they were drawn, in the CRS that the file itself carries.

    Raises
    ------
    LayerDataError
        If the file cannot be read.
    CRSMismatchError
        If the file carries no CRS.
    """
    try:
        frame = pyogrio.read_dataframe(path)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        msg = f"{path}: cannot be read as a vector file: {one_line(error)}"
        raise LayerDataError(msg) from None
    if "geometry" not in frame:
        msg = f"{path}: holds a table without shapes; expected a vector file with polygons"
        raise LayerDataError(msg)
    if frame.crs is None:
        msg = (
            f"{path}: carries no CRS, which is never guessed; save it with one, e.g. as GeoPackage"
        )
        raise CRSMismatchError(msg)
    return frame
