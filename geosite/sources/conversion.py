"""Files as publishers offer them, made into what geosite keeps: GeoParquet, or a COG."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import warnings
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyogrio
import rasterio.shutil
import shapely
from pyproj import CRS
from rasterio.errors import NotGeoreferencedWarning

from geosite.crs import WGS84, parsed_crs, projected_bounds
from geosite.disk import UNWRITABLE
from geosite.errors import FetchError, GeositeError, LayerDataError
from geosite.model.source import FileSource
from geosite.sources.answers import RefusedError
from geosite.sources.archive import extracted, refuse_unsafe
from geosite.sources.content import is_table, said_ending, true_ending
from geosite.sources.dataset import matched, one_line, refuse_redirections
from geosite.sources.declared_crs import checked_crs
from geosite.sources.place import Placed
from geosite.sources.spool import Spool
from geosite.sources.vector import dataset, datasets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from geosite.sources.asking import Ask
    from geosite.sources.dataset import Dataset

_CONTAINERS = (".gdb", ".gpkg", ".xlsx", ".kml", ".gml", ".shp", ".fgb")
_SHEET = "geosite-sheet.csv"
# What a file unpacks to may fill the memory: several layers come at once, one is made at a time.
_ONE = threading.Lock()


@dataclass(frozen=True, slots=True)
class Raw:
    """A file as it came.

    Parameters
    ----------
    path : Path
    url : str
    name : str
        What its publisher calls it.
    member, layer : str, optional
        As the source says, with the state filled in.
    """

    path: Path
    url: str
    name: str
    member: str | None
    layer: str | None


@dataclass(frozen=True, slots=True)
class Made:
    """What was made of them: features, or cells of a raster.

    Parameters
    ----------
    path : Path
    count : int
    read : int
        Features of the files; `count` of them are near the area that is asked for.
    notes : tuple of str
    """

    path: Path
    count: int
    read: int
    notes: tuple[str, ...]


def made(ask: Ask, raws: Sequence[Raw], folder: Path) -> Made:
    """One GeoParquet of features, or one COG, in a folder.

    Of what GDAL calls a dataset (GeoPackage, geodatabase, shapefile and the like) some features
    at a time are in memory; a table, JSON or GeoParquet is as one file. A raster never is.

    Raises
    ------
    RefusedError
        If a file is a web page, or not what its name says.
    LayerDataError, CRSMismatchError
        If it cannot be read, or its CRS is not the declared one.
    FetchError
        If it does not hold what the catalogue says.
    """
    try:
        with _ONE:
            return _made(ask, raws, folder)
    except (RefusedError, LayerDataError):
        # Whoever asks for them again gets them anew.
        for raw in raws:
            raw.path.unlink(missing_ok=True)
        raise


def _made(ask: Ask, raws: Sequence[Raw], folder: Path) -> Made:
    if ask.layer.geometry == "raster":
        if len(raws) != 1:
            msg = f"{ask.source.url}: {len(raws)} rasters of one layer; expected one file"
            raise FetchError(msg)
        with tempfile.TemporaryDirectory(dir=folder) as inner:
            path, name = _opened(raws[0], ask, Path(inner))
            return _raster(path, ask, folder / "layer.tif", name)
    crs = parsed_crs(ask.layer.crs or "", f"layer {ask.layer.id}: crs")
    notes: list[str] = []
    count = 0
    with tempfile.TemporaryDirectory(dir=folder) as parts, Spool(Path(parts), crs) as spool:
        for raw in raws:
            with tempfile.TemporaryDirectory(dir=folder) as inner:
                path, name = _opened(raw, ask, Path(inner))
                read, remarks = _spooled(path, raw, ask, name, spool)
                count += read
                notes += remarks
        if not count:
            msg = f"{ask.source.url}: holds no feature, expected those of layer {ask.layer.id}"
            raise FetchError(msg)
        return Made(spool.finish(folder / "layer.parquet"), spool.count, count, tuple(notes))


def _near(geometry: NDArray[np.object_], ask: Ask, crs: CRS) -> NDArray[np.bool_]:
    """What of a state's file meets the box; the file of a whole layer is kept whole."""
    if not ask.is_part:
        return np.ones(len(geometry), bool)
    near = np.zeros(len(geometry), bool)
    left, bottom, right, top = shapely.bounds(geometry).T
    for box in filter(None, ask.boxes):
        west, south, east, north = found = projected_bounds(box, WGS84, crs)
        if not np.isfinite(found).all():
            return np.ones(len(geometry), bool)
        near |= (left <= east) & (right >= west) & (bottom <= north) & (top >= south)
    return near


def _opened(raw: Raw, ask: Ask, folder: Path) -> tuple[Path, str]:
    """Path of the dataset, under a name that readers understand, and its name in messages."""
    ending = true_ending(raw.path, said_ending(raw.name), raw.url)
    if ending == ".zip":
        path = extracted(raw.path, raw.member, folder, raw.url)
        ending = said_ending(path.name) if path.is_file() else path.suffix
        name = f"{raw.url} ({path.relative_to(folder).as_posix()})"
    elif raw.member is not None:
        msg = f"{raw.url}: is no zip archive, expected one with the member {raw.member!r}"
        raise FetchError(msg)
    else:
        ending = ending or (".csv" if ask.source.xy else ".geojson")
        path, name = folder / f"raw{ending}", raw.url
        _link(raw.path, path)
    if ending == ".xlsx":
        return _sheet(path, raw, name), name
    return path, name


def _link(path: Path, other: Path) -> None:
    try:
        os.link(path, other)
    except OSError:
        # Not every file system, and no two of them, can.
        shutil.copyfile(path, other)


def _sheet(path: Path, raw: Raw, name: str) -> Path:
    """A sheet of a spreadsheet as the table it holds, everything in it text."""
    refuse_unsafe(path, name)
    layer = _named_layer(path, raw, name)
    plain = path.with_name(_SHEET)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _, table = pyogrio.read_arrow(path, layer=layer, HEADERS="FORCE", FIELD_TYPES="STRING")
        pyarrow.csv.write_csv(table, plain)
    except (RuntimeError, ValueError, pa.ArrowException) as error:
        msg = f"{name}: cannot be read as a spreadsheet: {one_line(error)[:300]}"
        raise LayerDataError(msg) from None
    return plain


def _named_layer(path: Path, raw: Raw, name: str) -> str | None:
    """What the container itself calls the layer: the catalogue cares for no letter case."""
    if raw.layer is None or path.suffix.lower() not in _CONTAINERS:
        return None
    refuse_redirections(path, name)
    try:
        there = [str(n) for n in pyogrio.list_layers(path)[:, 0]]
    except (RuntimeError, ValueError) as error:
        msg = f"{name}: cannot be opened: {one_line(error)[:300]}; get the file again"
        raise LayerDataError(msg) from None
    wanted = raw.layer.casefold()
    found = [n for n in there if n == raw.layer]
    found = found or [n for n in there if n.casefold() == wanted]
    found = found or [n for n in there if fnmatchcase(n.casefold(), wanted)]
    if len(found) == 1:
        return found[0]
    said = f"layers {', '.join(found)} all mean" if found else "there is no layer"
    msg = f"{name}: {said} {raw.layer!r}; it holds {', '.join(there) or 'none'}"
    raise FetchError(msg)


def _spooled(
    path: Path, raw: Raw, ask: Ask, name: str, spool: Spool
) -> tuple[int, tuple[str, ...]]:
    """How many features a file has, and remarks on them; what is near is in the spool then."""
    count, notes = 0, list[str]()
    said: tuple[str, ...] | None = None
    refused: Counter[str] = Counter()
    for read in _read(path, raw, ask, name):
        if said is None:
            said = checked_crs(read.crs, spool.crs, ask.layer, name) if read.can_carry_crs else ()
        columns = _columns(read.attributes, ask.columns, name)
        near = _near(read.geometry, ask, spool.crs)
        spool.add(read.attributes.loc[near, columns], read.geometry[near])
        count += len(near)
        refused.update(reason for reason in read.refused if reason)
        notes += read.notes
    lost = (f"{name}: {n:,} features: {reason}" for reason, n in refused.items())
    return count, (*notes, *(said or ()), *lost)


def _read(path: Path, raw: Raw, ask: Ask, name: str) -> Iterable[Dataset]:
    source = ask.source
    sheet = path.name == _SHEET
    table = source.xy is not None and (is_table(said_ending(path.name)) or not path.suffix)
    named = _named_layer(path, raw, name)
    file = FileSource(
        kind="file",
        path=path.name,
        layer=named,
        format="csv" if table else "auto",
        xy=source.xy,
        delimiter="," if sheet else source.delimiter,
        encoding="utf-8" if sheet else source.encoding,
    )
    found = Placed(path, file, by_hand=False, name=name)
    if path.suffix.lower() not in _CONTAINERS:
        return [dataset(found, name)]
    return datasets(found, name, _known_columns(path, named, ask.columns))


def _known_columns(path: Path, layer: str | None, wanted: tuple[str, ...]) -> list[str] | None:
    """Names of the wanted columns in a container; None where all have to be looked at."""
    if not wanted:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            there = list(pyogrio.read_info(path, layer=layer)["fields"])
    except (RuntimeError, ValueError):
        return None  # who reads it finds better words
    found = [matched(column, there) for column in wanted]
    return None if None in found else list(dict.fromkeys(str(c) for c in found))


def _columns(attributes: pd.DataFrame, wanted: tuple[str, ...], name: str) -> list[str]:
    there = list(attributes.columns)
    if not wanted:
        # Both names are taken in a GeoParquet file.
        return [c for c in there if c not in ("geometry", "bbox")]
    found = {column: matched(column, there) for column in wanted}
    missing = [column for column, is_ in found.items() if is_ is None]
    if missing:
        msg = (
            f"{name}: there is no field {', '.join(map(repr, missing))}; "
            f"it holds {', '.join(map(str, there)) or 'none'}"
        )
        raise FetchError(msg)
    return list(dict.fromkeys(str(c) for c in found.values()))


def _raster(path: Path, ask: Ask, target: Path, name: str) -> Made:
    refuse_redirections(path, name)
    layer = ask.layer
    declared = parsed_crs(layer.crs or "", f"layer {layer.id}: crs")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path) as opened:
                if opened.count != 1 or opened.transform.is_identity:
                    msg = (
                        f"{name}: has {opened.count} bands"
                        f"{' and no georeference' if opened.transform.is_identity else ''}, "
                        "expected one band of cells that lie somewhere"
                    )
                    raise FetchError(msg)
                carried = CRS.from_wkt(opened.crs.to_wkt()) if opened.crs else None
                notes = checked_crs(carried, declared, layer, name)
                count = opened.width * opened.height
                # Overviews are for the eye; cells are never mixed.
                rasterio.shutil.copy(
                    opened, target, driver="COG", compress="DEFLATE", predictor="YES",
                    overview_resampling="NEAREST", bigtiff="IF_SAFER",
                )  # fmt: skip
    except GeositeError:
        raise
    except UNWRITABLE as error:
        msg = f"{name}: cannot be made into a raster of ours: {one_line(error)[:300]}"
        raise LayerDataError(msg) from None
    return Made(target, count, count, notes)
