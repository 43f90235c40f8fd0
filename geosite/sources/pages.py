"""Pages of features as tables, and tables as one GeoParquet file."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from geosite.errors import LayerDataError
from geosite.sources.dataset import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pyproj import CRS

GEOMETRY = "geometry"


def table(content: bytes, name: str, *, layer: str | None = None) -> pa.Table:
    """Features of one answer: their attributes, and WKB under ``geometry``.

    GDAL's drivers parse it (Esri JSON, GeoJSON, GML): they know multiparts, holes and the
    types that a service declares.

    Raises
    ------
    LayerDataError
        If GDAL cannot read it as features.
    """
    try:
        with warnings.catch_warnings():
            # What a driver remarks on one page it would remark on every other.
            warnings.simplefilter("ignore")
            meta, found = pyogrio.read_arrow(content, layer=layer)
    except (RuntimeError, ValueError, OSError, pa.ArrowException) as error:
        msg = f"{name}: cannot be read as features: {one_line(error)[:300]}"
        raise LayerDataError(msg) from None
    at = meta["geometry_name"] or "wkb_geometry"
    names = [GEOMETRY if c == at else c for c in found.column_names]
    return found.rename_columns(names)


def written(tables: Sequence[pa.Table], path: Path, crs: CRS) -> int:
    """Write tables to one GeoParquet file; gives the number of features.

    Columns that are of one type on one page and of another on the next become text.
    """
    whole = _joined(tables)
    geometry = shapely.from_wkb(whole.column(GEOMETRY).to_numpy())
    attributes = whole.drop_columns([GEOMETRY]).to_pandas()
    frame = gpd.GeoDataFrame(attributes, geometry=np.asarray(geometry, object), crs=crs)
    frame.to_parquet(path, compression="zstd", index=False, write_covering_bbox=True)
    return len(frame)


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.concat_tables([_as_text(t) for t in tables], promote_options="permissive")


def _as_text(table: pa.Table) -> pa.Table:
    for k, column in enumerate(table.column_names):
        if column != GEOMETRY:
            table = table.set_column(k, column, table.column(k).cast(pa.string()))
    return table
