"""The table of sites: ranked, outlined, told whose they are and by which law they could go."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geosite import readiness
from geosite.accuracy import possible_rules
from geosite.authority import authority_columns
from geosite.candidates import outlined
from geosite.description import deposit_columns, land_columns
from geosite.findings import concerned, coverage, rules_touching
from geosite.parcels import located
from geosite.permitting import Law
from geosite.pieces import KEYS
from geosite.sites import best_of_each, in_order, ranked
from geosite.tenure import COLUMNS, Shown, tenure_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geosite.grid import Grid
    from geosite.planning import Plan
    from geosite.prepare import Prepared
    from geosite.store import Store


def site_table(
    plan: Plan,
    ready: Prepared,
    store: Store,
    windows: Sequence[Grid],
    pieces: pd.DataFrame,
    groups: NDArray[np.int64],
) -> tuple[gpd.GeoDataFrame, tuple[int, float]]:
    """Sites, best first, in the grid's CRS; and how many no law could make available [ha].

    Parameters
    ----------
    pieces : DataFrame
        From `candidates.candidates`.
    groups : (pieces,) int64
        Site number, -1 for a piece of no site.

    Notes
    -----
    A site that no instrument of its agency fits, for its minerals on its land, is no
    candidate and leaves the list before it is ranked.
    """
    chosen = pieces[groups >= 0].assign(site=groups[groups >= 0])
    grouped = chosen.groupby("site", sort=True)
    summed = grouped[[c for c in pieces.columns if c not in (*KEYS, "anchor")]].sum()
    summed["anchor"] = grouped["anchor"].min()
    summed["parcel"] = grouped["parcel"].min()
    parcels = ready.register.parcels.set_index("parcel_id")
    table = ranked(
        summed,
        plan.scenario,
        plan.criteria,
        list(parcels["agency"].loc[summed["parcel"]]),
        resolution=plan.grid.resolution,
    )
    land = parcels.loc[summed.loc[table.index, "parcel"]]
    table = table.join(land_columns(table.index, land))
    if plan.scenario.evidence is not None and plan.scenario.sites.unit == "deposit":
        table = table.join(deposit_columns(table, chosen, ready.deposits))
        # What has no name is called by its place, like a parcel.
        table["name"] = table["deposits"].str.split("; ").str[0]
    else:
        table["commodities"], table["name"] = "", table["parcel"]
    # One name in two states is two installations.
    table["state"] = land["state"].to_numpy()
    sites = _outlined(plan, store, windows, pieces, groups, table)
    sites, without = _with_authority(plan, ready, sites)
    if plan.scenario.sites.unit == "parcel":
        sites = best_of_each(sites, ["agency", "unit", "parcel", "state"])
    else:
        sites = in_order(sites)
    summed = summed.loc[sites.index]
    sites = _with_rules(plan, ready, sites, summed)
    law = Law.of(plan.rulebook.permits, plan.rulebook.commodities, plan.scenario, plan.as_of)
    axes = readiness.columns(sites, summed, plan.rules, plan.treatments, law)
    sites[list(axes)] = axes
    for column in ("parcel_mean", "parcel_p90"):
        if column in summed:
            sites[f"suitability_{column}"] = summed[column]
    if ready.surface is not None:
        for column, values in ready.surface.site_columns(sites.geometry.to_numpy()).items():
            sites[column] = values
    sites["data_oldest"] = _oldest(plan)
    sites["as_of"] = plan.as_of.isoformat()
    # A parcel may be as large as a state: a site lies in the county it lies in.
    sites = sites[[*sites.columns.drop("geometry"), "geometry"]].reset_index(drop=True)
    located(sites, ready.counties, ready.states, ready.places)
    return sites, without


def _outlined(
    plan: Plan,
    store: Store,
    windows: Sequence[Grid],
    pieces: pd.DataFrame,
    groups: NDArray[np.int64],
    table: pd.DataFrame,
) -> gpd.GeoDataFrame:
    number = pd.Series(np.arange(1, len(table) + 1), index=table.index)
    sites = number.reindex(groups, fill_value=0).to_numpy(np.int64)
    shapes = outlined(plan, store, windows, pieces, sites)
    return gpd.GeoDataFrame(table, geometry=shapes, crs=plan.grid.crs)


def _with_authority(
    plan: Plan, ready: Prepared, sites: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, tuple[int, float]]:
    register = {c: list(sites[c]) for c in COLUMNS}
    told = tenure_columns(sites, _shown(plan, ready), register)
    sites[list(told)] = told
    law = authority_columns(sites, ready.authorities, plan.rulebook.commodities)
    sites[["authority", "disposal"]] = law[["authority", "disposal"]]
    none = sites[~law["is_available"]]
    return sites[law["is_available"]], (len(none), float(none["area_ha"].sum()))


def _with_rules(
    plan: Plan, ready: Prepared, sites: gpd.GeoDataFrame, summed: pd.DataFrame
) -> gpd.GeoDataFrame:
    speaks = concerned(sites, plan.rules, plan.treatments)
    for column, values in rules_touching(summed, plan.rules, plan.treatments, speaks).items():
        sites[column] = values
    touched = summed[[f"against{r}" for r in range(len(plan.rules))]].to_numpy(np.int64) > 0
    sites["rules_possible"] = possible_rules(
        sites.geometry.to_numpy(),
        touched.reshape(speaks.shape) | ~speaks,
        [_accuracy(plan, r.layer) for r in plan.rules],
        ready.inputs,
        ready.exclusions,
        plan.grid,
    )
    for column, share in coverage(summed, plan.treatments, speaks).items():
        sites[column] = share
    return sites


def _accuracy(plan: Plan, layer: str) -> float | None:
    if layer not in plan.catalog:
        return None
    return plan.catalog[layer].positional_accuracy


def _shown(plan: Plan, ready: Prepared) -> list[Shown]:
    entries = zip(plan.scenario.land.tenure, ready.tenure, ready.tenure_land, strict=True)
    return [
        Shown(entry, land, None if told is None else shapely.union_all(told.geometry.to_numpy()))
        for entry, land, told in entries
    ]


def _oldest(plan: Plan) -> str:
    # The oldest year that a layer of the run says of itself; words such as "about" do not sort.
    missing = {u.layer for u in plan.missing}
    said = (plan.catalog[u.layer].vintage for u in plan.uses if u.layer not in missing)
    return min((y for text in said for y in re.findall(r"\b(?:18|19|20)\d\d\b", text)), default="")
