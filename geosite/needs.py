"""What a scenario needs before anything is there: which layers, and how far around the AOI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geosite.aoi import STATES
from geosite.criteria import saturation
from geosite.crs import WGS84, projected_bounds
from geosite.resolution import spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    from geosite.catalog import Catalog, Rulebook
    from geosite.inputs import Chosen
    from geosite.model.criterion import Reading
    from geosite.model.lock import Box
    from geosite.model.rule import LocalRule, Rule
    from geosite.model.scenario import Scenario

CLAIMS = "land/mining_claims"
"""Mining claims on record: acres of a footprint that lie under them are not open."""
COUNTIES = "aoi/counties"
"""Where the counties of local rules are looked up, if the scenario names no other layer."""
WHOLE = frozenset({STATES})
"""Layers in which names are looked up, wherever the AOI is: a part of them is of no use."""
WATER = "hydrography/lakes"
"""Lakes are no land on which a deposit is looked for, where they are to be had."""
COARSEST = 1000.0
"""What is fetched does for any cells up to this size [m]."""
_CELLS = 4
"""A grid begins up to one cell beside the AOI, and is read two cells beyond its reach."""


def wanted_layers(scenario: Scenario, catalog: Catalog, rulebook: Rulebook) -> tuple[str, ...]:
    """Ids of all layers that a scenario may read, sorted; parts in place of a union.

    See `named_layers`.
    """
    known = [catalog[i] for i in named_layers(scenario, catalog, rulebook)]
    return tuple(sorted({part for layer in known for part in layer.union_of or (layer.id,)}))


def named_layers(scenario: Scenario, catalog: Catalog, rulebook: Rulebook) -> tuple[str, ...]:
    """Ids of all layers that a scenario, its rules or coverage name, sorted.

    Every reading of a criterion, every rule for the project and what only tells of a site are
    among them, whether or not they will be used: which it is depends on what is to be had and
    on the day. A layer that the catalogue lacks is not, see `references.unknown_layers`.
    """
    land, evidence = scenario.land, scenario.evidence
    wanted = {STATES, *land.layers, *(c.layer for c in land.confirm), land.places, land.counties}
    wanted |= set(evidence.layers if evidence else ())
    wanted |= {r.layer for c in scenario.criteria for r in c.readings}
    wanted |= {*(t.layer for t in land.tenure), *land.offices, *land.plans}
    wanted |= {CLAIMS} if scenario.footprint_fit else set()
    wanted |= {*surface_layers(scenario)}
    asked = [rule for rule, _ in spoken(scenario, rulebook)]
    for rule in asked:
        wanted |= {layer for layer, _ in _rule_layers(rule)}
    wanted |= {local_layer(e, scenario) for e in _local(scenario, rulebook, asked)}
    bounds = [catalog[i].coverage for i in wanted if i and i in catalog]
    wanted |= {c.layer for c in bounds if c.kind == "inside"}
    return tuple(sorted(i for i in wanted if i and i in catalog))


def purposes(
    scenario: Scenario,
    catalog: Catalog,
    rules: Iterable[Rule],
    criteria: Iterable[Chosen],
    local: Mapping[str, tuple[LocalRule, ...]],
) -> list[tuple[str, str]]:
    """Layers that a run must have, each with what it is read for; one may be there twice."""
    land = scenario.land
    wanted: list[tuple[str, str]] = [(STATES, "aoi")] if STATES in catalog else []
    wanted += [(i, "land") for i in land.layers]
    wanted += [(c.layer, f"confirms {c.agency} land") for c in land.confirm]
    wanted += [(i, "names of parcels") for i in (land.places, land.counties) if i]
    for rule in rules:
        wanted += _rule_layers(rule)
        wanted += [
            (local_layer(e, scenario), f"local land of rule {rule.id}")
            for e in local.get(rule.id, ())
        ]
    wanted += [(i, "evidence") for i in (scenario.evidence.layers if scenario.evidence else ())]
    for c in criteria:
        layer = (c.reading or c.criterion).layer
        wanted += [(layer, f"criterion {c.criterion.id}")] if layer else []
    bounded = [(i, catalog[i].coverage) for i, _ in wanted if i in catalog]
    wanted += [(c.layer, f"coverage of {i}") for i, c in bounded if c.kind == "inside"]
    return list(dict.fromkeys(wanted))


def elevation_layers(criteria: Iterable[Chosen], rules: Iterable[Rule]) -> tuple[str, ...]:
    """Layers that slope is read off, in the order of the criteria and then the rules."""
    readings = [c.reading for c in criteria if c.reading]
    found = [r.layer for r in readings if r.layer and r.measure.kind in ("slope", "flat_share")]
    found += [r.layer for r in rules if r.subject.kind == "slope"]
    return tuple(dict.fromkeys(found))


def surface_layers(scenario: Scenario) -> tuple[str, ...]:
    """Layers that only the evidence surface reads, where they are to be had."""
    surface = scenario.evidence.surface if scenario.evidence else None
    if surface is None:
        return ()
    return tuple(dict.fromkeys((*surface.records, *surface.covariates, WATER)))


def _rule_layers(rule: Rule) -> list[tuple[str, str]]:
    wanted = [(rule.layer, f"rule {rule.id}")]
    wanted += [(rule.inside, f"extent of rule {rule.id}")] if rule.inside else []
    if rule.subject.kind == "disturbance":
        wanted += [(rule.subject.existing, f"disturbance of rule {rule.id}")]
    return wanted


def local_layer(entry: LocalRule, scenario: Scenario) -> str:
    """The layer whose polygons say where a local rule holds."""
    return entry.inside or scenario.land.counties or COUNTIES


def _local(scenario: Scenario, rulebook: Rulebook, rules: Iterable[Rule]) -> list[LocalRule]:
    asked = {r.id for r in rules}
    return [e for e in (*scenario.local, *rulebook.local.local) if e.rule in asked]


def reach(scenario: Scenario, rulebook: Rulebook) -> float:
    """How far beyond the AOI a scenario may look [m], whatever is to be had, on any day."""
    return max(_reaches(scenario, rulebook), default=0.0)


def _reaches(scenario: Scenario, rulebook: Rulebook) -> Iterator[float]:
    for criterion in scenario.criteria:
        for reading in criterion.readings:
            yield from (saturation(reading), radius(reading))
    asked = spoken(scenario, rulebook)
    yield from (treatment.reach for _, treatment in asked)
    local = _local(scenario, rulebook, (rule for rule, _ in asked))
    yield from (entry.setback or 0.0 for entry in local)
    if scenario.evidence:
        yield from (scenario.evidence.reach, scenario.evidence.kernel)


def radius(reading: Reading) -> float:
    """How far a measure looks by its own radius [m]."""
    return float(getattr(reading.measure, "radius", 0.0) or getattr(reading.measure, "within", 0.0))


def needed_box(scenario: Scenario, rulebook: Rulebook, outline: BaseGeometry, crs: CRS) -> Box:
    """Box around all that a run on the scenario's cells may read of a layer.

    Parameters
    ----------
    outline : BaseGeometry
        The AOI, in `crs`.
    crs : pyproj.CRS
        Of the grid.

    Returns
    -------
    west, south, east, north in degrees (WGS 84); west > east across the antimeridian.
    """
    return _box(scenario, rulebook, outline, crs, cell=scenario.grid.resolution)


def fetch_box(scenario: Scenario, rulebook: Rulebook, outline: BaseGeometry, crs: CRS) -> Box:
    """Box to fetch a layer for: holds every `needed_box` of cells up to `COARSEST`.

    Parameters and result are those of `needed_box`.
    """
    cell = max(scenario.grid.resolution, COARSEST)
    # A little more, so that no rounding on the way to degrees matters.
    return _box(scenario, rulebook, outline, crs, cell=1.25 * cell)


def _box(
    scenario: Scenario, rulebook: Rulebook, outline: BaseGeometry, crs: CRS, *, cell: float
) -> Box:
    margin = reach(scenario, rulebook) + _CELLS * cell
    left, bottom, right, top = outline.bounds
    around = (left - margin, bottom - margin, right + margin, top + margin)
    return projected_bounds(around, crs, WGS84)
