"""A rule of the rulebook: what a law or practice says about land, read off one layer."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geosite.model.base import Identifier, LayerId, Spec, Text
from geosite.model.measure import SlopeMethod
from geosite.model.quantity import Metres, Percent

ProjectType = Literal["mine", "refinery"]
Authority = Literal["statute", "regulation", "withdrawal", "plan", "practice"]


class Exclude(Spec):
    """No facility on the feature or within the setback."""

    tier: Literal["exclude"]
    setback: Metres = 0.0


class Require(Spec):
    """A facility only on the feature or within this distance of it."""

    tier: Literal["require"]
    within: Metres = 0.0


class Avoid(Spec):
    """Possible, but worth less: suitability is multiplied by the factor."""

    tier: Literal["avoid"]
    factor: Annotated[float, Field(ge=0, lt=1)]
    setback: Metres = 0.0


class Mitigate(Spec):
    """Possible at a cost: suitability is multiplied by the factor, and the site is told."""

    tier: Literal["mitigate"]
    factor: Annotated[float, Field(gt=0, le=1)] = 1.0
    setback: Metres = 0.0


class Flag(Spec):
    """Changes no number; the site is told."""

    tier: Literal["flag"]
    setback: Metres = 0.0


class Include(Spec):
    """Lifts every exclusion, applied last; for a statute it needs the case number."""

    tier: Literal["include"]
    case: Text
    """Number or file of the case, for whoever audits the rule: no computation reads it, and the
    report of exceptions is to print it."""


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


Subject = Annotated[Presence | Slope | Value | Category, Field(discriminator="kind")]


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
    authority: Authority
    citation: Text
    exceptions: tuple[Text, ...] = ()
    consultation: str | None = None
    permits: tuple[Text, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    needs_federal_funding: bool = False
    evidence: Literal["confirmed", "to be confirmed"] = "to be confirmed"
    note: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.mine is None and self.refinery is None:
            msg = "say what the rule means for mine, refinery or both"
            raise ValueError(msg)
        if self.valid_from and self.valid_to and self.valid_from > self.valid_to:
            msg = f"valid_from {self.valid_from} is after valid_to {self.valid_to}"
            raise ValueError(msg)
        return self

    def treatment(self, project: ProjectType) -> Treatment | None:
        """What the rule means for a type of project; None if nothing."""
        return self.mine if project == "mine" else self.refinery

    def in_force(self, day: date) -> bool:
        """Whether the rule is valid on a day, both ends included."""
        started = self.valid_from is None or self.valid_from <= day
        return started and (self.valid_to is None or day <= self.valid_to)


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
    authority: Text
    """The instrument, as it is printed in the table: ``43 CFR 3809 plan of operations``."""
    citation: Text
    evidence: Literal["confirmed", "to be confirmed"] = "to be confirmed"
    note: str | None = None


class LandAuthorities(Spec):
    """The table of land authorities; an agency that is not in it offers no candidate."""

    authorities: tuple[LandAuthority, ...]


class Commodity(Spec):
    """A mineral commodity and the names that records use for it."""

    id: Identifier
    title: Text
    names: tuple[Text, ...]
    """Names and MRDS codes, compared whole and without regard to case."""
    lists: tuple[Literal["critical2022", "critical2025", "eo14241"], ...] = ()
    disposal: Literal["locatable", "leasable", "both", "unknown"] = "unknown"
    """Under which mineral law it is acquired on open public domain."""
    host: str | None = None
    """Commodity whose ore it is won from, where it has no ore of its own: no computation reads it
    yet; by-product evidence is to."""
    citation: Text


class Commodities(Spec):
    """The commodity table, and groups that stand for several of them."""

    commodities: tuple[Commodity, ...]
