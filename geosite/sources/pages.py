"""Pages of features as tables, and tables as one GeoParquet file."""

from __future__ import annotations

import json
import threading
import warnings
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely

from geosite.errors import LayerDataError
from geosite.sources.dataset import one_line, refuse_pointer
from geosite.sources.wkb import geometries

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from pyproj import CRS

GEOMETRY = "geometry"
CRS_SAID = b"crs"
"""Key in the metadata of a table: the CRS that an answer says it is in."""
_BOX, _SIDES = "_box", ("xmin", "ymin", "xmax", "ymax")
# A page becomes many times its size while GDAL reads it, and Python's filters of warnings are
# the whole program's: one page at a time.
READING = threading.Lock()


def table(content: bytes, name: str, *, layer: str | None = None) -> pa.Table:
    """Features of one answer: their attributes, and WKB under ``geometry``.

    GDAL's drivers parse it (Esri JSON, GeoJSON, GML): they know multiparts, holes and the
    types that a service declares. What an answer says of its CRS is in the table's metadata.

    Raises
    ------
    LayerDataError
        If GDAL cannot read it as features, or if it only points to other files.
    """
    refuse_pointer(content, name)
    try:
        with READING, warnings.catch_warnings():
            # What a driver remarks on one page it would remark on every other.
            warnings.simplefilter("ignore")
            meta, found = pyogrio.read_arrow(content, layer=layer)
    except (RuntimeError, ValueError, OSError, pa.ArrowException) as error:
        msg = f"{name}: cannot be read as features: {one_line(error)[:300]}"
        raise LayerDataError(msg) from None
    at = meta["geometry_name"] or "wkb_geometry"
    names = [GEOMETRY if c == at else c for c in found.column_names]
    said = {CRS_SAID: meta["crs"].encode()} if meta["crs"] else None
    return found.rename_columns(names).replace_schema_metadata(said)


def nothing(columns: Iterable[str]) -> pa.Table:
    """A table of no features, with these columns of text."""
    named = {column: pa.array([], pa.string()) for column in columns}
    return pa.table(named | {GEOMETRY: pa.array([], pa.large_binary())})


def written(tables: Sequence[pa.Table], path: Path, crs: CRS) -> int:
    """Write tables to one GeoParquet file; gives the number of features.

    Columns that are of one type on one page and of another on the next become text.

    Raises
    ------
    LayerDataError
        If shapes are none.
    """
    whole, shapes = _sound(joined(tables), path.name)
    box = pa.StructArray.from_arrays([pa.array(s) for s in shapely.bounds(shapes).T], list(_SIDES))
    column = {
        "encoding": "WKB",
        "geometry_types": [],
        "crs": crs.to_json_dict(),
        "covering": {"bbox": {side: [_BOX, side] for side in _SIDES}},
    }
    geo = {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
    made = whole.append_column(_BOX, box).replace_schema_metadata({b"geo": json.dumps(geo)})
    pq.write_table(made, path, compression="zstd")
    return int(made.num_rows)


def _sound(table: pa.Table, name: str) -> tuple[pa.Table, NDArray[np.object_]]:
    """The table and its shapes; where rings were broken, with the shapes that were mended."""
    wkb = table.column(GEOMETRY).to_numpy()
    try:
        return table, shapely.from_wkb(wkb)
    except shapely.GEOSException:
        pass
    try:
        shapes = geometries(wkb)
    except shapely.GEOSException as error:
        msg = f"{name}: a shape that came is none: {one_line(error)[:300]}"
        raise LayerDataError(msg) from None
    mended = pa.array(shapely.to_wkb(shapes), pa.large_binary())
    return table.set_column(table.column_names.index(GEOMETRY), GEOMETRY, mended), shapes


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """One table of all rows; columns that differ in type between tables are text."""
    plain = [_plain(t) for t in tables]
    try:
        return pa.concat_tables(plain, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.concat_tables([_as_text(t) for t in plain], promote_options="permissive")


def _plain(table: pa.Table) -> pa.Table:
    """The table without what drivers say of its columns; more than 2 GB of shapes have room."""
    types = [
        pa.field(f.name, pa.large_binary() if f.name == GEOMETRY else f.type) for f in table.schema
    ]
    return table.cast(pa.schema(types))


def _as_text(table: pa.Table) -> pa.Table:
    for k, column in enumerate(table.column_names):
        if column != GEOMETRY:
            table = table.set_column(k, column, table.column(k).cast(pa.string()))
    return table
