"""Vector layers of a synthetic world: gathered block by block, packed, then written one by one."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyproj import CRS

from geosite.crs import projected
from geosite.demo.catalogue import ENTRIES, file_of

if TYPE_CHECKING:
    from pathlib import Path

    from geosite.demo.block import Drawn

DRAWN_IN = CRS.from_epsg(5070)

_DRIVERS = {"fgb": "FlatGeobuf", "gpkg": "GPKG", "geojson": "GeoJSON"}


@dataclass(slots=True)
class Gathered:
    """Layers of all blocks so far, compressed: a nation's take a few tens of megabytes."""

    packed: dict[str, list[tuple[bytes, bytes]]] = field(default_factory=dict)
    tally: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, drawn: Drawn) -> None:
        """Take in the layers of one block."""
        for id_, features in drawn.items():
            if not features.geometry:
                continue
            shapes = np.asarray(features.geometry, object)
            whole = shapely.to_wkb(shapely.GeometryCollection(list(shapes)))
            values = json.dumps(features.fields).encode()
            self.packed.setdefault(id_, []).append(
                (zlib.compress(whole, 1), zlib.compress(values, 1))
            )
            sums = self.tally.setdefault(id_, {"count": 0.0, "km": 0.0, "km2": 0.0})
            sums["count"] += len(shapes)
            lines = shapely.get_dimensions(shapes) == 1
            sums["km"] += float(shapely.length(shapes[lines]).sum()) / 1e3
            sums["km2"] += float(shapely.area(shapes).sum()) / 1e6

    def frame(self, id_: str) -> gpd.GeoDataFrame:
        """Every feature of a layer, in the CRS the world is drawn in."""
        blocks = self.packed[id_]
        shapes = [shapely.get_parts(shapely.from_wkb(zlib.decompress(w))) for w, _ in blocks]
        tables = [pd.DataFrame(json.loads(zlib.decompress(v))) for _, v in blocks]
        table = pd.concat(tables, ignore_index=True)
        return gpd.GeoDataFrame(table, geometry=np.concatenate(shapes), crs=DRAWN_IN)

    def write(self, data: Path) -> None:
        """Write every layer's file below the data root."""
        # The time of writing would make two equal worlds differ.
        pyogrio.set_gdal_config_options(
            {"OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z", "OGR_SQLITE_SYNCHRONOUS": "OFF"}
        )
        for name in {name for name, layer in map(file_of, ENTRIES) if layer}:
            # A container is added to, not replaced: one of an earlier world has to go.
            (data / name).unlink(missing_ok=True)
        try:
            for id_ in sorted(self.packed):
                write_frame(self.frame(id_), id_, data)
        finally:
            pyogrio.set_gdal_config_options(
                {"OGR_CURRENT_DATE": None, "OGR_SQLITE_SYNCHRONOUS": None}
            )


def write_frame(frame: gpd.GeoDataFrame, id_: str, data: Path) -> None:
    """Write one layer in the format and CRS that its catalogue entry declares."""
    entry = ENTRIES[id_]
    name, layer = file_of(id_)
    path = data / name
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = projected(frame, CRS.from_epsg(entry.epsg))
    if entry.ending == "csv":
        _table(frame).to_csv(path, index=False, lineterminator="\n")
        return
    options: dict[str, Any] = {} if layer is None else {"layer": layer, "append": False}
    if entry.ending == "geojson":
        options["COORDINATE_PRECISION"] = 7
    pyogrio.write_dataframe(frame, path, driver=_DRIVERS[entry.ending], **options)


def _table(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    table = pd.DataFrame(frame.drop(columns="geometry"))
    table["longitude"] = frame.geometry.x.round(6)
    table["latitude"] = frame.geometry.y.round(6)
    return table
