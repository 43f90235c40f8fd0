"""What a run found, in the shape that a map, a page or a table can be made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from geosite.constraints import CLEAR, EXCLUDED, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    import geopandas as gpd
    from affine import Affine
    from numpy.typing import NDArray
    from pyproj import CRS

DISCLAIMER = (
    "Pre-decisional screening. Not a land-status, title, mineral-potential or validity "
    "determination; BLM master title plats and case files control."
)
"""What every table, map and page says; `Content.disclaimer` adds the years of the data."""


MOSTLY = 0.9
"""Share of the land that is not excluded from which on drawing the unknown hides the rest."""


@dataclass(frozen=True, slots=True)
class DataYears:
    """From when the layers are that were read, by the first year that each vintage names."""

    oldest: int | None = None
    newest: int | None = None
    undated: tuple[str, ...] = ()
    """Layers whose vintage names no year."""

    def words(self, as_of: str, *, synthetic: bool = False) -> str:
        """``Data as of 2001 to 2026, 3 layers undated; rules as of 2026-01-02``.

        Examples
        --------
        >>> DataYears(2024, 2024).words("2026-01-02")
        'Data as of 2024; rules as of 2026-01-02'
        >>> DataYears().words("2026-01-02", synthetic=True)
        'Data: synthetic; rules as of 2026-01-02'
        """
        rules = f"rules as of {as_of}"
        if synthetic:
            return f"Data: synthetic; {rules}"
        if self.oldest is None:
            return f"Data as of no stated year; {rules}"
        years = str(self.oldest)
        if self.newest != self.oldest:
            years += f" to {self.newest}"
        if n := len(self.undated):
            years += f", {n:,} {'layer' if n == 1 else 'layers'} undated"
        return f"Data as of {years}; {rules}"


@dataclass(frozen=True, slots=True)
class CriterionLabel:
    """How a criterion is written."""

    id: str
    title: str
    weight: float
    """Share of all weights, 0–1, in whole per mille: what sites are ranked by."""
    unit: str
    critical: bool = False
    measure: str = ""
    """Column of `Content.sites` that holds its measure; found by the id if not given."""


@dataclass(frozen=True, slots=True)
class WeightingLabel:
    """Weights of the criteria under a name, besides those of the run."""

    name: str
    weights: Mapping[str, float]
    """Share of all weights by criterion id, 0–1."""
    basis: str = ""
    """Whose judgement it is, or where it was published."""


@dataclass(frozen=True, slots=True)
class LocalLabel:
    """What is asked instead of a rule in some area."""

    place: str
    instead: str
    authority: str
    citation: str
    evidence: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class DecisionLabel:
    """What a project decided instead of a rule, and why."""

    instead: str
    of: str
    basis: str
    case: str = ""


@dataclass(frozen=True, slots=True)
class UnaskedLabel:
    """A rule of the chosen sets that was not asked, and why."""

    id: str
    title: str
    citation: str
    evidence: str
    reason: str


@dataclass(frozen=True, slots=True)
class RuleLabel:
    """How a rule is written, and the land it took."""

    id: str
    title: str
    tier: str
    authority: str
    citation: str
    layer: str
    removed_ha: float
    """Land that this rule speaks against, whatever the others say."""
    alone_ha: float
    """Land that no other rule speaks against."""
    evidence: str = ""
    """Whether the citation was confirmed."""
    exceptions: tuple[str, ...] = ()
    consultation: str = ""
    permits: tuple[str, ...] = ()
    who_can_act: str = ""
    note: str = ""
    dates: str = ""
    """When it holds, if it is not for good."""
    local: tuple[LocalLabel, ...] = ()
    decision: DecisionLabel | None = None
    setback_m: float = 0.0
    reach_m: float = 0.0
    """Widest setback that an attribute of a feature can give; no less than `setback_m`."""
    factor: float | None = None
    """What scores are multiplied by where the rule touches; None where it does not."""


@dataclass(frozen=True, slots=True)
class AuthorityLabel:
    """By which law an agency could make land available."""

    agency: str
    authority: str
    citation: str
    disposal: str
    evidence: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class PermitLabel:
    """How a permit or a consultation is written."""

    id: str
    title: str
    kind: str
    track: str
    """Whose clock it runs on: federal, state, water, power, litigation."""
    agency: str
    citation: str
    evidence: str = ""
    clocks: tuple[str, ...] = ()
    """Times that a law sets, each with its citation."""
    source: str = ""
    """Where its months come from; empty where none are known."""
    note: str = ""
    months: tuple[float, float, float] | None = None
    """Low, likely, high; None where no source gives them."""


@dataclass(frozen=True, slots=True)
class PathwayLabel:
    """How a pathway through the federal approvals is written."""

    id: str
    title: str
    months: tuple[float, float, float] | None
    """Low, likely, high; None where no source gives them."""
    basis: str
    as_of: str
    citation: str
    source: str
    evidence: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class RelianceLabel:
    """Net import reliance of a commodity, as it is published."""

    commodity: str
    percent: str
    form: str
    year: int
    source: str
    evidence: str = ""
    supplier: str = ""
    """Main supplier, its share and source, in words."""


@dataclass(frozen=True, slots=True)
class LayerLabel:
    """How a layer is cited."""

    id: str
    title: str
    agency: str
    vintage: str
    licence: str
    citation: str
    status: str
    problems: str = ""
    """What the catalogue knows to be wrong with it."""
    decisive: bool = False
    """Whether it says whose land it is, where minerals are, or what a hard rule excludes."""


@dataclass(frozen=True, slots=True)
class ContextLabel:
    """How a layer around the area of interest is written on the map."""

    layer: LayerLabel
    units: Mapping[str, str] = field(default_factory=dict)
    """Column of its features → unit."""


@dataclass(frozen=True, slots=True)
class FetchedLabel:
    """Where a file of a layer was fetched, and when."""

    path: str
    url: str
    retrieved: str
    edited: str
    """When the server's data was last edited, as far as it says."""


@dataclass(frozen=True, slots=True)
class OwnerLabel:
    """Land of one owner and status, and why it is not ranked."""

    agency: str
    status: str
    parcels: int
    area_ha: float
    reason: str
    """Empty where it is ranked."""


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that is shown of a run; all geometry in the grid CRS.

    `sites`, `parcels`, `exclusions` and `deposits` may be empty and may lack
    columns: what is not there is not shown.
    """

    title: str
    aoi_name: str
    as_of: str
    marking: str
    synthetic: bool
    project: str
    criteria: tuple[CriterionLabel, ...]
    rules: tuple[RuleLabel, ...]
    sites: gpd.GeoDataFrame
    parcels: gpd.GeoDataFrame
    exclusions: gpd.GeoDataFrame
    deposits: gpd.GeoDataFrame
    aoi: gpd.GeoDataFrame
    suitability: NDArray[np.float32]
    """(rows, columns), NaN where there is none."""
    status: NDArray[np.uint8]
    """(rows, columns), one of the codes above."""
    transform: Affine
    crs: CRS
    warnings: tuple[str, ...] = ()
    unknown_rules: tuple[str, ...] = ()
    """Rules that could not be asked, by id or in words."""
    layers: tuple[LayerLabel, ...] = ()
    fetched: tuple[FetchedLabel, ...] = ()
    owners: tuple[OwnerLabel, ...] = ()
    left_out: tuple[tuple[str, int, float], ...] = ()
    """Candidate land that became no site: reason, number, area [ha]."""
    offered_ha: tuple[float, float, float] | None = None
    """Offered land that is excluded, unknown and clear [ha]; from `status` if not given,
    which cannot tell whose the excluded land is."""
    resolution: tuple[str, ...] = ()
    """Whose voice is heard of a rule, a line each."""
    unasked: tuple[UnaskedLabel, ...] = ()
    years: DataYears = DataYears()
    authorities: tuple[AuthorityLabel, ...] = ()
    permits: tuple[PermitLabel, ...] = ()
    pathways: tuple[PathwayLabel, ...] = ()
    reliances: tuple[RelianceLabel, ...] = ()
    potential: str = ""
    """By which rules a mineral potential was proposed, and that it is no determination."""
    likelihood: NDArray[np.float32] | None = None
    """Evidence surface (rows, columns): share of the land of the same state with a lower
    likelihood of a deposit [%], NaN off land; None if it was not worked out."""
    likelihood_transform: Affine | None = None
    likelihood_leak_m: float | None = None
    """Records so near to a place say nothing of it on the evidence surface [m]."""
    reviews: Mapping[str, Any] | None = None
    """What reviewers decided and what it changed, as ``run.json`` says it."""
    robustness: Mapping[str, Any] | None = None
    """How far the ranking holds under other weights and rules, as ``run.json`` says it."""
    combination: Mapping[str, Any] | None = None
    """The rule by which scores were combined, as the scenario says it."""
    missing: str = "renormalise"
    """What a criterion that is not known counts as, as the scenario says it."""
    footprints: gpd.GeoDataFrame | None = None
    """Parts of the footprint that fits each site; None: none was asked for."""
    tiers: tuple[float, float, float] | None = None
    """Suitability from which on a site is in tier A, in tier B, and the share of the weight
    that has to be known for tier A."""
    weightings: tuple[WeightingLabel, ...] = ()
    """Other weightings of the same criteria, which a reader may try."""
    context: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    """What lies around the AOI, by name, see `geosite.context`; empty where a run kept none."""
    context_labels: Mapping[str, ContextLabel] = field(default_factory=dict)
    """How each of it is written, by the same names, in the order of the catalogue."""
    context_notes: tuple[str, ...] = ()
    """What of it could not be read or was left out, in words."""
    excluded_by: Callable[[Collection[str]], Mapping[str, NDArray[np.bool_]]] | None = None
    """Where each of some hard rules, by id, excludes: (rows, columns) of `status`. Read off the
    run's cells when it is asked; rules that exclude nothing are left out. None: not kept."""
    dossier: Mapping[str, str] = field(default_factory=dict)
    """Site id → path of its page in the dossier beside the run, from the run's folder."""

    @property
    def disclaimer(self) -> str:
        """The sentence that every table, map and page carries."""
        return f"{DISCLAIMER} {self.data_words}."

    @property
    def data_words(self) -> str:
        """From when the data are, and on which day the rules were read."""
        return self.years.words(self.as_of, synthetic=self.synthetic)

    @property
    def offered(self) -> tuple[float, float, float]:
        """Offered land that is excluded, unknown and clear [ha]."""
        if self.offered_ha is not None:
            return self.offered_ha
        there = np.bincount(self.status.ravel(), minlength=CLEAR + 1) * self.cell_ha
        return float(there[EXCLUDED]), float(there[UNKNOWN]), float(there[CLEAR])

    @property
    def is_mostly_unknown(self) -> bool:
        """Whether hardly any offered land that no rule excludes is clear."""
        _, unknown, clear = self.offered
        return unknown > MOSTLY * (unknown + clear)

    @property
    def cell_ha(self) -> float:
        """Area of one cell [ha]."""
        return abs(self.transform.a * self.transform.e) / 10_000
