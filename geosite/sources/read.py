"""Features of a layer: what its file holds, as the catalogue declares it, every loss counted."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geosite.crs import projected
from geosite.errors import LayerDataError
from geosite.sources import cache, nearby
from geosite.sources.dataset import matched
from geosite.sources.declared_crs import checked_crs, declared_crs
from geosite.sources.features import Bounds, Counts, Features, windowed
from geosite.sources.fields import declared_fields
from geosite.sources.geoparquet import read_geoparquet, write_geoparquet
from geosite.sources.place import in_place, records
from geosite.sources.repair import sound
from geosite.sources.select import selected
from geosite.sources.vector import dataset

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from pyproj import CRS

    from geosite.catalog import Catalog
    from geosite.model.layer import Layer
    from geosite.sources.dataset import Dataset
    from geosite.sources.place import FileRecord, Placed


_KEPT = (
    ".csv", ".csv.gz", ".fgb", ".geojson", ".geojson.gz", ".geojsonl", ".geojsonl.gz",
    ".geoparquet", ".gpkg", ".json", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".parquet",
    ".shp", ".topojson", ".zip",
)  # fmt: skip
"""Formats whose files are all known; of others a sidecar might change unseen."""


def read_features(
    layer: Layer, catalog: Catalog, data: Path, bounds: Bounds | None = None
) -> Features:
    """Features of a vector layer or of a union of layers, all or near some bounds.

    What was read once is kept in the cache (see `geosite.sources.cache`), so that
    a later run reads the window only. The answer is the same with and without it.

    Parameters
    ----------
    layer : Layer
    catalog : Catalog
        Where the parts of a union are.
    data : Path
        Root of file sources.
    bounds : left, bottom, right, top in the layer's `declared_crs`, optional
        Only features whose boxes meet them; counts, files and notes stay those of
        the whole layer, but counts of what was fetched and is large (see `Counts`).
        Left > right crosses the antimeridian.

    Raises
    ------
    MissingLayerError
        If a file is not in place.
    LayerDataError
        If the bytes cannot be read or contradict the declaration, or no feature is left.
    CRSMismatchError
        If a file carries no CRS, or another one than declared.
    """
    if layer.geometry == "raster":
        msg = f"layer {layer.id} is a raster, expected features; open it with open_raster"
        raise LayerDataError(msg)
    crs = declared_crs(layer, catalog)
    # Which of them is read depends on the file alone, never on what the cache holds.
    part = bounds if _is_large(layer, catalog, data) else None
    origin = _origin(layer, catalog, data) if cache.folder() else None
    if origin is None:
        return windowed(_read(layer, catalog, data, part), bounds)
    name = cache.fingerprint(origin if part is None else [origin, part])
    kept = cache.kept(name, lambda path: read_geoparquet(path, layer, crs, bounds))
    if kept is not None:
        # The same bytes may have been fetched again since.
        return replace(kept, files=_files(layer, catalog, data))
    found = _read(layer, catalog, data, part)
    if len(found.frame) and _origin(layer, catalog, data) == origin:
        cache.keep(name, lambda path: write_geoparquet(found, path))
    return windowed(found, bounds)


def _origin(layer: Layer, catalog: Catalog, data: Path) -> list[Any] | None:
    """All that a layer is made of; None if that cannot be known for certain."""
    if layer.union_of:
        parts = [_origin(catalog[id_], catalog, data) for id_ in layer.union_of]
        return None if None in parts else [layer.model_dump_json(), *parts]
    found = in_place(layer, catalog, data)
    path = found.path
    # What SQLite has not yet moved into its file lies beside it.
    unsettled = path.with_name(f"{path.name}-wal").exists()
    if unsettled or not path.is_file() or not path.name.lower().endswith(_KEPT):
        return None
    try:
        files = [(f.path, f.sha256, f.size) for f in records(found, data)]
    except OSError:
        # The reader says better what is wrong with it.
        return None
    said = [layer.model_dump_json(), found.source.model_dump_json()]
    return [*said, found.may_be_empty, found.notes, files]


def _files(layer: Layer, catalog: Catalog, data: Path) -> tuple[FileRecord, ...]:
    parts = [catalog[id_] for id_ in layer.union_of] or [layer]
    found = (f for part in parts for f in records(in_place(part, catalog, data), data))
    return tuple(dict.fromkeys(found))


def _is_large(layer: Layer, catalog: Catalog, data: Path) -> bool:
    """Whether a layer was fetched and is better read near some bounds only."""
    # Without declared fields, the types of columns are those of the whole.
    if layer.union_of or not layer.fields:
        return False
    found = in_place(layer, catalog, data)
    try:
        return found.held is not None and found.path.stat().st_size >= nearby.LARGE
    except OSError:
        return False


def _read(layer: Layer, catalog: Catalog, data: Path, part: Bounds | None) -> Features:
    if layer.union_of:
        parts = [read_features(catalog[id_], catalog, data) for id_ in layer.union_of]
        places = [in_place(catalog[id_], catalog, data) for id_ in layer.union_of]
        may_be_empty = any(place.may_be_empty for place in places)
        return _union(layer, parts, declared_crs(layer, catalog), may_be_empty=may_be_empty)
    found = in_place(layer, catalog, data)
    if found.held:
        # Refused before it is read if it has changed.
        records(found, data)
    if part is not None and (read := nearby.near(found.path, part)) is not None:
        # What is wrong with a part is said of the whole.
        with suppress(LayerDataError):
            return _as_declared(read, layer, catalog, data, replace(found, in_part=True))
    stat = found.path.stat()
    read = _last_read(found, stat.st_size, stat.st_mtime_ns)
    if not len(read.attributes.index):
        read = _nothing(read, layer, found)
    return _as_declared(read, layer, catalog, data, found)


def _as_declared(
    read: Dataset, layer: Layer, catalog: Catalog, data: Path, found: Placed
) -> Features:
    crs = declared_crs(layer, catalog)
    # A table has no place for a CRS: the declaration is all there is.
    notes = checked_crs(read.crs, crs, layer, found.name) if read.can_carry_crs else ()
    frame, counts = _declared(read, layer, crs, found)
    notes = (*read.notes, *notes, *found.notes)
    return Features(layer, frame, (counts,), records(found, data), notes)


@lru_cache(maxsize=1)
def _last_read(found: Placed, _size: int, _mtime_ns: int) -> Dataset:
    """The file as it is now; parts of a union may select from one file several times."""
    return dataset(found, found.name)


def _nothing(read: Dataset, layer: Layer, found: Placed) -> Dataset:
    """No feature, under the columns that some would have had."""
    if not found.may_be_empty:
        msg = (
            f"{found.name}: holds no feature, expected those of layer {layer.id}; get the file "
            "again, or name another layer of the file with layer"
        )
        raise LayerDataError(msg)
    there = list(read.attributes.columns)
    wanted = [f.from_ or name for name, f in layer.fields.items() if f.constant is None]
    lost = [name for name in dict.fromkeys(wanted) if matched(name, there) is None]
    return replace(read, attributes=read.attributes.reindex(columns=[*there, *lost]))


def _declared(
    read: Dataset, layer: Layer, crs: CRS, found: Placed
) -> tuple[gpd.GeoDataFrame, Counts]:
    name = found.name
    fields = declared_fields(read.attributes, layer, name)
    owned = _owned(fields.frame, layer)
    chosen = _chosen(owned, layer, name, may_be_empty=found.may_be_empty)
    inspected = sound(read.geometry[chosen], read.refused[chosen], layer.geometry, crs, name)
    good = inspected.refused == ""
    rejected = Counter(sorted(inspected.refused[~good].tolist()))
    counts = Counts(
        layer.id, len(chosen), int(good.sum()), int((~chosen).sum()), inspected.repaired,
        dict(rejected), fields.unreadable, fields.uncoded,
    )  # fmt: skip
    if not good.any() and not (found.may_be_empty and not chosen.any()):
        reasons = "; ".join(f"{count} × {reason}" for reason, count in rejected.items())
        msg = (
            f"{name}: none of the {chosen.sum()} features of layer {layer.id} can be used: "
            f"{reasons}; check geometry, crs and xy of the layer, or get the file again"
        )
        raise LayerDataError(msg)
    usable = owned[chosen][good]
    frame = _features_frame(usable, inspected.geometry[good], crs)
    return (frame.set_axis(usable.index) if found.in_part else frame), counts


def _chosen(
    attributes: pd.DataFrame, layer: Layer, name: str, *, may_be_empty: bool
) -> NDArray[np.bool_]:
    if layer.where is None:
        return np.ones(len(attributes), bool)
    chosen = selected(attributes, layer.where, f"layer {layer.id}: where")
    if not chosen.any() and not may_be_empty:
        raise LayerDataError(_nothing_left(layer.where, len(chosen), f"{name} (layer {layer.id})"))
    return chosen


def _nothing_left(where: str, before: int, place: str) -> str:
    return (
        f"{place}: no feature is left after the condition {where!r}, of {before} before it; "
        "check the values it names (text is compared exactly, case included)"
    )


def _owned(attributes: pd.DataFrame, layer: Layer) -> pd.DataFrame:
    if layer.owner is None:
        return attributes
    # An undeclared column that happens to be called owner holds names, not agencies.
    if "owner" not in layer.fields:
        return attributes.assign(owner=layer.owner)
    return attributes.assign(owner=attributes["owner"].fillna(layer.owner))


def _features_frame(
    attributes: pd.DataFrame, geometry: NDArray[np.object_], crs: CRS
) -> gpd.GeoDataFrame:
    plain = attributes.drop(columns="geometry", errors="ignore").reset_index(drop=True)
    return gpd.GeoDataFrame(plain, geometry=geometry, crs=crs)


def _union(layer: Layer, parts: list[Features], crs: CRS, *, may_be_empty: bool) -> Features:
    frames = [projected(part.frame, crs).set_crs(crs, allow_override=True) for part in parts]
    whole = pd.concat(frames, ignore_index=True)
    attributes = pd.DataFrame(whole.drop(columns="geometry"))
    fields = declared_fields(attributes, layer, f"the parts of layer {layer.id}")
    kept = fields.frame
    if "owner" not in layer.fields and any("owner" in part.frame for part in parts):
        # Each part has said whose it is; the union speaks for those that have not.
        stated = attributes["owner"]
        kept = kept.assign(owner=stated if layer.owner is None else stated.fillna(layer.owner))
    else:
        kept = _owned(kept, layer)
    chosen = _chosen(kept, layer, "its parts", may_be_empty=may_be_empty)
    of_part = np.repeat(np.arange(len(parts)), [len(part.frame) for part in parts])
    lost = np.bincount(of_part[~chosen], minlength=len(parts))
    counts = tuple(
        replace(c, used=c.used - int(n), not_selected=c.not_selected + int(n))
        for part, n in zip(parts, lost, strict=True)
        for c in part.counts
    )
    geometry = np.asarray(whole.geometry.array, dtype=object)
    frame = _features_frame(kept[chosen], geometry[chosen], crs)
    files = tuple(dict.fromkeys(f for part in parts for f in part.files))
    notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
    return Features(layer, frame, counts, files, notes)


def selected_features(features: Features, where: str, place: str) -> Features:
    """The features that a condition of a rule or criterion selects; the file is not read again.

    The counts stay those of the layer: what a rule does not ask about is no loss.

    Parameters
    ----------
    place : str
        Where the condition is written down, in messages.

    Raises
    ------
    LayerDataError
        If the condition cannot be applied, or selects nothing.
    """
    chosen = selected(features.frame, where, place)
    if not chosen.any():
        of_layer = f"{place} (layer {features.layer.id})"
        raise LayerDataError(_nothing_left(where, len(chosen), of_layer))
    return replace(features, frame=features.frame[chosen].reset_index(drop=True))
