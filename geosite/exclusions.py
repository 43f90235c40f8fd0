"""Outlines of the hard rules' features inside the AOI, for maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely.geometry.base import BaseGeometry

    from geosite.library import Library
    from geosite.localities import Locality
    from geosite.model.rule import Rule, Treatment

    Geometries = Any  # an object array of shapely geometries; numpy cannot say so


def exclusions(
    library: Library,
    features: Mapping[str, gpd.GeoDataFrame],
    local: Mapping[str, Sequence[Locality]],
    amendments: Mapping[str, Sequence[tuple[BaseGeometry, str]]],
) -> gpd.GeoDataFrame:
    """Land of the rules that exclude: ``rule, name, geometry`` in the grid's CRS.

    Parameters
    ----------
    features
        By rule id, of the rules whose features have setbacks of their own, see `rulings`.
    local, amendments
        By rule id. Where nobody can tell, nothing is outlined.
    """
    plan = library.plan
    tables = []
    for rule, treatment in zip(plan.rules, plan.treatments, strict=True):
        # Land that a rule requires is no excluded land, and a raster has no outline.
        if treatment.tier != "exclude" or rule.reads_raster or not library.has(rule.layer):
            continue
        frame = features.get(rule.id)
        frame = _plain(rule, treatment, library) if frame is None else frame[frame["sure"]]
        shapes = _kept_off(frame, local.get(rule.id, ()))
        inside = _cut(shapes, plan.aoi)
        if rule.inside and library.has(rule.inside):
            extent = library.frame(rule.inside, rule.inside_where)
            inside = _cut(inside, shapely.union_all(extent.geometry.to_numpy()))
        name = frame["name"].to_numpy(object)
        inside, name = _amended(inside, name, amendments.get(rule.id, ()), plan.aoi)
        table = gpd.GeoDataFrame({"rule": rule.id, "name": name}, geometry=inside)
        tables.append(table.set_crs(plan.grid.crs)[~shapely.is_empty(inside)])
    empty = gpd.GeoDataFrame({"rule": [], "name": []}, geometry=[], crs=plan.grid.crs)
    return pd.concat(tables, ignore_index=True) if tables else empty


def _plain(rule: Rule, treatment: Treatment, library: Library) -> gpd.GeoDataFrame:
    frame = library.frame(rule.layer, rule.where)
    name = frame["name"] if "name" in frame else pd.Series("", frame.index, dtype=object)
    return gpd.GeoDataFrame(
        {"name": name.fillna("").astype(str), "metres": treatment.reach},
        geometry=frame.geometry,
        crs=frame.crs,
    )


def _kept_off(frame: gpd.GeoDataFrame, local: Sequence[Locality]) -> Geometries:
    """Land that each feature keeps facilities off; on local land by the local setback."""
    geometry = frame.geometry.to_numpy().copy()
    shapes = _buffered(geometry, frame["metres"].to_numpy(float))
    # The first that holds a place decides there: it is laid over the others.
    for entry in reversed(local):
        if entry.land is None or not entry.sure:
            continue
        elsewhere = shapely.difference(shapes, entry.land)
        if entry.metres is None:
            shapes = elsewhere
        else:
            there = _cut(_buffered(geometry, np.full(len(geometry), entry.metres)), entry.land)
            shapes = shapely.union(elsewhere, there)
    return shapes


def _buffered(geometry: Geometries, metres: Any) -> Geometries:
    shapes, wide = geometry.copy(), metres > 0
    shapes[wide] = shapely.buffer(geometry[wide], metres[wide], quad_segs=16)
    return shapes


def _amended(
    shapes: Geometries,
    names: Any,
    decided: Sequence[tuple[BaseGeometry, str]],
    aoi: BaseGeometry,
) -> tuple[Geometries, Any]:
    for area, effect in decided:
        shapes = shapely.difference(shapes, area)
        if effect == "holds":
            shapes = np.append(shapes, np.array([area.intersection(aoi)], object))
            names = np.append(names, np.array(["decided in review"], object))
    return shapes, names


def _cut(shapes: Geometries, area: shapely.Geometry) -> Geometries:
    """What of each shape lies in an area; only shapes on its border are intersected with it."""
    shapely.prepare(area)
    inside = shapes.copy()
    inside[~shapely.intersects(area, shapes)] = shapely.Polygon()
    border = ~shapely.contains_properly(area, inside) & ~shapely.is_empty(inside)
    inside[border] = shapely.intersection(inside[border], area)
    return inside
