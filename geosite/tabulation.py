"""The table of sites: ranked, outlined, told whose they are and by which law they could go."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geosite import readiness
from geosite.accuracy import possible_rules
from geosite.authority import authority_columns
from geosite.candidates import outlined
from geosite.description import deposit_columns, deposits_in_reach, land_columns
from geosite.findings import concerned, coverage, rule_shares, rules_touching
from geosite.parcels import located
from geosite.permitting import Law
from geosite.pieces import KEYS
from geosite.sites import (
    best_of_each,
    decision_matrix,
    in_order,
    matrix_table,
    ranked,
    rescored,
)
from geosite.tenure import COLUMNS, Shown, tenure_columns
from geosite.voices import no_regret, voice_column, voice_ranks
from geosite.weighting import voices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geosite.grid import Grid
    from geosite.matrix import Matrix
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
) -> tuple[gpd.GeoDataFrame, pd.DataFrame, tuple[int, float]]:
    """Sites, best first, in the grid's CRS; their matrix; how many no law makes available [ha].

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
    evidence, unit = plan.scenario.evidence, plan.scenario.sites.unit
    if evidence is not None and unit == "deposit":
        table = table.join(_named(deposit_columns(table, chosen, ready.deposits)))
    elif evidence is None or unit != "patch":
        table["commodities"], table["name"] = "", table["parcel"]
    # One name in two states is two installations.
    table["state"] = land["state"].to_numpy()
    sites = _outlined(plan, store, windows, pieces, groups, table)
    if evidence is not None and unit == "patch":
        # Which deposits stand behind a patch follows from its outline.
        near = deposits_in_reach(sites, ready.deposits, evidence.reach)
        sites = sites.join(_named(deposit_columns(sites, near, ready.deposits)))
    sites, without = _with_authority(plan, ready, sites)
    if plan.scenario.sites.unit == "parcel":
        sites = best_of_each(sites, ["agency", "unit", "parcel", "state"])
    else:
        sites = in_order(sites)
    if plan.scenario.combination.kind == "topsis":
        # The ideal points are of the sites that are listed, not of those that have left.
        listed = decision_matrix(summed.loc[sites.index], plan.criteria)
        sites = rescored(sites, listed, plan.scenario)
    summed = summed.loc[sites.index]
    listed = decision_matrix(summed, plan.criteria)
    matrix = matrix_table(listed, sites["site_id"])
    sites = _with_voices(plan, sites, listed)
    sites = _with_rules(plan, ready, sites, summed)
    law = Law.of(plan.rulebook.permits, plan.rulebook.commodities, plan.scenario, plan.as_of)
    axes = readiness.columns(sites, summed, plan.rules, plan.treatments, law)
    sites[list(axes)] = axes
    for column, values in _beside(ready, sites, summed).items():
        sites[column] = values
    sites["data_oldest"] = _oldest(plan)
    sites["as_of"] = plan.as_of.isoformat()
    # A parcel may be as large as a state: a site lies in the county it lies in.
    sites = sites[[*sites.columns.drop("geometry"), "geometry"]].reset_index(drop=True)
    located(sites, ready.counties, ready.states, ready.places)
    return sites, matrix, without


def _beside(ready: Prepared, sites: gpd.GeoDataFrame, summed: pd.DataFrame) -> dict[str, Any]:
    # What stands beside the ranking and is no part of it, where the run has it.
    names = {
        "parcel_mean": "suitability_parcel_mean",
        "parcel_p90": "suitability_parcel_p90",
        "compactness": "compactness",
    }
    found: dict[str, Any] = {new: summed[old] for old, new in names.items() if old in summed}
    if ready.surface is not None:
        found |= ready.surface.site_columns(sites.geometry.to_numpy())
    return found


def _with_voices(plan: Plan, sites: gpd.GeoDataFrame, matrix: Matrix) -> gpd.GeoDataFrame:
    # How each stakeholder alone would rank them, and what is among the first ten of all.
    scenario, ids = plan.scenario, list(sites["site_id"])
    heard = voices(scenario.weighting, matrix.ids)
    each = voice_ranks(matrix, heard, scenario.combination, scenario.missing, ids)
    if not each:
        return sites
    kept = np.zeros(len(sites), bool)
    kept[no_regret([*each.values()])] = True
    columns = {
        voice_column(n): pd.Series(r, index=sites.index).astype("Int64") for n, r in each.items()
    }
    return sites.assign(**columns, no_regret=kept)


def _named(deposits: pd.DataFrame) -> pd.DataFrame:
    # What has no name is called by its place, like a parcel.
    return deposits.assign(name=deposits["deposits"].str.split("; ").str[0])


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
    told = tenure_columns(sites, shown(plan, ready), register)
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
    sites["rules_share_pct"] = rule_shares(summed, plan.rules, plan.treatments, speaks)
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


def shown(plan: Plan, ready: Prepared) -> list[Shown]:
    """What is to be had for each entry of the scenario's tenure, in its order."""
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
