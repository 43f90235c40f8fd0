"""How much of each analysis area is disturbed, and whether that is more than a cap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geosite.model.siting import DepositUnit, ParcelUnit, PatchUnit, RegionUnit
from geosite.overlaps import areas as areas_under

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosite.model.scenario import Scenario

OVER, WITHIN, UNSURE = "over", "within", "cannot tell"
COLUMNS = (
    "area", "area_ha", "existing_ha", "proposed_ha", "share_pct", "cap_pct", "standing",
)  # fmt: skip
_DIGITS = 9
"""Decimals of a share [%] that are compared: what is beyond them is rounding."""


def proposed_area(scenario: Scenario) -> float:
    """Disturbance that a site of a scenario would add [ha]: its footprint, or the smallest site."""
    if scenario.footprint:
        return scenario.footprint
    match scenario.sites:
        case ParcelUnit(pad=area) | RegionUnit(area=area):
            return area
        case DepositUnit(min_area=area) | PatchUnit(min_area=area):
            return area


def disturbed(
    areas: gpd.GeoDataFrame,
    existing: gpd.GeoDataFrame | None,
    *,
    cap: float,
    proposed: float,
    known: NDArray[np.bool_],
) -> gpd.GeoDataFrame:
    """How each analysis area stands to a cap: one row an area, with its geometry.

    Parameters
    ----------
    areas, existing : GeoDataFrame
        Polygons in one projected CRS; None if nobody shows existing disturbance. Land under
        two features counts once.
    cap : float
        [%]
    proposed : float
        [ha]
    known : (areas,) bool
        Whether all disturbance in the area is shown.

    Returns
    -------
    GeoDataFrame
        ``area`` is the name. ``share_pct`` is (existing + proposed) / area of what is shown,
        and ``existing_ha`` NaN where nothing is. ``standing`` is over if the share is more than
        the cap: what is not shown could only add to it; else within if all is known.
    """
    shapes = areas.geometry.to_numpy()
    area = shapely.area(shapes) / 10_000
    shown = (
        np.zeros(len(areas))
        if existing is None
        else areas_under(shapes, existing.geometry.to_numpy()) / 10_000
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.round((shown + proposed) / area * 100, _DIGITS)
    standing = np.where(share > cap, OVER, np.where(known, WITHIN, UNSURE))
    name = areas["name"] if "name" in areas else pd.Series("", areas.index, dtype=object)
    return gpd.GeoDataFrame(
        {
            "area": name.fillna("").astype(str).to_numpy(),
            "area_ha": area,
            "existing_ha": np.full(len(areas), np.nan) if existing is None else shown,
            "proposed_ha": np.full(len(areas), proposed),
            "share_pct": share,
            "cap_pct": np.full(len(areas), cap),
            "standing": standing.astype(object),
        },
        geometry=shapes,
        crs=areas.crs,
    )
