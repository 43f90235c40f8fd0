"""A layer that was read, in a GeoParquet file of which any window can be read by itself.

Attributes, geometry as WKB and the box of each feature, sorted along a Hilbert
curve; what was counted on the way travels in the metadata.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from geosite.sources.features import Counts, Features, meeting
from geosite.sources.place import FileRecord

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from pyproj import CRS

    from geosite.model.layer import Layer
    from geosite.sources.features import Bounds

ROW_GROUP = 4096
"""Features that are read together."""
_BOX, _ROW, _SAID = "_box", "_row", b"geosite"
_OWN = ("geometry", _BOX, _ROW)
_NOTHING = 1e-9  # degrees or metres
SIDES = ("xmin", "ymin", "xmax", "ymax")


def write_geoparquet(features: Features, path: Path) -> bool:
    """Write a whole layer; False if Parquet could not give it back exactly as it is."""
    frame = features.frame
    attributes = pd.DataFrame(frame.drop(columns="geometry"))
    # A column of mixed values has no one type; a part of it may look like another.
    mixed = any(dtype == np.dtype(object) for dtype in attributes.dtypes)
    if mixed or not frame.columns.is_unique or {_BOX, _ROW} & set(frame.columns):
        return False
    geometry = frame.geometry.to_numpy()
    order = _along_hilbert_curve(frame.geometry)
    try:
        table = pa.Table.from_pandas(attributes.iloc[order], preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError):
        return False
    boxes = shapely.bounds(geometry[order]).T
    arrays = [
        pa.array(shapely.to_wkb(geometry[order]), pa.binary()),
        pa.StructArray.from_arrays([pa.array(side) for side in boxes], list(SIDES)),
        pa.array(frame.index.to_numpy()[order].astype(np.int64)),
    ]
    said = {
        "counts": [asdict(c) for c in features.counts],
        "files": [asdict(f) for f in features.files],
        "notes": features.notes,
        "types": {str(name): str(dtype) for name, dtype in attributes.dtypes.items()},
    }
    metadata = table.schema.metadata | {
        b"geo": geo_metadata(frame.crs, _BOX),
        _SAID: json.dumps(said).encode(),
    }
    whole = pa.table([*table.columns, *arrays], [*table.column_names, *_OWN], metadata=metadata)
    pq.write_table(whole, path, row_group_size=ROW_GROUP, compression="zstd")
    return _same(read_geoparquet(path, features.layer, frame.crs).frame, frame)


def _along_hilbert_curve(geometry: gpd.GeoSeries) -> NDArray[np.intp]:
    left, bottom, right, top = geometry.total_bounds
    # What has no extent has no curve.
    if min(right - left, top - bottom) < _NOTHING:
        return np.arange(len(geometry))
    return np.argsort(geometry.hilbert_distance().to_numpy(), kind="stable")


def geo_metadata(crs: CRS, box: str) -> bytes:
    """What GeoParquet 1.1 asks to be said of ``geometry``, and of a column of boxes."""
    column = {
        "encoding": "WKB",
        "geometry_types": [],
        "crs": crs.to_json_dict(),
        "covering": {"bbox": {side: [box, side] for side in SIDES}},
    }
    said = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    return json.dumps(said).encode()


def _same(one: gpd.GeoDataFrame, other: gpd.GeoDataFrame) -> bool:
    # WKB keeps every coordinate but knows no ring; a column may come back as another type.
    plain, also = (pd.DataFrame(f.drop(columns="geometry")) for f in (one, other))
    types = [shapely.get_type_id(f.geometry.to_numpy()) for f in (one, other)]
    return bool(
        plain.equals(also)
        and one.columns.equals(other.columns)
        and one.columns.dtype == other.columns.dtype
        and np.array_equal(*types)
    )


def read_geoparquet(path: Path, layer: Layer, crs: CRS, bounds: Bounds | None = None) -> Features:
    """What `write_geoparquet` wrote: the whole layer, or the features whose boxes meet bounds.

    Parameters
    ----------
    crs : pyproj.CRS
        The declared one; parsing what the file says of it would take most of the time.
    bounds : left, bottom, right, top in that CRS

    Raises
    ------
    OSError, pyarrow.ArrowException, ValueError, KeyError, TypeError, shapely.GEOSException
        If the file is damaged.
    """
    with pq.ParquetFile(path) as file:
        count = file.metadata.num_rows
        said = json.loads(file.schema_arrow.metadata[_SAID])
        groups = _groups(file.metadata, bounds)
        table = file.read_row_groups(groups, use_threads=False)
    rows = table.column(_ROW).to_numpy()
    chosen = np.argsort(rows)
    if bounds is not None:
        sides = table.column(_BOX).combine_chunks().flatten()
        near = meeting(np.column_stack([side.to_numpy() for side in sides]), bounds)
        chosen = chosen[near[chosen]]
    table = table.take(pa.array(chosen))
    geometry = shapely.from_wkb(table.column("geometry").to_numpy())
    names = [name for name in table.column_names if name not in _OWN]
    attributes = table.select(names).to_pandas(use_threads=False)
    # Parquet knows no whole seconds; dates come back in milliseconds.
    other = {n: t for n, t in said["types"].items() if str(attributes[n].dtype) != t}
    attributes = attributes.astype(other)
    numbers = rows[chosen]
    whole = bounds is None and np.array_equal(numbers, np.arange(count))
    attributes.index = pd.RangeIndex(count) if whole else pd.Index(numbers)
    frame = gpd.GeoDataFrame(attributes, geometry=geometry, crs=crs)
    return Features(
        layer,
        frame,
        tuple(Counts(**c) for c in said["counts"]),
        tuple(FileRecord(**f) for f in said["files"]),
        tuple(said["notes"]),
    )


def _groups(metadata: Any, bounds: Bounds | None) -> list[int]:
    """Row groups that hold a feature near bounds, by the extremes of their boxes."""
    everything = list(range(metadata.num_row_groups))
    if bounds is None:
        return everything
    paths = [metadata.schema.column(k).path for k in range(metadata.num_columns)]
    columns = [paths.index(f"{_BOX}.{side}") for side in SIDES]
    boxes = np.empty((len(everything), 4))
    for group in everything:
        for k, column in enumerate(columns):
            found = metadata.row_group(group).column(column).statistics
            boxes[group, k] = found.min if k < 2 else found.max
    return np.flatnonzero(meeting(boxes, bounds)).tolist()
