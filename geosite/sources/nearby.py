"""Features near some bounds of a large file that was fetched; the rest of it is not read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyproj import CRS

from geosite.sources.features import meeting
from geosite.sources.geoparquet import SIDES
from geosite.sources.repair import looks_swapped
from geosite.sources.vector import from_frame

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from geosite.sources.dataset import Dataset
    from geosite.sources.features import Bounds

LARGE = 64 * 2**20
"""Of the file; smaller ones are read whole [bytes]."""
_TOGETHER = 1024


def near(path: Path, bounds: Bounds) -> Dataset | None:
    """Features of a GeoParquet file whose boxes meet bounds, by their row numbers.

    None if the file does not say which those are, if it is damaged, or if its coordinates look
    swapped: whoever reads all of it finds the words.

    Parameters
    ----------
    path : Path
    bounds : left, bottom, right, top in the CRS of the file
    """
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            said = _geometry(file.schema_arrow)
            return None if said is None else _near(file, bounds, *said)
    except (OSError, ValueError, pa.ArrowException, shapely.GEOSException):
        return None


def _near(
    file: pq.ParquetFile, bounds: Bounds, geometry: str, box: str, crs: CRS
) -> Dataset | None:
    boxes = _boxes(file, box)
    if not len(boxes) or (crs.is_geographic and looks_swapped(boxes).sum() > len(boxes) / 2):
        return None
    rows = np.flatnonzero(meeting(boxes, bounds))
    table = _taken(file, rows, [name for name in file.schema_arrow.names if name != box])
    shapes = shapely.from_wkb(table.column(geometry).to_numpy())
    attributes = table.drop_columns(geometry).to_pandas().reindex(pd.RangeIndex(len(rows)))
    frame = gpd.GeoDataFrame(attributes, geometry=shapes, crs=crs)
    read = from_frame(frame, can_carry_crs=True, notes=())
    return replace(read, attributes=read.attributes.set_axis(rows))


def _geometry(schema: pa.Schema) -> tuple[str, str, CRS] | None:
    """Names of the columns of geometries and of boxes, and the CRS."""
    try:
        geo: Any = json.loads((schema.metadata or {})[b"geo"])
        name = geo["primary_column"]
        column = geo["columns"][name]
        covering = column["covering"]["bbox"]
        box = covering["xmin"][0]
        plain = column["encoding"] == "WKB" and column["crs"] is not None
        if not plain or any(covering[side] != [box, side] for side in SIDES):
            return None
    except (KeyError, ValueError):
        return None
    return name, box, CRS.from_user_input(column["crs"])


def _boxes(file: pq.ParquetFile, box: str) -> NDArray[np.float64]:
    """(features, 4); without a geometry not a number."""
    structs = file.read(columns=[box]).column(box).combine_chunks()
    sides = [structs.field(side).to_numpy(zero_copy_only=False) for side in SIDES]
    return np.column_stack(sides).astype(float)


def _taken(file: pq.ParquetFile, rows: NDArray[np.intp], names: list[str]) -> pa.Table:
    """Rows of a file, which is read where they are only, a few at a time."""
    counts = [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)]
    ends = np.cumsum(counts)
    groups = np.unique(np.searchsorted(ends, rows, side="right")).tolist()
    found = [pa.schema([file.schema_arrow.field(name) for name in names]).empty_table()]
    for group in groups:
        start = int(ends[group]) - counts[group]
        for batch in file.iter_batches(_TOGETHER, [group], names, use_threads=False):
            stop = start + batch.num_rows
            inside = rows[(rows >= start) & (rows < stop)] - start
            if len(inside):
                found.append(pa.Table.from_batches([batch.take(pa.array(inside))]))
            start = stop
    return pa.concat_tables(found, promote_options="permissive")
