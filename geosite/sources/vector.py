"""Vector files: any format GDAL reads, and GeoParquet."""

from __future__ import annotations

import json
import struct
import warnings
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from geosite.errors import LayerDataError
from geosite.sources.archive import unpacked
from geosite.sources.dataset import Dataset, one_line, refuse_redirections
from geosite.sources.table import NO_GEOMETRY, read_csv, read_json_lines, unrefused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from geosite.sources.place import Placed

_CSV = (".csv", ".csv.gz")
_JSON_LINES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".geojsonl", ".geojsonl.gz")
_PARQUET = (".parquet", ".geoparquet")


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
    return _from_frame(frame, can_carry_crs=True, notes=())


def _gdal(path: Path, found: Placed, name: str, columns: Sequence[str] | None) -> Dataset:
    refuse_redirections(path, name)
    _refuse_cut_short(path, name)
    opened = f"/vsigzip/{path.resolve()}" if path.suffix.lower() == ".gz" else str(path)
    try:
        with warnings.catch_warnings(record=True) as remarks:
            warnings.simplefilter("always")
            layer = _layer(opened, found)
            frame = _frame(opened, layer, path, found.source.encoding, columns)
            notes = tuple(sorted({one_line(str(remark.message)) for remark in remarks}))
            _refuse_ambiguity(opened, notes, name)
            info = _information(opened, layer, frame)
    except DataLayerError as error:
        there = ", ".join(map(str, pyogrio.list_layers(opened)[:, 0]))
        msg = f"{name}: {one_line(error)}; name one of its layers with layer: {there}"
        raise LayerDataError(msg) from None
    except DataSourceError as error:
        words = one_line(error).split(";")[0].replace(str(path), path.name)
        msg = f"{name}: cannot be opened: {words}; get the file again"
        raise LayerDataError(msg) from None
    except (RuntimeError, ValueError, OSError, shapely.GEOSException) as error:
        words = one_line(error).replace(str(path), path.name)
        msg = f"{name}: cannot be read: {words}; get the file again"
        raise LayerDataError(msg) from None
    _refuse_broken(notes, len(frame), info.get("features", -1), name)
    if not isinstance(frame, gpd.GeoDataFrame):
        msg = (
            f"{name}: holds a table without geometry, expected features; name another layer of "
            "the file with layer, or declare a CSV with xy"
        )
        raise LayerDataError(msg)
    return _from_frame(frame, can_carry_crs=info.get("driver") != "TopoJSON", notes=notes)


def _frame(
    opened: str, layer: str | None, path: Path, encoding: str, columns: Sequence[str] | None
) -> pd.DataFrame:
    # A shapefile says its own encoding; the declared one is for those that say it wrongly.
    declared = encoding if path.suffix.lower() == ".shp" and encoding != "utf-8" else None
    frame: pd.DataFrame = pyogrio.read_dataframe(
        opened, layer=layer, use_arrow=True, encoding=declared, columns=columns
    )
    return frame


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


def _refuse_ambiguity(opened: str, notes: tuple[str, ...], name: str) -> None:
    if any("More than one layer found" in note for note in notes):
        there = ", ".join(map(str, pyogrio.list_layers(opened)[:, 0]))
        msg = f"{name}: holds several layers; name one with layer: {there}"
        raise LayerDataError(msg)


def _information(opened: str, layer: str | None, frame: pd.DataFrame) -> dict[str, Any]:
    # Text is parsed whole or not at all, and twice would be slow. Only a file
    # without a CRS is asked what it is: TopoJSON ends in .json too. A shapefile
    # counts its deleted records, and has been measured already.
    counted = not opened.lower().endswith((".geojson", ".json", ".gz", ".shp"))
    if not counted and getattr(frame, "crs", None):
        return {}
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


def _from_frame(frame: gpd.GeoDataFrame, *, can_carry_crs: bool, notes: tuple[str, ...]) -> Dataset:
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
