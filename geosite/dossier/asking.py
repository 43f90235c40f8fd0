"""The dossier of the sites of a run, or of drawn areas: what is asked, and of which outlines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geosite.authority import instruments
from geosite.crs import WGS84, local_equal_area, parsed_crs, projected
from geosite.dossier import gaps, heading
from geosite.dossier.areas import Areas, degrees_around, suited_crs
from geosite.dossier.cells import cells_of, not_read
from geosite.dossier.findings import asked, findings
from geosite.dossier.nearby import Nearby
from geosite.dossier.reviewed import verdicts
from geosite.errors import CoverageError
from geosite.manifest import notice
from geosite.needs import reach
from geosite.permitting import Law, Site, needs
from geosite.planning import plan
from geosite.report.dossier_content import Dossier, Finding, Gap, Line, Page
from geosite.report.text import plain, split_names
from geosite.run_shape import scenario_of
from geosite.tenure import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from geosite.catalog import Catalog, Rulebook
    from geosite.model.scenario import Scenario
    from geosite.permitting import Needs
    from geosite.planning import Plan
    from geosite.report.dossier_content import Group, Verdict
    from geosite.runs import Run

RING = 8046.72
"""Ring round a site, by default [m]: five miles."""
LOOK = 50_000.0
"""How far a nearest feature is looked for, at least as far as the widest rule and ring [m]."""
_ALASKA = "EPSG:3338"
_KNOWN = (*COLUMNS, "commodities")
_SILENT = "the area lies outside the land that the layers speak for"
_OFF = "The area lies outside every land layer and state that is read: nothing here is examined."


@dataclass(frozen=True, slots=True)
class Means:
    """What a dossier is made with.

    Parameters
    ----------
    fetched : Path or None
        Folder of what was fetched.
    ring : float
        Features so near are named [m].
    """

    catalog: Catalog
    rulebook: Rulebook
    data: Path
    fetched: Path | None = None
    ring: float = RING


def of_run(run: Run, means: Means, *, top: int = 10, site: str | None = None) -> Dossier:
    """The dossier of the best sites of a run, or of one of them.

    Raises
    ------
    CoverageError
        If the run has no such site, or none at all.
    """
    chosen = _chosen(run, top, site)
    scenario = scenario_of(run.manifest, run.path)
    sites = chosen[["site_id", "name", "geometry"]].reset_index(drop=True)
    planned = _planned(scenario, sites, means, date.fromisoformat(run.manifest["as_of"]))
    rows = [{str(k): v for k, v in r.items()} for r in chosen.to_dict("records")]
    parcels = run.layer("parcels")
    total = int(run.manifest["sites"])
    return _made(
        planned,
        sites,
        means,
        about=f"run {run.path.resolve().name}",
        lines=[heading.ranked_lines(row, total, means.rulebook.permits.pathways) for row in rows],
        managed=heading.register_managers(sites, parcels),
        cells=cells_of(run, sites),
        known={str(r["site_id"]): {k: plain(r.get(k)) for k in _KNOWN} for r in rows},
        told=_changed(run, planned),
        decided=verdicts(run, sites),
    )


def _chosen(run: Run, top: int, site: str | None) -> gpd.GeoDataFrame:
    sites = run.sites.sort_values("rank", kind="stable")
    if sites.empty:
        msg = f"{run.path}: this run found no site; draw an area and review it with --polygon"
        raise CoverageError(msg)
    if site is None:
        return sites.head(top)
    found = sites[sites["site_id"].astype(str).str.casefold() == site.casefold()]
    if found.empty:
        some = ", ".join(plain(i) for i in sites["site_id"].head(5))
        msg = f"{run.path}: there is no site {site!r} in this run; sites are {some} …"
        raise CoverageError(msg)
    return found


def _changed(run: Run, planned: Plan) -> tuple[Gap, ...]:
    # The rulebook may have grown since: the run's cells know nothing of a newer rule.
    before = {r["id"] for r in run.manifest["rules"]}
    new = sorted({r.id for r in planned.rules} - before)
    gone = sorted(before - {r.id for r in planned.rules})
    words = [f"new since the run: {', '.join(new)}"] if new else []
    words += [f"no longer in the rulebook: {', '.join(gone)}"] if gone else []
    if not words:
        return ()
    why = "the dossier reads the rulebook as it is now; run the scenario again to rank by it"
    return (Gap("not asked", "; ".join(words), why, (*new, *gone)),)


def of_areas(
    areas: Areas,
    scenario: Scenario,
    means: Means,
    *,
    about: str,
    today: date | None = None,
    run: Run | None = None,
) -> Dossier:
    """The dossier of drawn areas, by the rules of a scenario; with a run, on its grid's CRS.

    Raises
    ------
    LayerDataError
        If the areas lie on both sides of the antimeridian.
    """
    crs = parsed_crs(scenario.grid.crs, "grid.crs")
    degrees = projected(areas.frame, WGS84)
    middle = shapely.union_all(shapely.box(*degrees.bounds.to_numpy(float).T)).centroid
    if run is None:
        named = (crs, parsed_crs(_ALASKA, "grid.crs"))
        crs = suited_crs(areas.frame, named, local_equal_area(middle.x, middle.y))
    # A straight edge in degrees is a curve on the grid.
    dense = areas.frame
    if areas.frame.crs.is_geographic:
        shapes = shapely.segmentize(areas.frame.geometry.to_numpy(), 0.02)
        dense = areas.frame.set_geometry(gpd.GeoSeries(shapes, crs=areas.frame.crs))
    sites = projected(dense, crs)
    if not np.isfinite(shapely.get_coordinates(sites.geometry.to_numpy())).all():
        msg = f"{about}: has no place in {crs.name}; are longitude and latitude swapped?"
        raise CoverageError(msg)
    grid = scenario.grid.model_copy(update={"crs": crs.to_string()})
    scenario = scenario.model_copy(update={"grid": grid})
    planned = _planned(scenario, sites, means, today)
    return _made(
        planned,
        sites,
        means,
        about=about,
        lines=[()] * len(sites),
        managed=None,
        cells=cells_of(run, sites) if run else not_read,
        known={},
        told=(),
        remarks=areas.remarks,
        decided=verdicts(run, sites),
    )


def _planned(scenario: Scenario, sites: gpd.GeoDataFrame, means: Means, today: date | None) -> Plan:
    # What was fetched is looked up for all that a run on these sites would read, and the ring.
    margin = max(0.0, means.ring - reach(scenario, means.rulebook)) + 100.0
    return plan(
        scenario,
        means.catalog,
        means.rulebook,
        means.data,
        aoi=degrees_around(sites, margin),
        today=today,
        fetched=means.fetched,
    )


def _made(  # noqa: PLR0913 -- each is said of a run or of a drawing in its own way
    planned: Plan,
    sites: gpd.GeoDataFrame,
    means: Means,
    *,
    about: str,
    lines: Sequence[tuple[Line, ...]],
    managed: Sequence[list[heading.Manager] | None] | None,
    cells: Callable[..., Any],
    known: Mapping[str, Mapping[str, str]],
    told: tuple[Gap, ...],
    decided: Mapping[str, tuple[Verdict, ...]],
    remarks: Mapping[str, tuple[str, ...]] | None = None,
) -> Dossier:
    sites = sites.reset_index(drop=True)
    widest = max((t.reach for t in planned.treatments), default=0.0)
    look = max(widest, means.ring, min(LOOK, reach(planned.scenario, means.rulebook)))
    near = Nearby(planned, sites, look)
    asks = [
        asked(r, t, means.rulebook.permits)
        for r, t in zip(planned.rules, planned.treatments, strict=True)
    ]
    table = [findings(a, near, ring=means.ring, cells=cells, known=known) for a in asks]
    by_site = {i: [row[k] for row in table] for k, i in enumerate(sites["site_id"])}
    placed, unplaced = heading.places(near)
    drawn = managed is None
    land = heading.managers(near) if managed is None else list(managed)
    deposits = heading.deposits_inside(near) if drawn else []
    pages = []
    for k, site in enumerate(sites.itertuples()):
        mine = by_site[site.site_id]
        first: list[Line] = list(lines[k])
        if drawn:
            first += [
                Line("Mineral records inside", deposits[k]),
                Line("Could be made available by", _authority(planned, land[k])),
            ]
        row = known.get(site.site_id, {})
        first += heading.asked_lines(_needs(planned, land[k], row))
        first += [x for x in placed[k] if not (x.label == "County" and not drawn)]
        said = tuple((remarks or {}).get(site.site_id, ()))
        if _is_off(land[k], placed[k]):
            said = (_OFF, *said)
            mine = [_unknown(f) for f in mine]
        own = gaps.gaps_of_site(site.site_id, mine)
        pages.append(
            Page(
                site.site_id, plain(site.name), site.geometry, site.geometry.area / 10_000,
                tuple(first), tuple(land[k] or ()), tuple(mine), own, said,
                decided[str(site.site_id)],
            )
        )  # fmt: skip
    every = [f for some in by_site.values() for f in some]
    used = {f.layer.id for f in every} | {*planned.scenario.land.layers}
    synthetic = any(i in planned.catalog and planned.catalog[i].status == "synthetic" for i in used)
    return Dossier(
        title=planned.scenario.title,
        about=about,
        project=planned.scenario.project,
        as_of=planned.as_of.isoformat(),
        notice=("SYNTHETIC WORLD. " if synthetic else "") + notice(planned),
        marking=planned.scenario.marking,
        synthetic=synthetic,
        ring_m=means.ring,
        crs=sites.crs,
        pages=tuple(pages),
        gaps=(*gaps.gaps_of_all(planned, every), *told, *unplaced),
        near=_near(near, asks, every, means.ring),
    )


def _authority(planned: Plan, managed: list[heading.Manager] | None) -> str:
    laws = instruments(planned.rulebook.authorities, planned.scenario.project)
    return heading.authorities(managed, laws)


def _needs(
    planned: Plan, managed: list[heading.Manager] | None, known: Mapping[str, str]
) -> list[Needs]:
    """What the land of each owner in a site asks, by its minerals and origin."""
    book = planned.rulebook
    law = Law.of(book.permits, book.commodities, planned.scenario, planned.as_of)
    minerals = tuple(split_names(known.get("commodities")))
    origin = known.get("land_origin", "")
    owners = [owner for owner, _, _ in managed or ()] or [""]
    return [needs(Site(o, minerals, origin), law, {}) for o in owners]


def _unknown(found: Finding) -> Finding:
    # Off the map a layer is silent, whatever it is said to cover.
    if found.standing != "clear":
        return found
    group: Group = "near" if found.ring_n else "unasked"
    return replace(found, standing="unknown", group=group, why=_SILENT)


def _is_off(managed: list[heading.Manager] | None, lines: tuple[Line, ...]) -> bool:
    owned = any(owner for owner, _, _ in managed or ())
    state = next((x.value for x in lines if x.label == "State"), "")
    return not owned and state.startswith(("none in", "unknown"))


def _near(
    near: Nearby, asks: Sequence[Any], every: Sequence[Finding], ring: float
) -> gpd.GeoDataFrame:
    """Features within the ring, once a rule: with the sites that they are near."""
    touched = {(f.rule.id, f.site_id) for f in every if f.ring_n}
    rows = []
    for ask in asks:
        wanted = [i for i in near.sites["site_id"] if (ask.rule.id, i) in touched]
        frame = near.frame(ask.rule.layer, ask.rule.where) if wanted else None
        if frame is None or frame.empty:
            continue
        sites = near.sites[near.sites["site_id"].isin(wanted)]
        site, feature = frame.sindex.query(
            sites.geometry.to_numpy(), predicate="dwithin", distance=ring
        )
        ids = sites["site_id"].to_numpy(object)
        there, shapes = np.unique(feature), frame.geometry.to_numpy()
        names = frame["name"].to_numpy(object) if "name" in frame else [""] * len(frame)
        rows += [
            {
                "rule": ask.rule.id,
                "title": ask.rule.title,
                "tier": ask.treatment.tier,
                "layer": ask.rule.layer,
                "name": plain(names[k], 200),
                "site_ids": "; ".join(sorted(ids[site[feature == k]])),
                "geometry": shapes[k],
            }
            for k in there
        ]
    columns = ["rule", "title", "tier", "layer", "name", "site_ids", "geometry"]
    return gpd.GeoDataFrame(rows, columns=columns, geometry="geometry", crs=near.sites.crs)
