"""The whole flow on one page: from a plan to ranked sites."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geosite import constraints
from geosite.accounting import removal
from geosite.candidates import candidates, outlined
from geosite.description import authority_column, deposit_columns, inventory, land_columns
from geosite.engine import mapped
from geosite.errors import CapacityError, CoverageError
from geosite.parcels import located
from geosite.pieces import KEYS, summed_rule_sets
from geosite.planning import TILE, Plan, plan
from geosite.prepare import Prepared, prepare
from geosite.sites import best_of_each, ranked, rules_touching
from geosite.store import Store
from geosite.tile import TileResult, tile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosite.grid import Grid

__all__ = ["Analysis", "Plan", "analyse", "plan"]

WORKERS = 2
CHUNK = 512
"""Side of a chunk of the store [cells]: small, because a parcel is read by itself."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was found.

    Attributes
    ----------
    sites : GeoDataFrame, in the grid's CRS
        Ranked; best first.
    removed : DataFrame
        Land that each hard rule removes, see `accounting.removal`.
    inventory : DataFrame
        Parcel × deposit.
    status_ha : mapping of state to area [ha]
        Of the AOI: not offered, excluded, unknown, clear.
    left_out : mapping of reason to (number, area [ha])
        Candidate land that became no site.
    """

    plan: Plan
    prepared: Prepared
    store: Store
    windows: tuple[Grid, ...]
    sites: gpd.GeoDataFrame
    rule_sets: pd.DataFrame
    removed: pd.DataFrame
    inventory: pd.DataFrame
    status_ha: Mapping[str, float]
    left_out: Mapping[str, tuple[int, float]]
    timings: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Found:
    # The small part of a tile's result, which is joined; the large part is in the store.
    pieces: pd.DataFrame
    rule_sets: pd.DataFrame
    border: tuple[NDArray[np.int64], ...]
    status: NDArray[np.int64]


def analyse(
    plan: Plan,
    store: Path,
    *,
    allow_missing: bool = False,
    workers: int = WORKERS,
    tile_size: int = TILE,
) -> Analysis:
    """Read, tile and join: everything a plan promises.

    Parameters
    ----------
    store : Path
        Folder for the surfaces; made anew.
    allow_missing : bool
        Go on without layers that are missing: what they would say is unknown.
    tile_size : int
        Side of a tile [cells]; it changes memory and time, never an answer.

    Raises
    ------
    CapacityError
        If the tiles do not fit the machine's memory.
    MissingLayerError, LayerDataError, CRSMismatchError, CoverageError
        See `prepare` and the readers.
    """
    clock = _Clock()
    _refuse_too_large(plan, workers, tile_size)
    ready = prepare(plan, allow_missing=allow_missing)
    _refuse_landscapes(plan, ready)
    clock.lap("prepare")
    windows = plan.tiles(tile_size)
    surfaces = _store(plan, store, tile_size)

    def work(window: Grid) -> _Found:
        found = tile(ready.inputs, window)
        _write(surfaces, found)
        counts = np.bincount(found.status.ravel(), minlength=len(constraints.STATUS_NAMES))
        return _Found(found.pieces, found.rule_sets, found.border, counts)

    found = mapped(work, windows, workers=workers)
    clock.lap("tiles")
    pieces, groups, left_out = candidates(
        plan, ready, surfaces, windows, [f.pieces for f in found], [f.border for f in found]
    )
    clock.lap("join")
    sites = _table(plan, ready, pieces, groups)
    sites = _outlined(plan, surfaces, windows, pieces, groups, sites)
    # A parcel may be as large as a state: a site lies in the county it lies in.
    located(sites, ready.counties, ready.states, ready.places)
    clock.lap("sites")
    rule_sets = summed_rule_sets([f.rule_sets for f in found])
    area = plan.grid.cell_area
    status = sum((f.status for f in found), np.zeros(len(constraints.STATUS_NAMES), np.int64))
    return Analysis(
        plan,
        ready,
        surfaces,
        tuple(windows),
        sites,
        rule_sets,
        removal(rule_sets, plan.rules, plan.treatments, ready.inputs.offered, cell_ha=area),
        inventory(ready.deposits, ready.register.parcels),
        {n: float(status[k] * area) for k, n in enumerate(constraints.STATUS_NAMES) if k},
        left_out,
        clock.laps,
    )


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = now - self._last
        self._last = now


def _refuse_too_large(plan: Plan, workers: int, tile_size: int) -> None:
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    needed = plan.memory(workers=workers, size=tile_size)
    if needed > there:
        msg = (
            f"grid: cells of {plan.grid.resolution:g} m with a halo of {plan.halo:,} cells need "
            f"about {needed / 1e9:.1f} GB of memory, and this machine has {there / 1e9:.1f} GB; "
            "give a coarser --resolution"
        )
        raise CapacityError(msg)


def _refuse_landscapes(plan: Plan, ready: Prepared) -> None:
    unit = plan.scenario.sites
    if unit.unit != "parcel":
        return
    parcels = ready.register.parcels
    large = parcels[ready.inputs.offered[1:] & (parcels["area_ha"] > unit.max_parcel)]
    if len(large):
        names = ", ".join(
            f"{n} ({a / 100:,.0f} km²)"
            for n, a in zip(large["name"].head(5), large["area_ha"].head(5), strict=True)
        )
        msg = (
            f"sites.unit parcel: {len(large)} parcels are larger than max_parcel "
            f"({unit.max_parcel / 100:,.0f} km²): {names}; such land is no installation. "
            "Use sites.unit patch (or deposit for a mine), raise max_parcel, or offer other land"
        )
        raise CoverageError(msg)


def _store(plan: Plan, path: Path, tile_size: int) -> Store:
    rules, criteria = len(plan.rules), len(plan.criteria)
    pads = {"pad": (None, "i4", 0)} if plan.scenario.sites.unit == "parcel" else {}
    return Store.create(
        path,
        plan.grid,
        {
            "status": (None, "u1", 0),
            "planes": (constraints.plane_count(rules), constraints.plane_dtype(rules), 0),
            "parcel": (None, "i4", 0),
            "piece": (None, "i4", 0),
            "suitability": (None, "f4", np.nan),
            "measures": (criteria, "f4", np.nan),
            "effective": (criteria, "f4", np.nan),
            **pads,
        },
        chunk=CHUNK if tile_size % CHUNK == 0 else tile_size,
    )


def _write(store: Store, found: TileResult) -> None:
    if not found.status.any():
        return
    store.write(found.window, {n: getattr(found, n) for n in ("status", "planes", "parcel")})
    if found.active.any():
        store.write(found.window, {n: getattr(found, n) for n in ("piece", "suitability")})
        store.write_cells("measures", found.window, found.active, found.measures)
        store.write_cells("effective", found.window, found.active, found.effective)


def _table(
    plan: Plan, ready: Prepared, pieces: pd.DataFrame, groups: NDArray[np.int64]
) -> pd.DataFrame:
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
    summed = summed.loc[table.index]
    table = table.join(land_columns(table.index, parcels.loc[summed["parcel"]]))
    if plan.scenario.evidence is not None and plan.scenario.sites.unit == "deposit":
        table = table.join(deposit_columns(table, chosen, ready.deposits))
        # What has no name is called by its place, like a parcel.
        table["name"] = table["deposits"].str.split("; ").str[0]
    else:
        table["commodities"], table["name"] = "", table["parcel"]
    if plan.scenario.sites.unit == "parcel":
        # One name in two states is two installations.
        table["state"] = parcels["state"].loc[summed["parcel"]].to_numpy()
        table = best_of_each(table, ["agency", "unit", "parcel", "state"])
        summed = summed.loc[table.index]
    table["authority"], table["disposal"] = authority_column(
        list(table["agency"]),
        list(table["commodities"]),
        ready.authorities,
        plan.rulebook.commodities,
    )
    for column, values in rules_touching(summed, plan.rules, plan.treatments).items():
        table[column] = values
    for column in ("parcel_mean", "parcel_p90"):
        if column in summed:
            table[f"suitability_{column}"] = summed[column]
    table["data_oldest"] = _oldest(plan)
    table["as_of"] = plan.as_of.isoformat()
    return table


def _oldest(plan: Plan) -> str:
    # The oldest year that a layer of the run says of itself; words such as "about" do not sort.
    missing = {u.layer for u in plan.missing}
    said = (plan.catalog[u.layer].vintage for u in plan.uses if u.layer not in missing)
    return min((y for text in said for y in re.findall(r"\b(?:18|19|20)\d\d\b", text)), default="")


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
    return gpd.GeoDataFrame(table.reset_index(drop=True), geometry=shapes, crs=plan.grid.crs)
