"""What every tile shares, read once: layers on the grid's CRS, parcels, deposits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geosite import evidence
from geosite.aoi import STATES, named_states
from geosite.crs import WGS84, projected, projected_bounds, projected_geometry
from geosite.errors import CatalogError, CoverageError, LayerDataError, MissingLayerError, faults
from geosite.grid import Grid
from geosite.harmonise import RasterSurface
from geosite.inputs import DepositPoints, LayerKey, Points, TileInputs, Zones
from geosite.library import Library
from geosite.parcels import Register, land_register
from geosite.planning import Plan
from geosite.segments import Shapes
from geosite.sources import Counts, FileRecord, Raster, open_raster

if TYPE_CHECKING:
    from geosite.model.layer import Layer
    from geosite.model.rule import LandAuthority

    Geometries = Any  # an object array of shapely geometries; numpy cannot say so


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


def prepare(plan: Plan, *, allow_missing: bool = False) -> Prepared:
    """Read every layer of a plan, once, and freeze what the tiles share.

    Raises
    ------
    MissingLayerError
        If a layer is missing and that was not allowed, or if without it no land
        could be offered or no evidence read.
    """
    _refuse_missing(plan, allow_missing=allow_missing)
    library = Library(plan)
    register = _register(plan, library)
    found = _deposits(plan, library)
    vectors, zones, points = _vectors(plan, library)
    rasters = _rasters(plan, library)
    authorities = _authorities(plan)
    grid = plan.grid
    outline = gpd.GeoDataFrame(geometry=[plan.aoi], crs=grid.crs)
    scenario = plan.scenario
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
        coverage=_coverage(plan, library, {k[0] for k in vectors}),
        silent=frozenset(i for i in plan.catalog if plan.catalog[i].absence == "not_informative"),
        deposits=_points(found, grid) if scenario.evidence else None,
        lifts=plan.lifts,
    )
    read = library.read
    files = {i: f.files for i, f in read.items()} | {i: r.files for i, (_, r) in rasters.items()}
    remarks = {i: f.notes for i, f in read.items()} | {i: r.notes for i, (_, r) in rasters.items()}
    return Prepared(
        inputs,
        register,
        found,
        _exclusions(plan, library),
        authorities,
        library.optional(scenario.land.counties),
        library.optional(STATES),
        library.optional(scenario.land.places),
        tuple(c for i in sorted(read) for c in read[i].counts),
        dict(sorted(files.items())),
        (*library.silent, *(n for i in sorted(remarks) for n in remarks[i])),
        library.seconds,
    )


def _refuse_missing(plan: Plan, *, allow_missing: bool) -> None:
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


def _deposits(plan: Plan, library: Library) -> pd.DataFrame:
    spec = plan.scenario.evidence
    if spec is None:
        return pd.DataFrame()
    table = plan.rulebook.commodities
    found = evidence.occurrences(
        ((plan.catalog[i], library.frame(i)) for i in spec.layers if library.has(i)),
        evidence.asked_commodities(plan.scenario.commodities, table),
        evidence.commodity_names(table),
        spec,
    )
    merged = evidence.deposits(found, spec)
    if merged.empty or not merged["accepted"].any():
        wanted = plan.scenario.commodities
        asked = wanted if isinstance(wanted, str) else ", ".join(wanted)
        msg = (
            f"no accepted record of the asked commodities ({asked}) lies in or "
            f"near {plan.aoi_name}: {len(found)} records of them, none of quality "
            f"{', '.join(spec.accept_quality)} with an error up to {spec.accept_error:g} m; "
            "widen the AOI, the commodities or evidence.accept_quality"
        )
        raise CoverageError(msg)
    return merged


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
    keys: list[LayerKey] = [(r.layer, r.where) for r in plan.rules if r.subject.kind == "presence"]
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
                column = _field(frame, measure.field, layer)
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


def _field(frame: gpd.GeoDataFrame, field: str, layer: Layer) -> pd.Series[Any]:
    if field not in frame:
        there = ", ".join(c for c in frame.columns if c != frame.geometry.name)
        msg = (
            f"layer {layer.id} has no field {field!r}; it has {there or 'none'}; map it in the "
            "layer's fields, or name another in the criterion"
        )
        raise CatalogError(msg)
    column: pd.Series[Any] = frame[field]
    return column


def _amounts(frame: gpd.GeoDataFrame, field: str, layer: Layer, grid: Grid) -> Points:
    shapes = Shapes.of(frame, grid, "point")
    whole = np.ones(len(frame), np.int64)
    if field:
        said = _field(frame, field, layer)
        numbers = pd.to_numeric(said, errors="coerce")
        if (said.notna() & numbers.isna()).any():
            text = said[said.notna() & numbers.isna()].iloc[0]
            msg = (
                f"layer {layer.id}: field {field} holds {str(text)[:60]!r}, expected numbers; "
                "declare it with type: number, or name another field"
            )
            raise LayerDataError(msg)
        whole = np.rint(numbers.fillna(0)).astype(np.int64).to_numpy()
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
        raster = open_raster(plan.catalog[layer], plan.catalog, plan.data)
        centre = plan.aoi.representative_point()
        x, y = projected_geometry(centre, plan.grid.crs, raster.crs).coords[0]
        step = projected_bounds(
            (centre.x, centre.y, centre.x + 1000, centre.y + 1000), plan.grid.crs, raster.crs
        )
        # How many raster cells a grid cell spans, measured at the middle of the AOI's grid.
        pixels = (step[2] - step[0]) / 1000 * plan.grid.resolution / abs(raster.transform.a)
        samples = (
            min(max(1, round(pixels)), MOST_SAMPLES) if np.isfinite([x, y, pixels]).all() else 1
        )
        surface = RasterSurface(
            raster.path, raster.crs, raster.transform, raster.shape, raster.nodata, samples
        )
        out[layer] = (surface, raster)
    return out


def _coverage(plan: Plan, library: Library, layers: Iterable[str]) -> dict[str, Shapes]:
    out = {}
    points = {c.key[0] for c in plan.criteria if c.reading and c.reading.layer}
    for layer in sorted({*layers, *points} - {""}):
        declared = plan.catalog[layer].coverage
        crs = plan.grid.crs
        match declared.kind:
            case "states" | "except_states":
                states = library.whole(STATES).frame
                named = named_states(states, declared.names, f"layer {layer}: coverage.names")
                frame = projected(named, crs)
                if declared.kind == "except_states":
                    whole = shapely.box(*plan.grid.grown(plan.halo + 1).bounds)
                    gaps = shapely.union_all(shapely.make_valid(frame.geometry.to_numpy()))
                    frame = gpd.GeoDataFrame(geometry=[whole.difference(gaps)], crs=crs)
            case "box":
                box = shapely.box(declared.west, declared.south, declared.east, declared.north)
                shape = projected_geometry(shapely.segmentize(box, 0.05), WGS84, crs)
                frame = gpd.GeoDataFrame(geometry=[shape], crs=crs)
            case "inside":
                # What would say where the layer speaks is missing: it speaks nowhere.
                inside = library.optional(declared.layer)
                frame = gpd.GeoDataFrame(geometry=[], crs=crs) if inside is None else inside
            case _:
                continue
        out[layer] = Shapes.of(frame, plan.grid, "polygon")
    return out


def _authorities(plan: Plan) -> dict[str, tuple[LandAuthority, ...]]:
    out: dict[str, list[LandAuthority]] = {}
    for entry in plan.rulebook.authorities.authorities:
        if entry.project == plan.scenario.project:
            out.setdefault(entry.agency, []).append(entry)
    return {agency: tuple(entries) for agency, entries in sorted(out.items())}


def _offered(
    plan: Plan, register: Register, authorities: Mapping[str, tuple[LandAuthority, ...]]
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    # No authority, no candidate: the law must name a way to make the land available.
    land, parcels = plan.scenario.land, register.parcels
    status = {"available"} | ({"unconfirmed"} if land.unconfirmed == "admit" else set())
    may = parcels["agency"].isin(set(land.offered) & set(authorities))
    may &= parcels["status"].isin(status)
    return np.concatenate([[False], may.to_numpy(bool)])


def _exclusions(plan: Plan, library: Library) -> gpd.GeoDataFrame:
    tables = []
    for rule, treatment in zip(plan.rules, plan.treatments, strict=True):
        # Land that a rule requires is no excluded land, and a raster has no outline.
        if treatment.tier != "exclude" or rule.subject.kind != "presence":
            continue
        if not library.has(rule.layer):
            continue
        frame = library.frame(rule.layer, rule.where)
        name = frame["name"] if "name" in frame else pd.Series("", frame.index, dtype=object)
        setback = getattr(treatment, "setback", 0.0)
        shapes = frame.geometry.buffer(setback) if setback else frame.geometry
        inside = _cut(shapes.to_numpy(), plan.aoi)
        if rule.inside and library.has(rule.inside):
            extent = shapely.union_all(
                library.frame(rule.inside, rule.inside_where).geometry.to_numpy()
            )
            inside = _cut(inside, extent)
        table = gpd.GeoDataFrame(
            {"rule": rule.id, "name": name.fillna("").astype(str)},
            geometry=inside,
            crs=plan.grid.crs,
        )
        tables.append(table[~table.geometry.is_empty])
    empty = gpd.GeoDataFrame({"rule": [], "name": []}, geometry=[], crs=plan.grid.crs)
    return pd.concat(tables, ignore_index=True) if tables else empty


def _cut(shapes: Geometries, area: shapely.Geometry) -> Geometries:
    """What of each shape lies in an area; only shapes on its border are intersected with it."""
    shapely.prepare(area)
    inside = shapes.copy()
    inside[~shapely.intersects(area, shapes)] = shapely.Polygon()
    border = ~shapely.contains_properly(area, inside) & ~shapely.is_empty(inside)
    inside[border] = shapely.intersection(inside[border], area)
    return inside
