"""What a file of the user's own says about itself: datasets, columns, geometry, CRS, extent."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import math
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import rasterio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from geosite.errors import GeositeError, LayerDataError
from geosite.model.layer import Geometry
from geosite.model.source import FileSource
from geosite.sources.archive import chosen_member, unpacked
from geosite.sources.dataset import KINDS, one_line, refuse_redirections
from geosite.sources.table import read_csv, read_json_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

Column = Literal["text", "number", "integer", "date"]
Bounds = tuple[float, float, float, float]
RASTERS = (".tif", ".tiff", ".img")
TABLES = (".csv", ".csv.gz", ".txt", ".tsv", ".psv")
JSON_LINES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".geojsonl", ".geojsonl.gz")
_PARQUET = (".parquet", ".geoparquet")
_MEMBERS = (
    *RASTERS, *TABLES, *JSON_LINES, *_PARQUET, ".shp", ".gpkg", ".fgb", ".geojson", ".json",
    ".topojson", ".kml", ".gml",
)  # fmt: skip
_DELIMITERS = ",;\t|"
_UNKNOWN = ("Unknown", "Geometry", "GeometryCollection", "3D Unknown", None)
_WHOLE = r"[+-]?(?:0|[1-9]\d{0,14})"
_DATE = r"\d{4}-\d{2}-\d{2}(?:[T ].*)?|\d{1,2}/\d{1,2}/\d{4}"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What one dataset holds.

    Parameters
    ----------
    kinds : tuple of Geometry
        Those of its features, the most frequent first; raster alone for a raster.
    columns : mapping of column to type
    crs : CRS or None
        What it carries.
    bounds : left, bottom, right, top in its CRS; None if it has no extent
    count : int
        Features; 0 for a raster.
    can_carry_crs : bool
        False where the format has no place for a CRS.
    nodata : float or None
        Of a raster.
    """

    kinds: tuple[Geometry, ...]
    columns: Mapping[str, Column]
    crs: CRS | None
    bounds: Bounds | None
    count: int
    can_carry_crs: bool = True
    nodata: float | None = None


def members(path: Path) -> tuple[str, ...]:
    """Datasets in a zip archive, sorted; none of any other file.

    Raises
    ------
    LayerDataError
        If the archive cannot be read, or holds no dataset.
    """
    if path.suffix.lower() != ".zip":
        return ()
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        msg = f"{path}: not a readable zip archive: {one_line(error)}; get the file again"
        raise LayerDataError(msg) from None
    found = {folder for name in names if (folder := _database(name))}
    found |= {n for n in names if n.lower().endswith(_MEMBERS) and not _database(n)}
    if not found:
        msg = f"{path}: no dataset in this zip archive; it holds {', '.join(names[:20])}"
        raise LayerDataError(msg)
    return tuple(sorted(found))


def _database(name: str) -> str | None:
    parts = PurePosixPath(name).parts
    at = next((k for k, part in enumerate(parts[:-1]) if part.lower().endswith(".gdb")), None)
    return None if at is None else "/".join(parts[: at + 1])


def layers(path: Path, member: str | None) -> tuple[str, ...]:
    """Layers with geometry in a container such as a GeoPackage; none of a file that has one.

    Raises
    ------
    LayerDataError
        If the file cannot be read.
    """
    if (member or path.name).lower().endswith((*RASTERS, *TABLES, *JSON_LINES, *_PARQUET)):
        return ()
    with _gdal(path, member) as opened:
        found = pyogrio.list_layers(opened)
    named = tuple(str(name) for name, kind in found if kind is not None)
    if not named:
        msg = (
            f"{path}: holds tables without geometry only ({', '.join(map(str, found[:, 0]))}); "
            "write the table that is meant to a CSV file, with columns for x and y"
        )
        raise LayerDataError(msg)
    return named if len(found) > 1 else ()


def encoding(path: Path, member: str | None) -> str | None:
    """``utf-8`` if the whole file is; None if it is in some other encoding."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with unpacked(path, member, path.name) as plain, _bytes(plain) as file:
        try:
            while part := file.read(2**20):
                decoder.decode(part)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return None
    return "utf-8"


def header(path: Path, member: str | None, encoding: str) -> tuple[str, tuple[str, ...]]:
    """Delimiter of a table, and its columns; of JSON lines, the keys of the first record."""
    with unpacked(path, member, path.name) as plain, _bytes(plain) as file:
        line = codecs.decode(file.readline(2**20), encoding, "replace").lstrip("\ufeff").strip()
    if (member or path.name).lower().endswith(JSON_LINES):
        return ",", _keys(line)
    delimiter = max(_DELIMITERS, key=line.count)
    return delimiter, tuple(next(csv.reader([line], delimiter=delimiter), []))


def _keys(line: str) -> tuple[str, ...]:
    """Keys of a record of numbers and words; none of a feature, which has its geometry."""
    try:
        first = json.loads(line)
    except ValueError:
        return ()
    return () if not isinstance(first, dict) or "geometry" in first else tuple(first)


def _bytes(path: Path) -> gzip.GzipFile | io.BufferedReader:
    return gzip.GzipFile(path) if path.suffix.lower() == ".gz" else path.open("rb")


def inspected(path: Path, source: FileSource) -> Inspection:
    """What a dataset holds, read as a source says.

    Raises
    ------
    LayerDataError
        If it cannot be read, or holds no feature or several bands.
    """
    inner = (source.member or path.name).lower()
    if inner.endswith(RASTERS):
        return _raster(path, source)
    if inner.endswith((*TABLES, *JSON_LINES)):
        return _table(path, source)
    if inner.endswith(_PARQUET):
        return _parquet(path, source)
    return _vector(path, source)


def _raster(path: Path, source: FileSource) -> Inspection:
    place = str(path)
    if path.suffix.lower() == ".zip":
        member = chosen_member(path, source.member, path.name)
        place = f"/vsizip/{{{path.resolve()}}}/{member}"
    refuse_redirections(path, path.name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(place) as opened:
                bands, nodata = opened.count, opened.nodata
                crs = CRS.from_wkt(opened.crs.to_wkt()) if opened.crs else None
                bounds = None if opened.transform.is_identity else _bounds(opened.bounds)
    except RasterioError as error:
        msg = f"{path}: cannot be read as a raster: {one_line(error)}; get the file again"
        raise LayerDataError(msg) from None
    if bands != 1:
        msg = (
            f"{path}: has {bands} bands, expected one; write the band that is meant to a file of "
            "its own (gdal_translate -b)"
        )
        raise LayerDataError(msg)
    return Inspection(("raster",), {}, crs, bounds, 0, nodata=nodata)


def _table(path: Path, source: FileSource) -> Inspection:
    with unpacked(path, source.member, path.name) as plain:
        lines = plain.name.lower().endswith(JSON_LINES)
        read = (read_json_lines if lines else read_csv)(plain, source, path.name)
    columns = {str(c): _kind_of_text(read.attributes[c]) for c in read.attributes}
    found = _inspection(path, read.geometry, columns, None)
    return replace(found, can_carry_crs=False)


def _kind_of_text(values: pd.Series[Any]) -> Column:
    """The narrowest type that every value of a column is of; codes such as 0815 stay text."""
    known = values.dropna()
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return "integer" if pd.api.types.is_integer_dtype(values) else "number"
    text = known.map(str).str.strip()
    text = text[text != ""]
    if text.empty:
        return "text"
    if text.str.fullmatch(_WHOLE).all():
        return "integer"
    padded = text.str.fullmatch(r"[+-]?0\d+").any()
    if not padded and np.isfinite(pd.to_numeric(text, errors="coerce").to_numpy(float)).all():
        return "number"
    return "date" if text.str.fullmatch(_DATE).all() else "text"


def _parquet(path: Path, source: FileSource) -> Inspection:
    try:
        with unpacked(path, source.member, path.name) as plain:
            frame = gpd.read_parquet(plain)
    except (ValueError, OSError, pa.ArrowException, shapely.GEOSException) as error:
        words = one_line(error).replace(str(path), path.name)
        msg = f"{path}: cannot be read as GeoParquet: {words}; get the file again"
        raise LayerDataError(msg) from None
    attributes = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    columns = {str(c): _kind(str(attributes[c].dtype)) for c in attributes}
    return _inspection(path, np.asarray(frame.geometry.array, object), columns, frame.crs)


def _vector(path: Path, source: FileSource) -> Inspection:
    with _gdal(path, source.member) as opened:
        info = pyogrio.read_info(
            opened, layer=source.layer, force_feature_count=True, force_total_bounds=True
        )
        columns = {
            str(name): _kind(str(dtype))
            for name, dtype in zip(info["fields"], info["dtypes"], strict=True)
        }
        crs = CRS.from_user_input(info["crs"]) if info["crs"] else None
        kind, carries = str(info["geometry_type"]), info.get("driver") != "TopoJSON"
        if kind in _UNKNOWN or info["total_bounds"] is None:
            frame = pyogrio.read_dataframe(opened, layer=source.layer, columns=[])
            found = _inspection(path, np.asarray(frame.geometry.array, object), columns, crs)
            return replace(found, can_carry_crs=carries)
    count = info["features"]
    if not count:
        msg = f"{path}: holds no feature, expected some; get the file again"
        raise LayerDataError(msg)
    return Inspection((_named(kind),), columns, crs, _bounds(info["total_bounds"]), count, carries)


def _named(kind: str) -> Geometry:
    word = kind.lower()
    if "point" in word:
        return "point"
    return "line" if "line" in word or word.endswith("curve") else "polygon"


def _kind(dtype: str) -> Column:
    if dtype.startswith("datetime"):
        return "date"
    if dtype.lower().startswith(("int", "uint")):
        return "integer"
    return "number" if dtype.lower().startswith("float") else "text"


@contextmanager
def _gdal(path: Path, member: str | None) -> Iterator[str]:
    """What GDAL opens a vector file by; its errors become ours."""
    try:
        with unpacked(path, member, path.name) as plain:
            refuse_redirections(plain, path.name)
            yield f"/vsigzip/{plain.resolve()}" if plain.suffix.lower() == ".gz" else str(plain)
    except (DataSourceError, DataLayerError, RuntimeError, ValueError) as error:
        if isinstance(error, GeositeError):
            raise
        msg = f"{path}: cannot be opened: {one_line(error)[:300]}; get the file again"
        raise LayerDataError(msg) from None


def _inspection(
    path: Path, geometry: NDArray[np.object_], columns: Mapping[str, Column], crs: CRS | None
) -> Inspection:
    types = shapely.get_type_id(geometry)
    counts = {kind: int(np.isin(types, ids).sum()) for kind, ids in KINDS.items()}
    kinds = sorted((k for k in counts if counts[k]), key=lambda k: -counts[k])
    if not kinds:
        msg = f"{path}: none of its {len(geometry)} features has a place; expected some that do"
        raise LayerDataError(msg)
    bounds = _bounds(shapely.total_bounds(geometry))
    return Inspection(tuple(kinds), columns, crs, bounds, len(geometry))


def _bounds(found: Iterable[float]) -> Bounds | None:
    left, bottom, right, top = map(float, found)
    finite = all(map(math.isfinite, (left, bottom, right, top)))
    return (left, bottom, right, top) if finite else None
