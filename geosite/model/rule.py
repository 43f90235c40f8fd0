"""A rule of the rulebook: what a law or practice says about land, read off one layer."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geosite.model.base import Day, Identifier, LayerId, Spec, Text
from geosite.model.measure import SlopeMethod
from geosite.model.quantity import Metres, Percent

ProjectType = Literal["mine", "refinery"]
Authority = Literal["statute", "regulation", "withdrawal", "plan", "practice"]


class Step(Spec):
    """From this value of the attribute on, this setback."""

    from_: Annotated[float, Field(alias="from")]
    setback: Metres


class Scaled(Spec):
    """A setback by an attribute of the feature: by steps of voltage, or a height times a factor.

    A feature below the first step has the plain setback. So has one whose attribute is not
    known; from there to the widest setback the rule cannot tell.
    """

    field: Text
    steps: tuple[Step, ...] = ()
    times: Annotated[float, Field(gt=0)] | None = None
    """Metres a unit of the attribute."""
    at_most: Metres | None = None
    """No setback by `times` is wider; it says how far beyond the AOI features are read."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.steps) == (self.times is not None):
            msg = "give steps or times, not both and not neither"
            raise ValueError(msg)
        if (self.times is None) != (self.at_most is None):
            msg = "times and at_most belong together: without a limit nobody knows how far to look"
            raise ValueError(msg)
        values = [s.from_ for s in self.steps]
        if values != sorted(set(values)):
            msg = "steps: write them from the smallest value to the largest, each once"
            raise ValueError(msg)
        return self

    @property
    def widest(self) -> float:
        """Widest setback it can give [m]."""
        return max([s.setback for s in self.steps] + [self.at_most or 0.0])


class _Near(Spec):
    # What a treatment knows of distance.
    setback: Metres = 0.0
    scaled: Scaled | None = None
    """Setback by an attribute; `setback` is then that of features that do not tell it."""

    @property
    def reach(self) -> float:
        """Farthest that it speaks from a feature [m]."""
        return max(self.setback, self.scaled.widest if self.scaled else 0.0)


class Exclude(_Near):
    """No facility on the feature or within the setback."""

    tier: Literal["exclude"]


class Require(Spec):
    """A facility only on the feature or within this distance of it."""

    tier: Literal["require"]
    within: Metres = 0.0

    @property
    def reach(self) -> float:
        """Farthest that it speaks from a feature [m]."""
        return self.within


class Avoid(_Near):
    """Possible, but worth less: suitability is multiplied by the factor."""

    tier: Literal["avoid"]
    factor: Annotated[float, Field(ge=0, lt=1)]


class Mitigate(_Near):
    """Possible at a cost: suitability is multiplied by the factor, and the site is told."""

    tier: Literal["mitigate"]
    factor: Annotated[float, Field(gt=0, le=1)] = 1.0


class Flag(_Near):
    """Changes no number; the site is told."""

    tier: Literal["flag"]


class Include(Spec):
    """Lifts exclusions, applied last.

    By itself it lifts rules of a regulation, a plan or practice. A statute or a withdrawal
    is lifted only where it is named and the case is; sovereign land never is, and no claim
    lifts anything.
    """

    tier: Literal["include"]
    lifts: tuple[Identifier, ...] = ()
    """Rules it lifts; without any, all that rest on a regulation, a plan or practice."""
    case: Text | None = None
    """Number or file of the case; a statute or a withdrawal is not lifted without it."""

    @property
    def reach(self) -> float:
        """Farthest that it speaks from a feature [m]."""
        return 0.0


Treatment = Annotated[
    Exclude | Require | Avoid | Mitigate | Flag | Include, Field(discriminator="tier")
]


class Presence(Spec):
    """The rule is about the features of a vector layer."""

    kind: Literal["presence"] = "presence"


class Slope(Spec):
    """The rule is about ground steeper than a limit [%], at the grid's own cell size."""

    kind: Literal["slope"]
    above: Percent
    method: SlopeMethod = "horn"


class Value(Spec):
    """The rule is about raster values in a range, ends included."""

    kind: Literal["value"]
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.at_least is None and self.at_most is None:
            msg = "give at_least, at_most or both; without a bound the rule is about every cell"
            raise ValueError(msg)
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            msg = f"at_least {self.at_least:g} is more than at_most {self.at_most:g}"
            raise ValueError(msg)
        return self


class Category(Spec):
    """The rule is about some codes of a categorical raster."""

    kind: Literal["category"]
    codes: Annotated[tuple[int, ...], Field(min_length=1)]


class Boundary(Spec):
    """The rule is about the boundaries of a polygon layer's features.

    With `inside` of the same layer and a setback it is an inward buffer.
    """

    kind: Literal["boundary"]


class Disturbance(Spec):
    """The rule is about analysis areas in which too much land is disturbed.

    The layer's polygons are the areas. One is over its cap where the land of `existing` inside
    it, and the disturbance that a site of the scenario would add, are more than the share.
    """

    kind: Literal["disturbance"]
    cap: Percent
    existing: LayerId
    existing_where: str | None = None


Subject = Annotated[
    Presence | Slope | Value | Category | Boundary | Disturbance, Field(discriminator="kind")
]


class Rule(Spec):
    """One rule, with the authority it rests on.

    A facility type without a treatment is not touched by the rule.
    """

    id: Identifier
    title: Text
    layer: LayerId
    where: str | None = None
    """SQL condition on the layer's fields."""
    subject: Subject = Presence()
    mine: Treatment | None = None
    refinery: Treatment | None = None
    inside: LayerId | None = None
    """The rule is active only inside the polygons of this layer."""
    inside_where: str | None = None
    """SQL condition on the fields of that layer."""
    disposal: Literal["locatable", "leasable", "any"] = "any"
    """Minerals the rule speaks of: a withdrawal from location says nothing of a lease."""
    land_origin: Literal["public domain", "acquired", "any"] = "any"
    mineral_estate: Literal["federal", "private", "any"] = "any"
    mineral_status: Literal["open", "segregated", "withdrawn", "any"] = "any"
    """Land the rule speaks of; a site that is known to be other land is not told of it."""
    authority: Authority
    citation: Text
    exceptions: tuple[Text, ...] = ()
    consultation: str | None = None
    permits: tuple[Identifier, ...] = ()
    """Permits and consultations that a touch triggers, by their id in ``permits.yaml``."""
    who_can_act: str | None = None
    """Who could change it: Congress, a department by order, a field office by plan amendment."""
    sovereign: bool = False
    """Land of another sovereign: nothing lifts the rule and no analysis values its absence."""
    valid_from: Day | None = None
    valid_to: Day | None = None
    needs_federal_funding: bool = False
    evidence: Literal["confirmed", "to be confirmed"] = "to be confirmed"
    note: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.mine is None and self.refinery is None:
            msg = "say what the rule means for mine, refinery or both"
            raise ValueError(msg)
        if self.inside_where and not self.inside:
            msg = "inside_where selects features of the layer of inside, and that is not given"
            raise ValueError(msg)
        hard = {"exclude", "require"} & {t.tier for t in (self.mine, self.refinery) if t}
        if hard and {self.land_origin, self.mineral_estate, self.mineral_status} != {"any"}:
            msg = (
                "land_origin, mineral_estate and mineral_status are known of sites, not of cells: "
                "a rule that excludes or requires takes its land from a layer"
            )
            raise ValueError(msg)
        if self.valid_from and self.valid_to and self.valid_from > self.valid_to:
            msg = f"valid_from {self.valid_from} is after valid_to {self.valid_to}"
            raise ValueError(msg)
        return self

    @property
    def reads_raster(self) -> bool:
        """Whether it is about cells of a raster and not about features."""
        return self.subject.kind in ("slope", "value", "category")

    @property
    def is_inward(self) -> bool:
        """Whether it is about boundaries inside their own layer: its features say all there is."""
        return self.subject.kind == "boundary" and self.inside == self.layer

    def treatment(self, project: ProjectType) -> Treatment | None:
        """What the rule means for a type of project; None if nothing."""
        return self.mine if project == "mine" else self.refinery

    def in_force(self, day: date) -> bool:
        """Whether the rule is valid on a day, both ends included."""
        started = self.valid_from is None or self.valid_from <= day
        return started and (self.valid_to is None or day <= self.valid_to)


class LocalRule(Spec):
    """What a county, a state or another area asks instead of a rule: stricter or more permissive.

    Facilities on land in the area keep this setback; elsewhere the rule's own holds.
    """

    rule: Identifier
    counties: tuple[Annotated[str, Field(pattern=r"^[0-9]{5}$")], ...] = ()
    """FIPS codes of state and county."""
    inside: LayerId | None = None
    where: str | None = None
    """Polygons of a layer instead, and a condition on its fields."""
    setback: Metres | None = None
    applies: bool = True
    """False: the rule does not hold there at all."""
    authority: Authority = "regulation"
    citation: Text
    valid_from: Day | None = None
    valid_to: Day | None = None
    evidence: Literal["confirmed", "to be confirmed"] = "to be confirmed"
    note: str | None = None

    @model_validator(mode="after")
    def _one_place_one_answer(self) -> Self:
        if bool(self.counties) == (self.inside is not None):
            msg = "say where it holds: counties or inside, not both and not neither"
            raise ValueError(msg)
        if self.applies == (self.setback is None):
            msg = "give a setback, or applies: false where the rule does not hold at all"
            raise ValueError(msg)
        if self.where and not self.inside:
            msg = "where selects features of the layer of inside, and that is not given"
            raise ValueError(msg)
        return self

    def in_force(self, day: date) -> bool:
        """Whether it is valid on a day, both ends included."""
        started = self.valid_from is None or self.valid_from <= day
        return started and (self.valid_to is None or day <= self.valid_to)


class Override(Spec):
    """What a project decides instead of the rulebook about a single rule."""

    rule: Identifier
    treatment: Treatment | None = None
    """None: the rule is not asked."""
    basis: Text
    """Why; it is printed wherever the rule is."""
    case: str | None = None
    """Number or file of the case; a statute or a withdrawal is not made weaker without it."""


class LocalRules(Spec):
    """The local table of the rulebook."""

    local: tuple[LocalRule, ...]


class RuleSet(Spec):
    """A file of the rulebook."""

    id: Identifier
    title: Text
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]


class LandAuthority(Spec):
    """By which law an agency could make land available for a type of project."""

    agency: Text
    project: ProjectType
    disposal: Literal["locatable", "leasable", "any"] = "any"
    land_origin: Literal["public domain", "acquired", "any"] = "any"
    authority: Text
    """The instrument, as it is printed in the table: ``43 CFR 3809 plan of operations``."""
    citation: Text
    evidence: Literal["confirmed", "to be confirmed"] = "to be confirmed"
    note: str | None = None


class LandAuthorities(Spec):
    """The table of land authorities; an agency that is not in it offers no candidate."""

    authorities: tuple[LandAuthority, ...]
