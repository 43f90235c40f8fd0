"""Vector files: any format GDAL reads, and GeoParquet."""

from __future__ import annotations

import json
import struct
import warnings
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS

from geosite.errors import LayerDataError
from geosite.sources.archive import unpacked
from geosite.sources.dataset import Dataset, one_line, refuse_redirections
from geosite.sources.pages import READING
from geosite.sources.table import NO_GEOMETRY, read_csv, read_json_lines, unrefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from geosite.sources.place import Placed

_CSV = (".csv", ".csv.gz")
_JSON_LINES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".geojsonl", ".geojsonl.gz")
_PARQUET = (".parquet", ".geoparquet")
_BATCH = 256
"""Features that are read together where not all are; GDAL keeps several such batches ready."""


def dataset(found: Placed, name: str, columns: Sequence[str] | None = None) -> Dataset:
    """Features of a placed file of any format, as the file holds them.

    Parameters
    ----------
    found : Placed
    name : str
        Of the file, in messages.
    columns : sequence of str, optional
        As the file spells them; of what GDAL reads, no other is read into memory.

    Raises
    ------
    LayerDataError
        If the bytes cannot be read as what they seem to be.
    """
    source = found.source
    with unpacked(found.path, source.member, name) as path:
        inner = f"{name} ({source.member})" if source.member else name
        ending = path.name.lower()
        if source.format == "csv" or (source.format == "auto" and ending.endswith(_CSV)):
            return read_csv(path, source, inner)
        if source.format == "jsonl" or (source.format == "auto" and ending.endswith(_JSON_LINES)):
            return read_json_lines(path, source, inner)
        if ending.endswith(_PARQUET):
            return _geoparquet(path, inner)
        return _gdal(path, found, inner, columns)


def _geoparquet(path: Path, name: str) -> Dataset:
    try:
        frame = gpd.read_parquet(path)
    except (ValueError, OSError, pa.ArrowException, shapely.GEOSException) as error:
        words = one_line(error).replace(str(path), path.name)
        msg = f"{name}: cannot be read as GeoParquet: {words}; get the file again"
        raise LayerDataError(msg) from None
    return from_frame(frame, can_carry_crs=True, notes=())


def _gdal(path: Path, found: Placed, name: str, columns: Sequence[str] | None) -> Dataset:
    refuse_redirections(path, name)
    _refuse_cut_short(path, name)
    opened = f"/vsigzip/{path.resolve()}" if path.suffix.lower() == ".gz" else str(path)
    remarks: set[str] = set()
    with _faults_in_words(opened, path, name):
        with _remarked(remarks):
            layer = _layer(opened, found)
            frame: pd.DataFrame = pyogrio.read_dataframe(
                opened, layer=layer, use_arrow=True, encoding=_encoding(path, found),
                columns=columns,
            )  # fmt: skip
        _refuse_ambiguity(opened, remarks, name)
        info = _information(opened, layer, getattr(frame, "crs", None))
    notes = tuple(sorted(remarks))
    _refuse_broken(notes, len(frame), info.get("features", -1), name)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise LayerDataError(_no_geometry(name))
    return from_frame(frame, can_carry_crs=info.get("driver") != "TopoJSON", notes=notes)


def datasets(found: Placed, name: str, columns: Sequence[str] | None = None) -> Iterator[Dataset]:
    """Features of a container that GDAL reads, some at a time: those `dataset` gives at once.

    The first piece holds none, so that columns and CRS can be judged before anything is read;
    nor does the last, which has the remarks. Attributes have types of Arrow.

    Raises
    ------
    LayerDataError
        If the bytes cannot be read as what they seem to be; some damage shows at the end only.
    """
    path, opened = found.path, str(found.path)
    refuse_redirections(path, name)
    _refuse_cut_short(path, name)
    remarks: set[str] = set()
    with _faults_in_words(opened, path, name), ExitStack() as stack:
        with _remarked(remarks):
            layer = _layer(opened, found)
            meta, reader = stack.enter_context(
                pyogrio.open_arrow(
                    opened, layer=layer, encoding=_encoding(path, found), columns=columns,
                    batch_size=_BATCH, use_pyarrow=True, datetime_as_string=True,
                )
            )  # fmt: skip
        _refuse_ambiguity(opened, remarks, name)
        if _geometry_name(meta) not in reader.schema.names:
            raise LayerDataError(_no_geometry(name))
        pieces = _Pieces(meta)
        nothing = reader.schema.empty_table()
        yield pieces.dataset(nothing)
        count, batches = 0, iter(reader)
        while True:
            with _remarked(remarks):
                batch = next(batches, None)
            if batch is None:
                break
            count += batch.num_rows
            yield pieces.dataset(pa.Table.from_batches([batch]))
        notes = tuple(sorted(remarks))
        said = _information(opened, layer, pieces.crs).get("features", -1)
    _refuse_broken(notes, count, said, name)
    yield pieces.dataset(nothing, notes)


class _Pieces:
    """Tables of one layer as datasets, alike in their types."""

    def __init__(self, meta: Mapping[str, Any]) -> None:
        self.crs = CRS.from_user_input(meta["crs"]) if meta["crs"] else None
        self._geometry = _geometry_name(meta)
        self._fields = tuple(zip(meta["fields"], meta["dtypes"], meta["ogr_subtypes"], strict=True))
        self._moments: dict[str, pa.DataType] = {}

    def dataset(self, table: pa.Table, notes: tuple[str, ...] = ()) -> Dataset:
        geometry = shapely.from_wkb(table.column(self._geometry).to_numpy())
        columns = {
            name: self._plain(table.column(name), name, str(dtype), subtype)
            for name, dtype, subtype in self._fields
            # Whatever else is called so, `dataset` overwrites.
            if name not in (self._geometry, "geometry")
        }
        attributes = pa.table(columns).to_pandas(types_mapper=pd.ArrowDtype)
        attributes = attributes.reindex(pd.RangeIndex(len(geometry)))
        refused = unrefused(len(geometry))
        refused[shapely.is_missing(geometry)] = NO_GEOMETRY
        return Dataset(attributes, geometry, refused, self.crs, can_carry_crs=True, notes=notes)

    def _plain(
        self, values: pa.ChunkedArray, name: str, dtype: str, subtype: str
    ) -> pa.ChunkedArray | pa.Array:
        if pa.types.is_dictionary(values.type):
            return _meanings(values)
        # What is no UTF-8 would pass through Arrow unseen.
        values.validate(full=True)
        if isinstance(values.type, pa.BaseExtensionType):
            values = values.cast(values.type.storage_type)
        if pa.types.is_nested(values.type) or subtype == "OFSTJSON":
            return pa.array([_as_text(value) for value in values.to_pylist()], pa.string())
        if not dtype.startswith("datetime") or dtype == "datetime64[D]":
            return values
        if values.null_count == len(values):
            return pa.nulls(len(values), self._moments.get(name, pa.timestamp("ms")))
        found = _moments(values)
        self._moments[name] = found.type
        return found


def _meanings(codes: pa.ChunkedArray) -> pa.Array:
    """What coded values mean; a code without a meaning stays, as text."""
    found: list[str | None] = []
    for chunk in codes.chunks:
        meanings = dict(enumerate(chunk.dictionary.to_pylist()))
        for code in chunk.indices.to_pylist():
            meaning = meanings.get(code)
            found.append(str(code) if meaning is None and code is not None else meaning)
    return pa.array(found, pa.string())


def _moments(texts: pa.ChunkedArray) -> pa.Array:
    """Points in time as pyogrio reads them: in UTC if they are of several zones."""
    plain = texts.to_pandas()
    for utc in (False, True):
        try:
            # No driver of GDAL knows less than milliseconds.
            found = pd.to_datetime(plain, format="ISO8601", utc=utc)
            return pa.array(found.dt.as_unit("ms"))
        except ValueError:
            continue
    return texts.combine_chunks()


def _as_text(value: Any) -> str | None:
    """What is written as JSON as `_flat` writes it."""
    if isinstance(value, str):
        with suppress(ValueError):
            value = json.loads(value)
    value = _flat(value)
    return value if value is None else str(value)


def _geometry_name(meta: Mapping[str, Any]) -> str:
    return meta["geometry_name"] or "wkb_geometry"


def _no_geometry(name: str) -> str:
    return (
        f"{name}: holds a table without geometry, expected features; name another layer of "
        "the file with layer, or declare a CSV with xy"
    )


@contextmanager
def _faults_in_words(opened: str, path: Path, name: str) -> Iterator[None]:
    try:
        yield
    except DataLayerError as error:
        there = ", ".join(map(str, pyogrio.list_layers(opened)[:, 0]))
        msg = f"{name}: {one_line(error)}; name one of its layers with layer: {there}"
        raise LayerDataError(msg) from None
    except DataSourceError as error:
        words = one_line(error).split(";")[0].replace(str(path), path.name)
        msg = f"{name}: cannot be opened: {words}; get the file again"
        raise LayerDataError(msg) from None
    except (
        RuntimeError, ValueError, OSError, pa.ArrowException, shapely.GEOSException,
    ) as error:  # fmt: skip
        words = one_line(error).replace(str(path), path.name)
        msg = f"{name}: cannot be read: {words}; get the file again"
        raise LayerDataError(msg) from None


@contextmanager
def _remarked(remarks: set[str]) -> Iterator[None]:
    """What drivers remark meanwhile, on one line each."""
    with READING, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield
        remarks.update(one_line(str(remark.message)) for remark in said)


def _encoding(path: Path, found: Placed) -> str | None:
    # A shapefile says its own encoding; the declared one is for those that say it wrongly.
    declared = found.source.encoding
    return declared if path.suffix.lower() == ".shp" and declared != "utf-8" else None


def _layer(opened: str, found: Placed) -> str | None:
    wanted = found.source.layer
    if wanted is None or not found.by_hand:
        return wanted
    # A file made by hand from a service need not keep the name of the service's layer.
    there = list(pyogrio.list_layers(opened)[:, 0])
    return None if len(there) == 1 else wanted


def _refuse_cut_short(path: Path, name: str) -> None:
    """Refuse a shapefile shorter than its headers say: GDAL reads it without a word."""
    if path.suffix.lower() != ".shp":
        return
    table = path.with_suffix(".dbf")
    for file in (path, table):
        if not file.is_file():
            msg = f"{name}: {file.name} is missing beside it, expected a whole shapefile"
            raise LayerDataError(msg)
    said = {path: 0, table: 0}
    head, there = _head(path, 28), _head(table, 12)
    if len(head) == 28:
        said[path] = 2 * int.from_bytes(head[24:], "big")
    if len(there) == 12:
        count, header, record = struct.unpack("<IHH", there[4:])
        said[table] = header + count * record
    for file, expected in said.items():
        if (found := file.stat().st_size) < max(expected, 1):
            msg = (
                f"{name}: {file.name} is cut short: {found} bytes, expected {expected}; "
                "get the file again"
            )
            raise LayerDataError(msg)


def _head(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


def _refuse_ambiguity(opened: str, notes: Iterable[str], name: str) -> None:
    if any("More than one layer found" in note for note in notes):
        there = ", ".join(map(str, pyogrio.list_layers(opened)[:, 0]))
        msg = f"{name}: holds several layers; name one with layer: {there}"
        raise LayerDataError(msg)


def _information(opened: str, layer: str | None, crs: object) -> dict[str, Any]:
    # Text is parsed whole or not at all, and twice would be slow. Only a file
    # without a CRS is asked what it is: TopoJSON ends in .json too. A shapefile
    # counts its deleted records, and has been measured already.
    counted = not opened.lower().endswith((".geojson", ".json", ".gz", ".shp"))
    if not counted and crs:
        return {}
    with _remarked(set()):
        found = dict(pyogrio.read_info(opened, layer=layer))
    return found if counted else found | {"features": -1}


_BROKEN = ("malformed", "corrupt", "truncated", "disk image", "i/o error", "unexpected end")


def _refuse_broken(notes: tuple[str, ...], read: int, said: int, name: str) -> None:
    # GDAL hands on the features before some damage, with a warning or without a word.
    damage = [note for note in notes if any(word in note.lower() for word in _BROKEN)]
    if 0 <= said != read:
        damage.append(f"{read} features can be read of the {said} it says it holds")
    if damage:
        msg = f"{name}: damaged: {'; '.join(damage)}; get the file again"
        raise LayerDataError(msg)


def from_frame(frame: gpd.GeoDataFrame, *, can_carry_crs: bool, notes: tuple[str, ...]) -> Dataset:
    """Features that a library gave, as every reader of geosite hands them on."""
    geometry = np.asarray(frame.geometry.array, dtype=object)
    refused = unrefused(len(frame))
    refused[shapely.is_missing(geometry)] = NO_GEOMETRY
    attributes = pd.DataFrame(frame.drop(columns=frame.geometry.name)).reset_index(drop=True)
    for column in [c for c, dtype in attributes.dtypes.items() if str(dtype) == "object"]:
        attributes[column] = [_flat(value) for value in attributes[column]]
    return Dataset(attributes, geometry, refused, frame.crs, can_carry_crs, notes)


def _flat(value: Any) -> Any:
    """A list or a structure as JSON text, as every reader of geosite hands it on."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value
