"""A back-test: whether the evidence surface finds known sites without having seen them.

Whatever is recorded within the leak distance of a known site is taken out of the evidence
before the surface is worked out, with the rest of the same deposits and, farther out, what has
the site's own name: layers place one deposit many kilometres apart, and no site may be found by
its own record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geosite import prospectivity
from geosite.coarse import Coarse
from geosite.crs import WGS84, projected, projected_bounds, transformed
from geosite.deposits import deposits
from geosite.errors import CatalogError, CoverageError
from geosite.ground import records, surveyed
from geosite.leaks import in_blocks, namesakes, near
from geosite.library import Library
from geosite.likelihoods import refuse_barren, report
from geosite.manifest import is_synthetic, notice
from geosite.model.prospectivity import Prospectivity
from geosite.prepare import prepare, refuse_missing
from geosite.report.backtest_content import (
    ALL_LAND,
    LIKELIHOOD,
    NAMESAKE,
    PLAIN,
    WITHIN_STATE,
    Backtest,
)
from geosite.spots import spots
from geosite.validation import Standing, block_folds, standing, standing_within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosite.ground import Surveyed
    from geosite.model.scenario import Evidence, Scenario
    from geosite.planning import Plan

IN, OFF, OUTSIDE = "in", "off land", "outside"
"""Where a site lies: on land of the AOI, in the AOI but on no land, outside the AOI."""

Said = Callable[[str], None]
"""Told of each step."""


@dataclass(frozen=True, slots=True)
class Means:
    """How a back-test is done.

    Attributes
    ----------
    leak : float, optional
        What is recorded so near to a known site is taken out [m]; the scenario's by default.
    folds : int
        Parts in which the scenario's own deposits are held out, where no sites are given.
    block : float
        Side of the square blocks that are held out whole [m].
    seed : int
        Of the folds and of the samples that intervals come from.
    """

    leak: float | None = None
    folds: int = 5
    block: float = 25_000.0
    seed: int = 0
    allow_missing: bool = False


def of_known(plan: Plan, known: gpd.GeoDataFrame, about: str, means: Means, said: Said) -> Backtest:
    """How well the evidence surface finds known sites, and what the rules say of them.

    Parameters
    ----------
    known : GeoDataFrame
        ``name`` and points, in any CRS.
    about : str
        Where they come from, for people.

    Raises
    ------
    CatalogError
        If the scenario reads no mineral evidence.
    CoverageError
        If no site lies on land of the AOI, or no evidence is left.
    MissingLayerError
        If layers are missing and that was not allowed.
    """
    test = _Test.begun(plan, means, said)
    sites = _placed(known, plan, about)
    xy = sites[["x", "y"]].to_numpy(float)
    leaking = test.leaking(sites, near(test.found, xy, test.surface.leak))
    said(f"working out the evidence surface without {int(leaking.sum()):,} records")
    sites, standings, fitted = test.ranked(sites, leaking)
    if not len(standings[LIKELIHOOD][ALL_LAND]):
        raise CoverageError(_nowhere(sites, plan, about))
    said("reading the rules at the sites")
    sites = _with_rules(sites, plan, means)
    return test.told(
        sites, standings, fitted, f"{len(sites):,} known sites of {about}", _by_layer(test, leaking)
    )


def of_folds(plan: Plan, means: Means, said: Said) -> Backtest:
    """How well the evidence surface finds the scenario's own deposits, held out block by block.

    Held out are the named deposits that the surface learns from, with everything in their
    blocks and within the leak distance of them. The rules are not read: they say nothing of a
    surface.

    Raises
    ------
    CatalogError, CoverageError, MissingLayerError
        As `of_known`; CoverageError also if fewer blocks than folds hold a deposit.
    """
    test = _Test.begun(plan, means, said)
    ore = _ore(test)
    fold = _folds(ore, plan, means, test.surface.known_classes)
    parts, standings, removed = [], [], []
    fitted: dict[str, Any] = {}
    for k in range(means.folds):
        mine = ore[fold == k].assign(fold=k + 1).reset_index(drop=True)
        xy = mine[["x", "y"]].to_numpy(float)
        held = near(test.found, xy, test.surface.leak) | in_blocks(test.found, xy, means.block)
        leaking = test.leaking(mine, held)
        said(f"fold {k + 1} of {means.folds}: {len(mine):,} deposits are held out")
        part, ranks, fitted = test.ranked(mine, leaking)
        parts.append(part)
        standings.append(ranks)
        removed.append(_by_layer(test, leaking))
    pooled = {
        name: {scope: _together([s[name][scope] for s in standings]) for scope in scopes}
        for name, scopes in standings[0].items()
    }
    total: dict[str, int] = {}
    for counts in removed:
        total = {i: total.get(i, 0) + n for i, n in counts.items()}
    about = (
        f"{len(ore):,} named deposits of the scenario's own evidence, held out in {means.folds} "
        f"folds of blocks of {means.block / 1000:g} km"
    )
    return test.told(pd.concat(parts, ignore_index=True), pooled, fitted, about, total)


Standings = dict[str, dict[str, Standing]]


@dataclass(frozen=True, slots=True)
class _Test:
    # What is read once, and what of it every fold does.
    plan: Plan
    means: Means
    spec: Evidence
    surface: Prospectivity
    library: Library
    there: Surveyed
    found: pd.DataFrame
    deposit: NDArray[np.int64]
    """Of each record the deposit that it is merged into, −1 of what is no part of any."""

    @classmethod
    def begun(cls, plan: Plan, means: Means, said: Said) -> _Test:
        spec, surface = _specs(plan.scenario, means)
        refuse_missing(plan, allow_missing=means.allow_missing)
        said("reading the evidence")
        library = Library(plan)
        there, found = surveyed(library, surface), records(library, spec)
        deposit = np.full(len(found), -1, np.int64)
        for k, rows in enumerate(deposits(found, spec)["rows"]):
            deposit[list(rows)] = k
        return cls(plan, means, spec, surface, library, there, found, deposit)

    def leaking(self, sites: pd.DataFrame, near_by: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Records that are taken out: those near by, all of their deposits, and namesakes."""
        out = near_by | namesakes(self.found, sites, NAMESAKE * self.surface.leak)
        return out | np.isin(self.deposit, np.setdiff1d(self.deposit[out], [-1]))

    def ranked(
        self, sites: pd.DataFrame, leaking: NDArray[np.bool_]
    ) -> tuple[pd.DataFrame, Standings, dict[str, Any]]:
        """Sites with what the surfaces say there, worked out without the leaking records."""
        kept = self.found[~leaking].reset_index(drop=True)
        refuse_barren(self.library, kept)
        ground = self.there.ground
        fitted = prospectivity.likelihood(kept, ground, self.surface)
        plain = prospectivity.plain_sum(kept, ground)
        at = sites["x"].to_numpy(float), sites["y"].to_numpy(float)
        values = Coarse(ground.grid, fitted.values).at(*at)
        inside = shapely.contains_xy(self.plan.aoi, *at)
        good = inside & ~np.isnan(values)
        state = np.nan_to_num(Coarse(ground.grid, ground.state).at(*at)).astype(int)
        names = np.array(["", *self.there.states], object)
        share = 100 * Coarse(ground.grid, fitted.rank).at(*at)
        sites = sites.assign(
            place=np.where(good, IN, np.where(inside, OFF, OUTSIDE)),
            state=names[state],
            likelihood=np.where(good, values, np.nan),
            uncertainty=np.where(good, Coarse(ground.grid, fitted.uncertainty).at(*at), np.nan),
            likelihood_pct=np.where(good, share, np.nan),
        )
        land = ~np.isnan(fitted.values)
        groups = ground.state[land]
        standings: Standings = {}
        for name, surface in ((LIKELIHOOD, fitted.values), (PLAIN, plain)):
            there, here = surface[land], Coarse(ground.grid, surface).at(*at)[good]
            standings[name] = {
                WITHIN_STATE: standing_within(there, groups, here, state[good]),
                ALL_LAND: standing(there, here) if len(here) else Standing(here, here),
            }
        return sites, standings, report(self.there, self.surface, fitted.report, kept)

    def told(
        self,
        sites: pd.DataFrame,
        standings: Standings,
        fitted: dict[str, Any],
        about: str,
        removed: dict[str, int],
    ) -> Backtest:
        """What is reported."""
        plan = self.plan
        lon, lat = transformed(
            sites["x"].to_numpy(float), sites["y"].to_numpy(float), plan.grid.crs, WGS84
        )
        used = {u.layer for u in plan.uses if not u.missing}
        return Backtest(
            title=plan.scenario.title,
            scenario=plan.scenario.name,
            aoi=plan.aoi_name,
            as_of=plan.as_of.isoformat(),
            notice=notice(plan),
            marking=plan.scenario.marking,
            synthetic=is_synthetic(plan, used),
            about=about,
            leak_m=self.surface.leak,
            seed=self.means.seed,
            sites=sites.assign(longitude=lon, latitude=lat),
            standings=standings,
            removed=removed,
            surface=fitted,
            rules=tuple(plan.rules),
            missing=tuple(plan.missing_lines),
            notes=plan.notes,
        )


def _specs(scenario: Scenario, means: Means) -> tuple[Evidence, Prospectivity]:
    if scenario.evidence is None:
        msg = (
            f"scenario {scenario.name} reads no mineral evidence, so there is nothing to test; "
            "use a scenario with an evidence section, such as mine/open-pit"
        )
        raise CatalogError(msg)
    surface = scenario.evidence.surface or Prospectivity()
    leak = surface.leak if means.leak is None else means.leak
    return scenario.evidence, surface.model_copy(update={"leak": leak})


def _by_layer(test: _Test, leaking: NDArray[np.bool_]) -> dict[str, int]:
    counts = test.found.loc[leaking, "layer"].value_counts()
    return {str(i): int(counts.get(i, 0)) for i in sorted(set(test.found["layer"]))}


def _placed(known: gpd.GeoDataFrame, plan: Plan, about: str) -> pd.DataFrame:
    """Known sites on the grid's CRS: ``name, x, y`` [m]."""
    at = projected(known, plan.grid.crs).geometry
    sites = pd.DataFrame({"name": list(known["name"]), "x": at.x, "y": at.y})
    if lost := int((~np.isfinite(sites[["x", "y"]].to_numpy(float)).all(axis=1)).sum()):
        msg = (
            f"{about}: {lost:,} of {len(sites):,} sites have no place in {plan.grid.crs.name}; are "
            "their coordinates in the CRS that the file carries?"
        )
        raise CoverageError(msg)
    inside = shapely.contains_xy(plan.aoi, sites["x"], sites["y"])
    if not inside.any():
        degrees = projected(known, WGS84).total_bounds
        west, south, east, north = projected_bounds(plan.aoi.bounds, plan.grid.crs, WGS84)
        msg = (
            f"{about}: none of its {len(known):,} sites lies in the AOI {plan.aoi_name}: they "
            "reach from {:.2f}, {:.2f} to {:.2f}, {:.2f} degrees, ".format(*degrees)
            + f"the AOI from {west:.2f}, {south:.2f} to {east:.2f}, {north:.2f}; are longitude "
            "and latitude swapped? Or name another --aoi"
        )
        raise CoverageError(msg)
    return sites


def _nowhere(sites: pd.DataFrame, plan: Plan, about: str) -> str:
    off = int((sites["place"] == OFF).sum())
    return (
        f"{about}: {off:,} sites lie in the AOI {plan.aoi_name}, and none on land that the "
        "evidence surface knows: lakes are left out; check their coordinates"
    )


def _ore(test: _Test) -> pd.DataFrame:
    """Deposits that are held out, ``name, x, y`` [m]: what the model learns from, on its land."""
    found = prospectivity.known_deposits(test.found, test.surface)
    on = test.there.ground.cells_of(found[["x", "y"]].to_numpy(float)) >= 0
    ore: pd.DataFrame = found.loc[on, ["name", "x", "y"]].reset_index(drop=True)
    return ore


def _folds(
    ore: pd.DataFrame, plan: Plan, means: Means, classes: tuple[str, ...]
) -> NDArray[np.int64]:
    xy = ore[["x", "y"]].to_numpy(float)
    blocks = len(np.unique(np.floor(xy / means.block), axis=0))
    if blocks < means.folds:
        msg = (
            f"--folds {means.folds}: {len(ore):,} named deposits ({', '.join(classes)}) "
            f"in {plan.aoi_name} lie in {blocks:,} blocks of {means.block / 1000:g} km, expected "
            "at least as many blocks as folds; widen the AOI, give fewer --folds or a smaller "
            "--block, or bring known sites with --known"
        )
        raise CoverageError(msg)
    return block_folds(xy, block=means.block, folds=means.folds, seed=means.seed)


def _together(parts: list[Standing]) -> Standing:
    return Standing(
        np.concatenate([p.above for p in parts]), np.concatenate([p.level for p in parts])
    )


def _with_rules(sites: pd.DataFrame, plan: Plan, means: Means) -> pd.DataFrame:
    """Sites with what rules and criteria say there; nothing is said outside the AOI."""
    ready = prepare(_without_surface(plan), allow_missing=means.allow_missing)
    decided = spots(plan, ready.inputs, sites[["x", "y"]].to_numpy(float))
    return sites.assign(
        status=[s.status for s in decided],
        offered=[s.offered for s in decided],
        excluded_by=["; ".join(s.against) for s in decided],
        cannot_tell=["; ".join(s.unsure) for s in decided],
        suitability=[s.suitability for s in decided],
    )


def _without_surface(plan: Plan) -> Plan:
    # The whole evidence is no part of the test; it is worked out only where suitability reads it.
    spec = plan.scenario.evidence
    reads = any(c.reading and c.reading.measure.kind == "likelihood" for c in plan.criteria)
    if spec is None or reads:
        return plan
    bare = plan.scenario.model_copy(update={"evidence": spec.model_copy(update={"surface": None})})
    return replace(plan, scenario=bare)
