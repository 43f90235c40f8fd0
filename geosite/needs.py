"""What a scenario needs before anything is there: which layers, and how far around the AOI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geosite.aoi import STATES
from geosite.criteria import saturation
from geosite.crs import WGS84, projected_bounds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    from geosite.catalog import Catalog, Rulebook
    from geosite.model.criterion import Reading
    from geosite.model.lock import Box
    from geosite.model.scenario import Scenario

WHOLE = frozenset({STATES})
"""Layers in which names are looked up, wherever the AOI is: a part of them is of no use."""
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

    Every reading of a criterion and every rule for the project is among them, whether
    or not it will be used: which it is depends on what is to be had and on the day. A layer
    that the catalogue lacks is not, see `catalog.unknown_layers`.
    """
    land, evidence = scenario.land, scenario.evidence
    wanted = {STATES, *land.layers, *(c.layer for c in land.confirm), land.places, land.counties}
    wanted |= set(evidence.layers if evidence else ())
    wanted |= {r.layer for c in scenario.criteria for r in c.readings}
    for rule in rulebook.rules(scenario):
        if rule.treatment(scenario.project) is not None:
            wanted |= {rule.layer, rule.inside}
    bounds = [catalog[i].coverage for i in wanted if i and i in catalog]
    wanted |= {c.layer for c in bounds if c.kind == "inside"}
    return tuple(sorted(i for i in wanted if i and i in catalog))


def reach(scenario: Scenario, rulebook: Rulebook) -> float:
    """How far beyond the AOI a scenario may look [m], whatever is to be had, on any day."""
    return max(_reaches(scenario, rulebook), default=0.0)


def _reaches(scenario: Scenario, rulebook: Rulebook) -> Iterator[float]:
    for criterion in scenario.criteria:
        for reading in criterion.readings:
            yield from (saturation(reading), radius(reading))
    for rule in rulebook.rules(scenario):
        treatment = rule.treatment(scenario.project)
        yield treatment.reach if treatment else 0.0
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
