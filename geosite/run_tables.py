"""Tables of a run that have places: the inventory, deposits, and the lineage of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geosite.crs import WGS84, transformed
from geosite.deposits import LINEAGE_COLUMNS, lineage

if TYPE_CHECKING:
    from geosite.pipeline import Analysis

_LISTS = ("names", "commodities", "commodities_all", "layers", "record_ids", "through_host")
"""Columns of deposits that hold several names each."""


def inventory_table(analysis: Analysis) -> pd.DataFrame:
    """Parcel × deposit, with the place of each deposit in degrees as well."""
    return _placed(analysis.inventory, analysis, after="y_m")


def lineage_table(analysis: Analysis) -> pd.DataFrame:
    """Records of each deposit in or near the AOI, one row a record, with places in degrees.

    ``deposit`` is the number that the deposit has in `deposit_points`; ``founder`` marks the
    record whose class and quality the deposit has. Near is as far as evidence reaches.
    """
    ready, spec = analysis.prepared, analysis.plan.scenario.evidence
    table = pd.DataFrame(columns=[*LINEAGE_COLUMNS])
    if spec is not None and len(ready.deposits):
        table = lineage(ready.occurrences, ready.deposits)
        near = analysis.plan.aoi.buffer(spec.reach)
        shapely.prepare(near)
        x, y = (ready.deposits[c].to_numpy(float) for c in ("x", "y"))
        inside = shapely.contains_xy(near, x, y)[table["deposit"].to_numpy(int) - 1]
        table = table[inside].reset_index(drop=True)
    return _placed(table.rename(columns={"x": "x_m", "y": "y_m"}), analysis, after="y_m")


def deposit_points(analysis: Analysis) -> gpd.GeoDataFrame:
    """Deposits in the AOI as points in the grid's CRS; lists are joined by semicolons."""
    plan, deposits = analysis.plan, analysis.prepared.deposits
    if deposits.empty:
        return gpd.GeoDataFrame(geometry=[], crs=plan.grid.crs)
    flat = deposits.drop(columns=["x", "y", "rows", "layer_qualities"])
    flat["deposit"] = np.arange(1, len(deposits) + 1)
    for column in _LISTS:
        flat[column] = flat[column].map("; ".join)
    at = shapely.points(deposits[["x", "y"]].to_numpy(float))
    points = gpd.GeoDataFrame(flat, geometry=at, crs=plan.grid.crs)
    return points[points.within(plan.aoi)]


def _placed(table: pd.DataFrame, analysis: Analysis, *, after: str) -> pd.DataFrame:
    crs = analysis.plan.grid.crs
    lon, lat = transformed(table["x_m"].to_numpy(float), table["y_m"].to_numpy(float), crs, WGS84)
    at = list(table.columns).index(after) + 1
    placed = table.assign(longitude=lon, latitude=lat, crs=crs.to_string())
    first = [*table.columns[:at], "crs", "longitude", "latitude"]
    return placed[[*first, *table.columns[at:]]]
