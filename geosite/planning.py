"""The plan: what will be read and computed, what it costs, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from math import ceil
from pathlib import Path

from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from geosite.aoi import STATES, area_of_interest
from geosite.catalog import Catalog, Rulebook
from geosite.caveats import caveats
from geosite.criteria import saturation
from geosite.crs import parsed_crs, projected_bounds
from geosite.decisions import Overlay
from geosite.distances import MOST
from geosite.errors import CapacityError, CatalogError, MissingLayerError, faults
from geosite.grid import Grid
from geosite.inputs import Chosen
from geosite.model.criterion import Reading
from geosite.model.lock import Box
from geosite.model.rule import LocalRule, Override, Rule, Treatment
from geosite.model.scenario import Scenario
from geosite.model.siting import DepositUnit, ParcelUnit, PatchUnit, RegionUnit
from geosite.needs import (
    CLAIMS,
    WHOLE,
    needed_box,
    purposes,
    radius,
    surface_layers,
)
from geosite.references import dangling, unfit_layers
from geosite.resolution import resolved
from geosite.sources import missing_reason
from geosite.sources.holdings import Holdings
from geosite.weighting import weighted

TILE = 2048
"""Largest side of a tile [cells]."""
MOST_CELLS = 50_000_000_000
"""Three times the conterminous states at 30 m; a grid beyond it is a slip of the pen."""
_BOUNDED = {
    "distance": "the true distance may be shorter",
    "sum_within": "the true sum may be larger",
    "density": "the true density may be higher",
    "share": "the true share may be larger",
}
"""What a presence-only layer still tells by a measure."""


@dataclass(frozen=True, slots=True)
class Use:
    """One layer and what it is read for."""

    layer: str
    purpose: str
    missing: str | None
    """Why it cannot be read; None if it can."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do; nothing but the AOI's outline has been read.

    Attributes
    ----------
    aoi : BaseGeometry
        In the grid's CRS.
    rules, treatments
        Rules in force for this project, in order of id, and what they mean for it.
    not_asked : mapping of rule id to reason
        Rules of the chosen sets that do not apply on the day, to this money, to these minerals,
        or that the project decided not to ask.
    criteria
        Each with the reading that will be used.
    local, overrides, lifts, order
        Whose voice is heard of each rule, see `resolution.Resolved`.
    reviews : Overlay, optional
        Decisions of reviewers that the run is repeated with.
    """

    scenario: Scenario
    catalog: Catalog
    rulebook: Rulebook
    data: Path
    aoi_name: str
    aoi: BaseGeometry
    grid: Grid
    as_of: date
    rules: tuple[Rule, ...]
    treatments: tuple[Treatment, ...]
    not_asked: Mapping[str, str]
    criteria: tuple[Chosen, ...]
    uses: tuple[Use, ...]
    notes: tuple[str, ...]
    local: Mapping[str, tuple[LocalRule, ...]] = field(default_factory=dict)
    overrides: Mapping[str, Override] = field(default_factory=dict)
    lifts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    reviews: Overlay | None = None

    @property
    def halo(self) -> int:
        """Reach of the widest rule or measure [cells]."""
        metres = [saturation(c.reading) for c in self.criteria if c.reading]
        metres += [radius(c.reading) for c in self.criteria if c.reading]
        metres += [t.reach for t in self.treatments]
        metres += [e.setback or 0.0 for entries in self.local.values() for e in entries]
        if self.scenario.evidence:
            metres += [self.scenario.evidence.reach, self.scenario.evidence.kernel]
        return ceil(max(metres, default=0.0) / self.grid.resolution)

    @property
    def missing(self) -> tuple[Use, ...]:
        """Uses of layers that are not to be had."""
        return tuple(u for u in self.uses if u.missing)

    @property
    def missing_lines(self) -> list[str]:
        """One line a layer that is not to be had, and at the end what brings them."""
        if not self.missing:
            return []
        fix = (
            f"geosite fetch {self.scenario.name} --aoi {self.scenario.aoi!r} brings what a "
            f"program can get; a file of your own goes to {self.data}/<layer id>.gpkg, .zip, .tif …"
        )
        return [*_missing_lines(self.missing), fix]

    def tiles(self, size: int = TILE) -> list[Grid]:
        """Windows that fill the grid."""
        return list(self.grid.tiles(size))


def plan(  # noqa: PLR0913 -- each is an option that a user may give
    scenario: Scenario,
    catalog: Catalog,
    rulebook: Rulebook,
    data: Path,
    *,
    aoi: str | None = None,
    resolution: float | None = None,
    today: date | None = None,
    fetched: Path | None = None,
) -> Plan:
    """What a run of a scenario will read and compute.

    Parameters
    ----------
    data : Path
        Root of relative file sources.
    aoi : str, optional
        Overrides the scenario's: a name, ``west,south,east,north`` or a file.
    resolution : float, optional
        Overrides the scenario's [m].
    today : date, optional
        The day the rules are read on, where the scenario says no `as_of`.
    fetched : Path, optional
        Folder of what was fetched, for layers that have no file below the data root.

    Raises
    ------
    CatalogError
        If the scenario refers to rule sets or commodities that do not exist, decides what is
        not its to decide, or refers to layers whose geometry does not fit.
    CoverageError
        If the AOI is empty or cannot be found.
    CRSMismatchError
        If the grid's CRS is geographic or not in metres.
    CapacityError
        If the grid has more cells than any run could finish.
    GeositeError
        If the lock of what was fetched cannot be read.
    """
    if found := [*dangling(scenario, rulebook), *unfit_layers(scenario, catalog, rulebook)]:
        raise CatalogError(faults(f"scenario {scenario.name} is not complete:", found))
    scenario = weighted(scenario).model_copy(
        update={
            "aoi": scenario.aoi if aoi is None else aoi,
            "grid": scenario.grid.model_copy(
                update={"resolution": resolution or scenario.grid.resolution}
            ),
        }
    )
    crs = parsed_crs(scenario.grid.crs, "grid.crs")
    Grid(crs, scenario.grid.resolution, 0, 0, (1, 1))
    day = scenario.as_of or today or datetime.now(UTC).date()
    asked = resolved(scenario, rulebook, day)
    rules, treatments = asked.rules, asked.treatments
    # How much of a layer is needed is not known before the outline, which needs all of one.
    catalog = _with_fetched(catalog, fetched, None)
    try:
        name, outline = area_of_interest(scenario.aoi, catalog, rulebook, data, crs)
    except MissingLayerError:
        criteria, _ = _chosen_readings(scenario, catalog, data)
        uses = _uses(scenario, catalog, data, rules, criteria, asked.local)
        raise MissingLayerError(_no_outline(scenario, catalog, uses)) from None
    catalog = _with_fetched(catalog, fetched, needed_box(scenario, rulebook, outline, crs))
    criteria, notes = _chosen_readings(scenario, catalog, data)
    uses = _uses(scenario, catalog, data, rules, criteria, asked.local)
    grid = Grid.covering(
        outline.bounds, crs, resolution=scenario.grid.resolution, origin=scenario.grid.origin
    )
    if grid.cells > MOST_CELLS:
        msg = (
            f"aoi {name}: {grid.cells:.1e} cells of {grid.resolution:g} m, expected at most "
            f"{MOST_CELLS:.0e}; give a coarser --resolution or a smaller --aoi"
        )
        raise CapacityError(msg)
    _refuse_coarse(scenario)
    _refuse_far(criteria, treatments, asked.local, scenario.grid.resolution)
    silent = [i for i in catalog if catalog[i].absence == "not_informative"]
    notes += caveats(scenario, criteria, rules, lambda i: _missing(i, catalog, data), silent)
    notes += [*_too_fine(rules, treatments, scenario.grid.resolution), *asked.notes]
    return Plan(
        scenario,
        catalog,
        rulebook,
        data,
        name,
        outline,
        grid,
        day,
        rules,
        treatments,
        asked.not_asked,
        criteria,
        uses,
        tuple(notes),
        asked.local,
        asked.overrides,
        asked.lifts,
        asked.order,
    )


def _with_fetched(catalog: Catalog, fetched: Path | None, box: Box | None) -> Catalog:
    if fetched is None:
        return catalog
    held, unfit = Holdings(fetched).fit(catalog, box, WHOLE)
    return replace(catalog, held=held, unfit=unfit)


def _missing_lines(uses: Iterable[Use]) -> list[str]:
    purposes: dict[tuple[str, str], list[str]] = {}
    for use in uses:
        purposes.setdefault((use.layer, use.missing or ""), []).append(use.purpose)
    return [
        f"{layer} ({', '.join(said)}): {why.removeprefix(f'layer {layer}: ')}"
        for (layer, why), said in purposes.items()
    ]


def _no_outline(scenario: Scenario, catalog: Catalog, uses: tuple[Use, ...]) -> str:
    # A part of a layer may do; that is seen once there is an outline.
    lost = [u for u in uses if u.missing and (u.layer == STATES or u.layer not in catalog.unfit)]
    lines = _missing_lines(lost)
    title = f"without {STATES} the AOI {scenario.aoi!r} has no outline; layers are missing:"
    return faults(title, lines)


def _chosen_readings(
    scenario: Scenario, catalog: Catalog, data: Path
) -> tuple[tuple[Chosen, ...], list[str]]:
    chosen, notes = [], []
    for criterion in scenario.criteria:
        used = next((r for r in criterion.readings if _is_to_be_had(r, catalog, data)), None)
        chosen.append(Chosen(criterion, used))
        if used is None:
            notes.append(
                f"criterion {criterion.id} runs as unknown: {_why(criterion, catalog, data)}"
            )
        elif used is not criterion:
            note = f"criterion {criterion.id} reads the stand-in {used.layer}"
            notes.append(f"{note}: {used.note}" if used.note else note)
        if used is not None and used.layer and _is_partial(used, catalog):
            limit = _BOUNDED[used.measure.kind]
            notes.append(
                f"criterion {criterion.id}: {used.layer} does not show everything there is; {limit}"
            )
    return tuple(chosen), notes


def _is_partial(reading: Reading, catalog: Catalog) -> bool:
    absence = catalog[reading.layer or ""].absence
    return absence == "not_informative" and reading.measure.kind in _BOUNDED


def _is_to_be_had(reading: Reading, catalog: Catalog, data: Path) -> bool:
    if reading.layer is None:
        return True
    layer = catalog.get(reading.layer)
    return layer is not None and missing_reason(layer, catalog, data) is None


def _why(criterion: Reading, catalog: Catalog, data: Path) -> str:
    return _missing(criterion.layer or "", catalog, data) or "its layer cannot be read"


def _missing(layer: str, catalog: Catalog, data: Path) -> str | None:
    if layer not in catalog:
        return f"the catalogue has no layer {layer}"
    return missing_reason(catalog[layer], catalog, data)


def _refuse_coarse(scenario: Scenario) -> None:
    # A question about a few hundred hectares has no answer on cells of a county.
    resolution, unit = scenario.grid.resolution, scenario.sites
    match unit:
        case ParcelUnit(pad=wanted) | RegionUnit(area=wanted):
            pass
        case DepositUnit(max_area=wanted) | PatchUnit(max_area=wanted):
            pass
    found = []
    if scenario.evidence and resolution > 2 * scenario.evidence.reach:
        found.append(f"evidence reaches {scenario.evidence.reach:g} m")
    if resolution**2 / 10_000 > 4 * wanted:
        found.append(f"a site has {wanted:,.0f} ha")
    if found:
        msg = (
            f"grid.resolution: cells of {resolution:g} m are too coarse for this question: "
            f"{' and '.join(found)}; give a finer --resolution, such as '250 m'"
        )
        raise CapacityError(msg)


def _refuse_far(
    criteria: tuple[Chosen, ...],
    treatments: tuple[Treatment, ...],
    local: Mapping[str, tuple[LocalRule, ...]],
    resolution: float,
) -> None:
    metres = [saturation(c.reading) for c in criteria if c.reading]
    metres += [t.reach for t in treatments]
    metres += [e.setback or 0.0 for entries in local.values() for e in entries]
    if (far := max(metres, default=0.0)) / resolution > MOST:
        msg = (
            f"grid.resolution: a distance of {far / 1000:,.0f} km spans {far / resolution:,.0f} "
            f"cells of {resolution:g} m, expected at most {MOST:,}; give a coarser --resolution, "
            "or shorten the worst point or setback that reaches so far"
        )
        raise CapacityError(msg)


def _too_fine(
    rules: tuple[Rule, ...], treatments: tuple[Treatment, ...], resolution: float
) -> list[str]:
    setbacks = [
        (r.id, float(getattr(t, "setback", 0.0))) for r, t in zip(rules, treatments, strict=True)
    ]
    return [
        f"rule {id_}: a setback of {setback:g} m is finer than the cell of {resolution:g} m"
        for id_, setback in setbacks
        if 0 < setback < resolution
    ]


def _uses(
    scenario: Scenario,
    catalog: Catalog,
    data: Path,
    rules: tuple[Rule, ...],
    criteria: tuple[Chosen, ...],
    local: Mapping[str, tuple[LocalRule, ...]],
) -> tuple[Use, ...]:
    wanted = purposes(scenario, catalog, rules, criteria, local)
    # What only tells of a site is read if it is to be had, and else no reason to refuse.
    tenure = dict.fromkeys((t.layer, "tenure") for t in scenario.land.tenure)
    if scenario.footprint_fit:
        tenure[CLAIMS, "claims under a footprint"] = None
    surface = ((i, "evidence surface") for i in surface_layers(scenario))
    wanted += [w for w in (*tenure, *surface) if _missing(w[0], catalog, data) is None]
    return tuple(Use(i, purpose, _missing(i, catalog, data)) for i, purpose in wanted)


def reading_bounds(plan: Plan, crs: CRS) -> tuple[float, float, float, float]:
    """Bounds of the AOI with its halo, in the CRS of a layer."""
    return projected_bounds(plan.grid.grown(plan.halo + 1).bounds, plan.grid.crs, crs)
