"""Holdings of a test: files written as a client would write them, and kept."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely

from geosite.model import Layer
from geosite.sources import read_features
from geosite.sources.asking import Ask, Got
from geosite.sources.holdings import Holdings

if TYPE_CHECKING:
    from pathlib import Path

    from geosite.catalog import Catalog
    from geosite.model.lock import Box
    from geosite.sources.holdings import Kept
    from tests.worlds import Hamlet

URL = "https://example.org/arcgis/rest/services/toy/FeatureServer"
SERVICE: dict[str, Any] = {"kind": "arcgis", "url": URL, "layer": "toy"}


def toy(id_: str = "toy/layer", **changes: Any) -> Layer:
    """A layer of points that a service offers; changes to its entry, `source` to its source."""
    source = SERVICE | changes.pop("source", {})
    facts = {
        "title": "toy", "agency": "nobody", "purpose": "tests", "absence": "informative",
        "vintage": "2024", "status": "synthetic", "licence": "none", "citation": "none",
        "geometry": "point", "crs": "EPSG:4326", "fields": {"name": {}}, "sources": [source],
    }  # fmt: skip
    return Layer.model_validate({"id": id_, **facts, **changes})


def names(*wanted: str, crs: str = "EPSG:4326", **more: Any) -> gpd.GeoDataFrame:
    """A point for each name, at 117 west, 38 north."""
    places = [shapely.Point(-117, 38)] * len(wanted)
    return gpd.GeoDataFrame({"name": list(wanted), **more}, geometry=places, crs=crs)


def kept(
    holdings: Holdings, layer: Layer, frame: gpd.GeoDataFrame | Path, box: Box | None, **more: Any
) -> Kept:
    """Keep a frame, or a copy of a raster, as what a layer's first source gave for a box."""
    with holdings.scratch() as folder:
        if isinstance(frame, gpd.GeoDataFrame):
            path, count = folder / "new.parquet", len(frame)
            frame.to_parquet(path, write_covering_bbox=True)
        else:
            path, count = folder / "new.tif", 1
            shutil.copyfile(frame, path)
        url = layer.sources[0].url
        return holdings.keep(
            layer, Ask(layer, layer.sources[0], box), Got(path, count, url, **more)
        )


def offered(hamlet: Hamlet, *layers: str, **source: Any) -> None:
    """Declare that layers of a hamlet come from a service and from nowhere else."""
    for layer in layers:
        hamlet.declare(layer, sources=[SERVICE | {"layer": layer.replace("/", "-")} | source])


def fetched(
    hamlet: Hamlet, catalog: Catalog, holdings: Holdings, boxes: dict[str, Box | None]
) -> None:
    """Bring layers of a hamlet, declared by `catalog` as files, into holdings; their files go."""
    found = {}
    for id_ in boxes:
        layer = catalog[id_]
        path = hamlet.data / layer.sources[0].path
        if layer.geometry == "raster":
            found[id_] = shutil.copyfile(path, path.with_suffix(".away"))
        else:
            found[id_] = read_features(layer, catalog, hamlet.data).frame
        path.unlink()
    offered(hamlet, *boxes)
    from geosite.catalog import open_catalog  # noqa: PLC0415

    now = open_catalog(hamlet.layers)
    for id_, box in boxes.items():
        kept(holdings, now[id_], found[id_], box)
