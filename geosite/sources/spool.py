"""Features that come some at a time, in one GeoParquet file, whatever types they come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from geosite.sources.dataset import matched
from geosite.sources.geoparquet import SIDES, geo_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray
    from pyproj import CRS

_ROWS, _BYTES = 8192, 32 * 2**20
"""Features that are written, and may be read, together; fewer if they are large."""
_BOX = "bbox"
_UNITS = ("s", "ms", "us", "ns")


class Spool:
    """Features on their way to a file: a few of them are in memory.

    As long as the types stay they go to one file. Another type begins another; in the end
    the files are made one, and what is of types that do not go together is text.

    Parameters
    ----------
    folder : Path
        Of its own; what is left in it is no longer needed.
    crs : pyproj.CRS
        Of the geometries.
    """

    def __init__(self, folder: Path, crs: CRS) -> None:
        """Write nothing yet."""
        self.crs = crs
        self.count = 0
        """Features that came."""
        self._folder = folder
        self._said = {b"geo": geo_metadata(crs, _BOX)}
        self._parts: list[Path] = []
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []
        self._nothing: pa.Schema | None = None

    def __enter__(self) -> Self:
        """Nothing more than itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file that is being written."""
        self._close()

    def add(self, attributes: pd.DataFrame, geometry: NDArray[np.object_]) -> None:
        """Features after those that came."""
        table = _table(attributes, geometry)
        self._nothing = self._nothing or table.schema
        if not len(geometry):
            return
        if self._waiting and not self._waiting[0].schema.equals(table.schema):
            self._flush()
        if self._writer and not self._writer.schema.equals(table.schema):
            self._close()
        self.count += table.num_rows
        self._waiting.append(table)
        rows = sum(t.num_rows for t in self._waiting)
        if rows >= _ROWS or sum(t.nbytes for t in self._waiting) >= _BYTES:
            self._flush()

    def finish(self, path: Path) -> Path:
        """Everything that came, under a path on the same disk; if nothing did, its columns."""
        self._flush()
        self._close()
        if len(self._parts) == 1:
            return self._parts[0].replace(path)
        schemas = [pq.read_schema(part) for part in self._parts] or [self._nothing]
        types = _common_types(schema for schema in schemas if schema is not None)
        with self._opened(path, pa.schema(types)) as writer:
            for part in self._parts:
                with pq.ParquetFile(part) as file:
                    for group in range(file.num_row_groups):
                        writer.write_table(_conformed(file.read_row_group(group), writer.schema))
        return path

    def _opened(self, path: Path, schema: pa.Schema) -> pq.ParquetWriter:
        return pq.ParquetWriter(path, schema.with_metadata(self._said), compression="zstd")

    def _flush(self) -> None:
        if not self._waiting:
            return
        table = pa.concat_tables(self._waiting)
        self._waiting.clear()
        if self._writer is None:
            self._parts.append(self._folder / f"{len(self._parts)}.parquet")
            self._writer = self._opened(self._parts[-1], table.schema)
        fitting = _BYTES * table.num_rows // max(table.nbytes, 1)
        self._writer.write_table(table, row_group_size=max(min(_ROWS, fitting), 1))

    def _close(self) -> None:
        if self._writer:
            self._writer.close()
        self._writer = None


def _table(attributes: pd.DataFrame, geometry: NDArray[np.object_]) -> pa.Table:
    try:
        plain = pa.Table.from_pandas(attributes, preserve_index=False)
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        mixed = [c for c, dtype in attributes.dtypes.items() if dtype == np.dtype(object)]
        text = attributes.astype(dict.fromkeys(mixed, "string"))
        plain = pa.Table.from_pandas(text, preserve_index=False)
    sides = [pa.array(side, from_pandas=True) for side in shapely.bounds(geometry).T]
    more = {
        "geometry": pa.array(shapely.to_wkb(geometry, flavor="iso"), pa.binary()),
        _BOX: pa.StructArray.from_arrays(sides, list(SIDES)),
    }
    return pa.table([*plain.columns, *more.values()], [*plain.column_names, *more])


def _common_types(schemas: Iterable[pa.Schema]) -> dict[str, pa.DataType]:
    """A type for each column, those of geosite last; of names that mean one the first."""
    types: dict[str, pa.DataType] = {}
    for schema in schemas:
        for field in schema:
            name = matched(field.name, list(types)) or field.name
            types[name] = _common_type(types.get(name, pa.null()), field.type)
    return types | {name: types.pop(name) for name in ("geometry", _BOX)}


def _common_type(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    if one == other:
        return one
    if pa.types.is_timestamp(one) and pa.types.is_timestamp(other) and one.tz != other.tz:
        return pa.timestamp(max(one.unit, other.unit, key=_UNITS.index), "UTC")
    try:
        both = [pa.schema({"": type_}) for type_ in (one, other)]
        return pa.unify_schemas(both, promote_options="permissive").field(0).type
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.string()


def _conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    there = {matched(c, schema.names): table.column(c) for c in table.column_names}
    columns = [
        _cast(there[field.name], field.type)
        if field.name in there
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _cast(values: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray | pa.Array:
    if type_ == pa.string() and values.type != type_:
        texts = [value if value is None else str(value) for value in values.to_pylist()]
        return pa.array(texts, type_)
    return values.cast(type_, safe=False)
