"""Footprints of the sites of a run: fitted to the cells of the store, and told by tenure."""

from __future__ import annotations

from math import ceil, hypot, sqrt
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
from rasterio.features import rasterize

from geosite import constraints
from geosite.footprints import TENURES, tenure_acres, tenure_words
from geosite.needs import elevation_layers
from geosite.rectangles import best_fit, strips
from geosite.surfaces import Surfaces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geosite.grid import Grid
    from geosite.model.siting import FootprintFit
    from geosite.planning import Plan
    from geosite.prepare import Prepared
    from geosite.rectangles import Fit
    from geosite.store import Store
    from geosite.tenure import Shown

_BLOCK = 1024
"""Side of the squares whose sites are fitted together [cells]: their land is read once."""


def fitted(
    plan: Plan, ready: Prepared, store: Store, sites: gpd.GeoDataFrame, shown: Sequence[Shown]
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame | None]:
    """Sites with what fits on each of them, and the parts of what fits; None if nothing is asked.

    Parameters
    ----------
    sites : GeoDataFrame
        From `tabulation.site_table`.
    shown : sequence
        Entries of the scenario's tenure with their land.

    Returns
    -------
    sites : GeoDataFrame
        With ``footprint_fits`` (yes, no), ``footprint_fit_pct`` (the largest share of the
        rectangle that fits), ``footprint_rotation_deg`` (of its long side to the end of the
        first part, clockwise from the grid's north), ``footprint_acres``,
        ``footprint_acres_<open|claimed|withdrawn|unknown>``, which sum to it, and
        ``footprint_tenure`` (what is lacking, for a mine). Where nothing fits the last three
        are not known.
    footprints : GeoDataFrame or None
        One row a part of each rectangle that fits: ``site_id, part, title, acres`` and its
        acres by tenure, in the grid's CRS.

    Notes
    -----
    Land that may lie under it: of the site's own parcel, excluded by no hard rule, clear or,
    where the scenario admits unknown land, unknown; and not steeper than ``max_slope``, with
    ground of unknown slope taken like unknown land. Slope is that of the grid's own cells.
    """
    asked = plan.scenario.footprint_fit
    if asked is None:
        return sites, None
    fits: list[Fit | None] = [None] * len(sites)
    places = np.full((len(sites), 2), np.nan)
    outlines, parcels = sites.geometry.to_numpy(), sites["parcel_id"].tolist()
    for block, some in _blocks(sites, plan.grid, hypot(*_sides(asked))):
        land = _Land(plan, ready, store, block, asked)
        for k in some:
            fits[k], places[k] = land.fit(outlines[k], parcels[k], asked.rotation)
    drawn = _parts(plan, sites, fits, places, asked)
    drawn = drawn.join(_acres(drawn, ready, parcels, shown))
    columns = _columns(fits, drawn, mine=plan.scenario.project == "mine").set_axis(sites.index)
    whole = sites.drop(columns="geometry").join(columns)
    kept = ["site_id", "part", "title", "acres", *(f"acres_{t}" for t in TENURES), "geometry"]
    return whole.set_geometry(sites.geometry, crs=sites.crs), drawn[kept]


def _sides(asked: FootprintFit) -> tuple[float, float]:
    """Length and width of the rectangle [m]."""
    width = sqrt(asked.area * 10_000 / asked.aspect)
    return width * asked.aspect, width


def _blocks(sites: gpd.GeoDataFrame, grid: Grid, reach: float) -> Iterator[tuple[Grid, list[int]]]:
    # Windows of the grid, and the sites that are fitted on each: all that they may reach.
    bounds = sites.bounds.to_numpy(float)
    margin = ceil(reach / 2 / grid.resolution) + 1
    left, bottom, right, top = bounds.T
    column, row = grid.indices((left + right) / 2, (bottom + top) / 2)
    square = np.stack([row // _BLOCK, column // _BLOCK], axis=1).astype(np.int64)
    _, block = np.unique(square, axis=0, return_inverse=True)
    for k in range(int(block.max(initial=-1)) + 1):
        some = np.flatnonzero(block.reshape(-1) == k)
        low, high = bounds[some].min(axis=0), bounds[some].max(axis=0)
        box = grid.covering(
            (low[0], low[1], high[2], high[3]),
            grid.crs,
            resolution=grid.resolution,
            origin=grid.origin,
        )
        yield box.grown(margin).within(grid), some.tolist()


class _Land:
    """What is known of the cells of one window."""

    def __init__(
        self, plan: Plan, ready: Prepared, store: Store, window: Grid, asked: FootprintFit
    ) -> None:
        self.window, self.sides = window, _sides(asked)
        status = store.read("status", window)
        self.free = status == constraints.CLEAR
        admits = plan.scenario.unknown_land == "admit"
        if admits:
            self.free |= status == constraints.UNKNOWN
        self.parcel = store.read("parcel", window)
        self.suitability = store.read("suitability", window)
        layer = next(
            (i for i in elevation_layers(plan.criteria, plan.rules) if i in ready.inputs.rasters),
            None,
        )
        if asked.max_slope is None or layer is None:
            return
        steep = Surfaces(ready.inputs, window).slope(layer)
        with np.errstate(invalid="ignore"):
            self.free &= (steep <= asked.max_slope.value) | (np.isnan(steep) & admits)

    def fit(
        self, outline: BaseGeometry, parcel: int, rotation: float
    ) -> tuple[Fit | None, tuple[float, float]]:
        """Where the rectangle lies on a site's land, and the place of its middle [m]."""
        size = self.window.resolution
        box = self.window.covering(
            outline.bounds, self.window.crs, resolution=size, origin=self.window.origin
        )
        near = box.grown(ceil(hypot(*self.sides) / 2 / size) + 1).within(self.window)
        at = self.window.window(near)
        inside = rasterize([outline], near.shape, transform=near.transform, dtype="uint8")
        own = self.free[at] & (self.parcel[at] == parcel)
        found = best_fit(
            own,
            inside > 0,
            self.suitability[at],
            (self.sides[0] / size, self.sides[1] / size),
            rotation=rotation,
        )
        left, _, _, top = near.bounds
        if found is None:
            return None, (np.nan, np.nan)
        return found, (left + found.centre[1] * size, top - found.centre[0] * size)


def _parts(
    plan: Plan,
    sites: gpd.GeoDataFrame,
    fits: Sequence[Fit | None],
    places: NDArray[np.float64],
    asked: FootprintFit,
) -> gpd.GeoDataFrame:
    # One row a part of each rectangle that fits, with the row of its site.
    areas = [p.area for p in asked.parts]
    there = [(k, f) for k, f in enumerate(fits) if f is not None and f.fits]
    shapes = [
        part
        for k, f in there
        for part in strips((places[k, 0], places[k, 1]), _sides(asked), f.bearing, areas)
    ]
    owner = np.repeat(np.array([k for k, _ in there], np.int64), len(areas))
    table = {
        "row": owner,
        "site_id": sites["site_id"].to_numpy(object)[owner],
        "part": [p.id for p in asked.parts] * len(there),
        "title": [p.title for p in asked.parts] * len(there),
    }
    return gpd.GeoDataFrame(table, geometry=shapes, crs=plan.grid.crs)


def _acres(
    parts: gpd.GeoDataFrame, ready: Prepared, parcels: Sequence[int], shown: Sequence[Shown]
) -> pd.DataFrame:
    register = ready.register.parcels.set_index("parcel_id")["mineral_status"]
    said = list(register.loc[[parcels[k] for k in parts["row"]]])
    acres = tenure_acres(parts.geometry.to_numpy(), shown, ready.claims, said)
    return acres.add_prefix("acres_").assign(acres=acres.sum(axis=1))


def _columns(fits: Sequence[Fit | None], parts: pd.DataFrame, *, mine: bool) -> pd.DataFrame:
    names = ["acres", *(f"acres_{t}" for t in TENURES)]
    # Where nothing fits, no acre is known.
    whole = parts.groupby("row")[names].sum().reindex(range(len(fits)))
    lacks = [
        tenure_words(a, o) if mine and there else ""
        for a, o, there in zip(
            whole["acres"], whole["acres_open"], whole["acres"].notna(), strict=True
        )
    ]
    return pd.DataFrame(
        {
            "footprint_fits": ["yes" if f and f.fits else "no" for f in fits],
            "footprint_fit_pct": [100 * f.share if f else np.nan for f in fits],
            "footprint_rotation_deg": [f.bearing if f and f.fits else np.nan for f in fits],
            **{f"footprint_{name}": whole[name].astype(float) for name in names},
            "footprint_tenure": lacks,
        }
    )
