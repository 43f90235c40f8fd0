"""A scenario: the question asked of the land."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from geosite.model.base import Day, Identifier, LayerId, Spec, Text
from geosite.model.combination import Combination
from geosite.model.criterion import Criterion
from geosite.model.layer import Agency
from geosite.model.prospectivity import Prospectivity
from geosite.model.quantity import Coordinate, Hectares, Metres
from geosite.model.robustness import Robustness
from geosite.model.rule import LocalRule, Override, ProjectType, Rule
from geosite.model.siting import FootprintFit, SiteUnit
from geosite.model.weighting import Weighting

EvidenceClass = Literal[
    "reserve",
    "resource",
    "plan",
    "producer",
    "past_producer",
    "prospect",
    "occurrence",
    "permissive",
    "unknown",
]
"""What a record says is there, from the best. ``permissive``: the ground may hold a deposit, and
none is recorded. A ``plant`` is a class of records too, and never evidence."""


Quality = Literal["A", "B", "C", "D", "E"]
"""How well a record is attested, from the best."""


class GridSpec(Spec):
    """Which grid to analyse on."""

    crs: Text
    resolution: Annotated[Metres, Field(gt=0)]
    origin: tuple[Coordinate, Coordinate] = (0.0, 0.0)
    """``[x, y]`` of a corner that cell edges meet, to snap the cells to another raster's."""


class Confirmation(Spec):
    """Parcels of an agency count as available only near a confirming point."""

    agency: Agency
    layer: LayerId
    where: str | None = None
    within: Metres


class Tenure(Spec):
    """What a layer tells of a site's land or minerals, where it shows something.

    Read off the site's exact outline: a column is ``unknown`` until a layer says so.
    """

    column: Literal["land_origin", "mineral_estate", "mineral_status"]
    layer: LayerId
    where: str | None = None
    value: Text
    """What land on the layer's polygons is: acquired, federal, withdrawn …"""
    otherwise: Text | None = None
    """What covered land off them is; without it nothing is known there."""


class Land(Spec):
    """The land register: whose land it is, and whose is asked for."""

    layers: Annotated[tuple[LayerId, ...], Field(min_length=1)]
    """Land layers; where they overlap the more protected owner has it."""
    offered: Annotated[tuple[Agency, ...], Field(min_length=1)]
    """Agencies whose parcels may be candidates."""
    confirm: tuple[Confirmation, ...] = ()
    unconfirmed: Literal["refuse", "admit"] = "refuse"
    """Whether a parcel whose status is not confirmed may be a candidate."""
    places: LayerId | None = None
    """Points that lend a name to a nameless parcel."""
    counties: LayerId | None = None
    tenure: tuple[Tenure, ...] = ()
    """In order: the first that tells of a piece of land decides its column."""
    offices: tuple[LayerId, ...] = ()
    """Polygons of the offices that would decide, by name; read for a dossier."""
    plans: tuple[LayerId, ...] = ()
    """Polygons of the land-use plans, with their dates; read for a dossier."""
    sliver: Hectares = 1.0
    """Parts smaller than this are reported and not offered."""


class Evidence(Spec):
    """What counts as a sign of ore, and how far it reaches."""

    layers: Annotated[tuple[LayerId, ...], Field(min_length=1)]
    reach: Annotated[Metres, Field(gt=0)]
    """The gate: land farther than this from accepted evidence is no candidate."""
    accept_quality: tuple[Quality, ...] = ("A", "B", "C")
    """Record qualities that open the gate."""
    accept_error: Metres = 1000.0
    """Largest location error that opens the gate."""
    kernel: Annotated[Metres, Field(gt=0)]
    """Radius of the quartic kernel that sums the records round a place."""
    class_weights: dict[EvidenceClass, Annotated[float, Field(ge=0, le=1)]]
    quality_weights: dict[Quality, Annotated[float, Field(ge=0, le=1)]]
    merge_within: Metres = 500.0
    """Records nearer to each other than this are one deposit."""
    merge_same_name_within: Metres = 5000.0
    """Records of one name and of a common commodity are one deposit up to here. Judgement: place
    is wrong by up to a kilometre in each, and the workings of one mine lie apart."""
    through_host: Annotated[float, Field(ge=0, le=1)] = 0.5
    """What a record of the host's ore weighs for a by-product that it does not name. Judgement:
    the ore may hold it, and no record says so."""
    surface: Prospectivity | None = None
    """The evidence surface, shown beside the ranking; None: it is not worked out."""
    basis: Text

    @field_validator("class_weights")
    @classmethod
    def _weighs_every_class(cls, weights: dict[EvidenceClass, float]) -> dict[EvidenceClass, float]:
        # Permissive ground is no record of anything: nothing unless a scenario weighs it.
        default: dict[EvidenceClass, float] = {"permissive": 0.0}
        _check_all_given(default | weights, get_args(EvidenceClass))
        return default | weights

    @field_validator("quality_weights")
    @classmethod
    def _weighs_every_quality(cls, weights: dict[Quality, float]) -> dict[Quality, float]:
        _check_all_given(weights, get_args(Quality))
        return weights


def _check_all_given(weights: Iterable[str], names: tuple[str, ...]) -> None:
    # A weight left out would count as zero, and its records vanish without a word.
    given = set(weights)
    if missing := [name for name in names if name not in given]:
        msg = f"no weight for {', '.join(missing)}; write 0 for what is to count for nothing"
        raise ValueError(msg)


class Tiers(Spec):
    """Stated cuts: tier A from `a` on, B from `b` on, else C.

    A fatal flaw caps a site at C; and a site of whose weight less than `known` could
    be measured is at most B, because nobody can defend what nobody looked at.
    """

    a: Annotated[float, Field(gt=0, le=1)]
    b: Annotated[float, Field(gt=0, le=1)]
    known: Annotated[float, Field(ge=0, le=1)] = 0.6

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.b >= self.a:
            msg = f"b {self.b} must be below a {self.a}"
            raise ValueError(msg)
        return self


class Scenario(Spec):
    """Everything a run depends on, other than the data."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]*$", max_length=80)]
    title: Text
    project: ProjectType
    aoi: Text
    """Name of a state or a group of states, ``west,south,east,north``, or a vector file."""
    grid: GridSpec
    commodities: str | Annotated[tuple[Identifier, ...], Field(min_length=1)] = "eo14241"
    """``eo14241``, ``critical2025``, ``critical2022`` or commodity ids."""
    land: Land
    rules: tuple[Identifier, ...] = ()
    """Rule sets of the rulebook."""
    own_rules: tuple[Rule, ...] = ()
    """Rules of this project itself; one with the id of a rule of the sets takes its place."""
    overrides: tuple[Override, ...] = ()
    """Decisions of this project about single rules; they go before local and generic ones."""
    local: tuple[LocalRule, ...] = ()
    """Local regulations besides those of the rulebook; they go before generic rules."""
    footprint: Hectares | None = None
    """Disturbance that a site would add, for caps; a pad or the smallest site if not given."""
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    evidence: Evidence | None = None
    combination: Combination
    weighting: Weighting | None = None
    """Where the weights come from; None: the weights of the criteria."""
    robustness: Robustness = Robustness()
    missing: Literal["unknown", "worst", "renormalise"]
    """What a score that cannot be measured means for the place."""
    unknown_land: Literal["admit", "refuse"] = "admit"
    sites: SiteUnit
    footprint_fit: FootprintFit | None = None
    """What must fit on a site; None: nothing is fitted."""
    tiers: Tiers
    as_of: Day | None = None
    """Day on which the rules are read; the day of the run if not given."""
    federal_funding: bool = False
    marking: Text = "public data only"

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        found = self._without_evidence()
        ids = [c.id for c in self.criteria]
        if twice := sorted({i for i in ids if ids.count(i) > 1}):
            found.append(f"criteria used twice: {', '.join(twice)}")
        if self.combination.kind == "evidence_gated" and self.combination.evidence not in ids:
            found.append(
                f"combination.evidence: no criterion is called {self.combination.evidence}"
            )
        if self.combination.kind == "owa" and len(self.combination.order_weights) != len(ids):
            found.append(
                f"combination.order_weights: {len(self.combination.order_weights)} order weights, "
                f"expected {len(ids)}, one a criterion, from the best score to the worst"
            )
        if len(set(self.rules)) != len(self.rules):
            found.append("rules: a rule set is named twice")
        changed = [o.rule for o in self.overrides]
        if twice := sorted({i for i in changed if changed.count(i) > 1}):
            found.append(f"overrides: rules overridden twice: {', '.join(twice)}")
        own = [r.id for r in self.own_rules]
        if twice := sorted({i for i in own if own.count(i) > 1}):
            found.append(f"own_rules: rules given twice: {', '.join(twice)}")
        if found:
            raise ValueError("; ".join(found))
        return self

    def _without_evidence(self) -> list[str]:
        found = []
        needs = [c.id for c in self.criteria if c.measure.kind == "evidence"]
        if needs and self.evidence is None:
            found.append(f"criterion {needs[0]} reads evidence, but there is no evidence section")
        likely = [
            c.id for c in self.criteria if any(r.measure.kind == "likelihood" for r in c.readings)
        ]
        if likely and (self.evidence is None or self.evidence.surface is None):
            found.append(
                f"criterion {likely[0]} reads the likelihood, but there is no evidence.surface; "
                "write e.g. surface: {covariates: [terrain/elevation]} into the evidence section"
            )
        if self.sites.unit == "deposit" and self.evidence is None:
            found.append("sites.unit deposit needs an evidence section")
        return found

    @property
    def weights(self) -> dict[str, float]:
        """Criterion weights, scaled to sum to one."""
        total = sum(c.weight for c in self.criteria)
        return {c.id: c.weight / total for c in self.criteria}
