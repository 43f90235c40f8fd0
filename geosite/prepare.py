"""What every tile shares, read once: layers on the grid's CRS, parcels, deposits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geosite.amending import amended_land
from geosite.aoi import STATES
from geosite.attributes import amounts, attribute
from geosite.authority import instruments
from geosite.coarse import Coarse
from geosite.coverage import covered_land
from geosite.deposits import deposits
from geosite.errors import CoverageError, MissingLayerError, faults
from geosite.evidence import Question
from geosite.exclusions import exclusions
from geosite.footprints import Claims
from geosite.grid import Grid
from geosite.harmonise import RasterSurface
from geosite.inputs import DepositPoints, LayerKey, Points, TileInputs, Zones
from geosite.library import Library
from geosite.likelihoods import EvidenceSurface, evidence_surface
from geosite.localities import local_shapes, localities
from geosite.needs import CLAIMS
from geosite.occurrences import occurrences, recorded
from geosite.parcels import Register, land_register
from geosite.planning import Plan
from geosite.potential import proposed
from geosite.rasters import raster_surface
from geosite.rulings import is_particular, parts, rulings
from geosite.segments import Shapes
from geosite.sources import Counts, FileRecord, Raster

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from geosite.inputs import Effect
    from geosite.model.layer import Layer
    from geosite.model.rule import LandAuthority
    from geosite.model.scenario import Evidence, Tenure


MOST_NAMED = 12
"""Commodities that a message names; the others are told by an ellipsis."""
MOST_SAMPLES = 4
"""Samples along each side of a cell that a finer raster is averaged from: sixteen are enough."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Frozen parameters of a run, and what became of every input.

    Attributes
    ----------
    deposits : DataFrame
        In the order of ``inputs.deposits``.
    exclusions : GeoDataFrame
        Features of the hard rules inside the AOI: ``rule, name, geometry``.
    authorities : mapping of agency to instruments
        By which law each agency's land could be made available.
    """

    inputs: TileInputs
    register: Register
    deposits: pd.DataFrame
    exclusions: gpd.GeoDataFrame
    authorities: Mapping[str, tuple[LandAuthority, ...]]
    counties: gpd.GeoDataFrame | None
    states: gpd.GeoDataFrame | None
    places: gpd.GeoDataFrame | None
    counts: tuple[Counts, ...]
    files: Mapping[str, tuple[FileRecord, ...]]
    notes: tuple[str, ...]
    read_s: float = 0.0
    """Time that the files of vector layers took [s]."""
    disturbance: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Analysis areas of the rules with a cap, see `rulings.rulings`."""
    tenure: tuple[gpd.GeoDataFrame | None, ...] = ()
    """Polygons near the AOI of each entry of ``land.tenure``; None where they are not to be had."""
    tenure_land: tuple[gpd.GeoDataFrame | None, ...] = ()
    """Land of which each of them says what it is off its polygons; None: all of it."""
    occurrences: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Records of every commodity, with ``asked``; see `occurrences.occurrences`."""
    claims: Claims | None = None
    """Mining claims on record, where a footprint is fitted and they are to be had."""
    surface: EvidenceSurface | None = None
    """Likelihood of a deposit, if the scenario asks for it."""


def prepare(
    plan: Plan,
    *,
    allow_missing: bool = False,
    amendments: Mapping[str, Sequence[tuple[BaseGeometry, Effect]]] | None = None,
) -> Prepared:
    """Read every layer of a plan, once, and freeze what the tiles share.

    Parameters
    ----------
    amendments : mapping of rule id to areas and effects, optional
        What reviewers decided, in order; areas in the grid's CRS.

    Raises
    ------
    CatalogError
        If a rule was decided about that the plan does not ask.
    MissingLayerError
        If a layer is missing and that was not allowed, or if without it no land
        could be offered or no evidence read.
    """
    refuse_missing(plan, allow_missing=allow_missing)
    library = Library(plan)
    register = _register(plan, library)
    records = _occurrences(plan, library)
    found = _deposits(plan, records)
    vectors, zones, points = _vectors(plan, library)
    decided = dict(amendments or {})
    amended, unmet = amended_land(decided, plan)
    features, caps, said = rulings(library)
    local = localities(library)
    rasters = _rasters(plan, library)
    authorities = instruments(plan.rulebook.authorities, plan.scenario.project)
    surface = evidence_surface(library)
    grid = plan.grid
    outline = gpd.GeoDataFrame(geometry=[plan.aoi], crs=grid.crs)
    scenario = plan.scenario
    layer_of = {r.id: r.layer for r in plan.rules}
    inputs = TileInputs(
        scenario=scenario,
        rules=plan.rules,
        treatments=plan.treatments,
        criteria=plan.criteria,
        aoi=Shapes.of(outline, grid, "polygon"),
        parcels=Shapes.of(register.parcels, grid, "polygon", merge=False),
        offered=_offered(plan, register, authorities),
        vectors=vectors,
        rasters={i: surface for i, (surface, _) in rasters.items()},
        zones=zones,
        points=points,
        coverage=_coverage(
            plan, library, {*(k[0] for k in vectors), *(layer_of[i] for i in features)}
        ),
        silent=frozenset(i for i in plan.catalog if plan.catalog[i].absence == "not_informative"),
        deposits=_points(found, grid) if scenario.evidence else None,
        parts=parts(features, plan),
        local=local_shapes(local, grid),
        amendments=amended,
        lifts=plan.lifts,
        likelihood=Coarse(surface.grid, surface.percentile) if surface else None,
    )
    tenure = _tenure(plan, library)
    read = library.read
    files = {i: f.files for i, f in read.items()} | {i: r.files for i, (_, r) in rasters.items()}
    files |= dict(surface.files) if surface else {}
    remarks = {i: f.notes for i, f in read.items()} | {i: r.notes for i, (_, r) in rasters.items()}
    return Prepared(
        inputs,
        register,
        found,
        exclusions(library, features, local, decided),
        authorities,
        library.optional(scenario.land.counties),
        library.optional(STATES),
        library.optional(scenario.land.places),
        tuple(c for i in sorted(read) for c in read[i].counts),
        dict(sorted(files.items())),
        (*library.silent, *said, *unmet, *(n for i in sorted(remarks) for n in remarks[i])),
        library.seconds,
        caps,
        tenure,
        tuple(_told_land(t, plan, library) for t in scenario.land.tenure),
        records,
        _claims(plan, library),
        surface,
    )


def refuse_missing(plan: Plan, *, allow_missing: bool) -> None:
    """Refuse to go on without layers, unless that was allowed and enough are left.

    Raises
    ------
    MissingLayerError
    """
    if not plan.missing:
        return
    if not allow_missing:
        fix = "or run with --allow-missing: what they say is then unknown"
        raise MissingLayerError(faults("layers are missing:", [*plan.missing_lines, fix]))
    lost = {u.layer for u in plan.missing}
    land = plan.scenario.land
    needed = [i for i in land.layers if i in lost]
    offered = [i for i in land.layers if i not in lost]
    if not offered:
        raise MissingLayerError(faults("no land layer is to be had:", needed))
    evidence_spec = plan.scenario.evidence
    if evidence_spec and set(evidence_spec.layers) <= lost:
        raise MissingLayerError(
            faults(
                "no evidence layer is to be had, and without evidence no site:", plan.missing_lines
            )
        )


def _register(plan: Plan, library: Library) -> Register:
    land = plan.scenario.land
    lands = [library.frame(i) for i in land.layers if library.has(i)]
    confirming: dict[str, list[gpd.GeoDataFrame]] = {}
    for c in land.confirm:
        if library.has(c.layer):
            confirming.setdefault(c.agency, []).append(library.frame(c.layer, c.where))

    return land_register(
        lands,
        land,
        aoi=plan.aoi,
        confirmations={a: pd.concat(f, ignore_index=True) for a, f in confirming.items()},  # type: ignore[misc]
        counties=library.optional(land.counties),
        states=library.optional(STATES),
        places=library.optional(land.places),
    )


def _occurrences(plan: Plan, library: Library) -> pd.DataFrame:
    spec = plan.scenario.evidence
    if spec is None:
        return pd.DataFrame()
    question = Question.of(plan.scenario.commodities, plan.rulebook.commodities)
    layers = (i for i in spec.layers if library.has(i))
    return occurrences(((plan.catalog[i], library.frame(i)) for i in layers), question, spec)


def _deposits(plan: Plan, found: pd.DataFrame) -> pd.DataFrame:
    spec = plan.scenario.evidence
    if spec is None:
        return pd.DataFrame()
    merged = deposits(found, spec)
    if merged.empty or not merged["accepted"].any():
        raise CoverageError(_nothing_accepted(plan, spec, found))
    return merged.join(proposed(merged, plan.rulebook.potential))


def _nothing_accepted(plan: Plan, spec: Evidence, found: pd.DataFrame) -> str:
    wanted = plan.scenario.commodities
    titles = {c.id: c.title for c in plan.rulebook.commodities.commodities}
    asked = wanted if isinstance(wanted, str) else ", ".join(wanted)
    number = int(found["asked"].sum())
    there = recorded(found, titles)
    accepts = (
        f"quality {', '.join(spec.accept_quality)} with an error up to {spec.accept_error:g} m"
    )
    of_them = f"{number} records of them, none of {accepts}" if number else "0 records of them"
    has = "; ".join(there[:MOST_NAMED]) + ("; …" if len(there) > MOST_NAMED else "")
    return (
        f"no accepted record of the asked commodities ({asked}) lies in or near {plan.aoi_name}: "
        f"{of_them}; recorded there: {has or 'no commodity of the table'}; ask for one of these, "
        "or widen the AOI or evidence.accept_quality"
    )


def _points(found: pd.DataFrame, grid: Grid) -> DepositPoints:
    return DepositPoints(
        grid.subcells(found[["x", "y"]].to_numpy(float)),
        found["weight"].to_numpy(float),
        found["accepted"].to_numpy(bool),
    )


def _vectors(
    plan: Plan, library: Library
) -> tuple[
    dict[LayerKey, Shapes],
    dict[LayerKey, Zones],
    dict[tuple[str, str | None, str], Points],
]:
    vectors: dict[LayerKey, Shapes] = {}
    zones: dict[LayerKey, Zones] = {}
    points: dict[tuple[str, str | None, str], Points] = {}
    keys: list[LayerKey] = [
        (r.layer, r.where)
        for r, t in zip(plan.rules, plan.treatments, strict=True)
        if not r.reads_raster and not is_particular(r, t)
    ]
    keys += [(r.inside, r.inside_where) for r in plan.rules if r.inside]
    for key in keys:
        _add_shapes(plan, library, vectors, key)
    for chosen in plan.criteria:
        reading = chosen.reading
        if reading is None or reading.layer is None:
            continue
        key, measure = chosen.key, reading.measure
        layer = plan.catalog[reading.layer]
        if layer.geometry == "raster":
            continue
        if measure.kind in ("sum_within", "density"):
            name = measure.field or ""
            points[(*key, name)] = _amounts(library.frame(*key), name, layer, plan.grid)
        elif measure.kind == "category":
            frame = library.frame(*key)
            column = pd.Series("yes", frame.index)
            if measure.field:
                column = attribute(frame, measure.field, layer, "the criterion")
            shapes = Shapes.of(frame, plan.grid, "polygon", merge=False)
            zones[key] = Zones(shapes, tuple(column.fillna("").astype(str)))
        else:
            _add_shapes(plan, library, vectors, key)
    return vectors, zones, points


def _add_shapes(
    plan: Plan, library: Library, vectors: dict[LayerKey, Shapes], key: LayerKey
) -> None:
    if key in vectors or not library.has(key[0]):
        return
    kind = plan.catalog[key[0]].geometry
    if kind != "raster":
        vectors[key] = Shapes.of(library.frame(*key), plan.grid, kind)


def _amounts(frame: gpd.GeoDataFrame, field: str, layer: Layer, grid: Grid) -> Points:
    shapes = Shapes.of(frame, grid, "point")
    whole = amounts(frame, field, layer) if field else np.ones(len(frame), np.int64)
    # A multipoint counts once a part; amounts repeat with the parts.
    repeats = np.diff(shapes.starts)
    order = np.lexsort((shapes.edges[:, 0], shapes.edges[:, 1]))
    return Points(shapes.edges[order, :2], np.repeat(whole, repeats)[order])


def _rasters(plan: Plan, library: Library) -> dict[str, tuple[RasterSurface, Raster]]:
    wanted = [r.layer for r in plan.rules if r.reads_raster]
    wanted += [c.key[0] for c in plan.criteria if c.reading and c.reading.layer]
    out = {}
    for layer in dict.fromkeys(wanted):
        if not library.has(layer) or plan.catalog[layer].geometry != "raster":
            continue
        out[layer] = raster_surface(plan, layer, plan.grid)
    return out


def _coverage(plan: Plan, library: Library, layers: Iterable[str]) -> dict[str, Shapes]:
    points = {c.key[0] for c in plan.criteria if c.reading and c.reading.layer}
    bounds = plan.grid.grown(plan.halo + 1).bounds
    found = {i: covered_land(library, i, bounds) for i in sorted({*layers, *points} - {""})}
    return {
        i: Shapes.of(frame, plan.grid, "polygon") for i, frame in found.items() if frame is not None
    }


def _tenure(plan: Plan, library: Library) -> tuple[gpd.GeoDataFrame | None, ...]:
    read = {u.layer for u in plan.uses if not u.missing}
    return tuple(
        library.frame(t.layer, t.where) if t.layer in read else None
        for t in plan.scenario.land.tenure
    )


def _told_land(told: Tenure, plan: Plan, library: Library) -> gpd.GeoDataFrame | None:
    layer = plan.catalog.get(told.layer)
    nowhere = gpd.GeoDataFrame(geometry=[], crs=plan.grid.crs)
    if told.otherwise is None or layer is None or layer.absence == "not_informative":
        return nowhere
    read = {u.layer for u in plan.uses if not u.missing}
    if layer.coverage.kind == "inside" and layer.coverage.layer not in read:
        return nowhere
    return covered_land(library, told.layer, plan.grid.grown(plan.halo + 1).bounds)


def _claims(plan: Plan, library: Library) -> Claims | None:
    read = {u.layer for u in plan.uses if not u.missing}
    if plan.scenario.footprint_fit is None or CLAIMS not in read:
        return None
    land = covered_land(library, CLAIMS, plan.grid.grown(plan.halo + 1).bounds)
    covered = None if land is None else shapely.union_all(land.geometry.to_numpy())
    if plan.catalog[CLAIMS].absence == "not_informative":
        # Land without a claim on its map may have one all the same.
        covered = shapely.Polygon()
    return Claims(library.frame(CLAIMS), covered)


def _offered(
    plan: Plan, register: Register, authorities: Mapping[str, tuple[LandAuthority, ...]]
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    # No authority, no candidate: the law must name a way to make the land available.
    land, parcels = plan.scenario.land, register.parcels
    status = {"available"} | ({"unconfirmed"} if land.unconfirmed == "admit" else set())
    may = parcels["agency"].isin(set(land.offered) & set(authorities))
    may &= parcels["status"].isin(status)
    return np.concatenate([[False], may.to_numpy(bool)])
