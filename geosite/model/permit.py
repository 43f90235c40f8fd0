"""Permits and consultations, and the pathways by which they are obtained."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geosite.model.base import Day, Identifier, Spec, Text
from geosite.model.rule import ProjectType

Track = Literal["federal", "state", "water", "power", "litigation"]
"""Whose clock it runs on; only the federal one is compared with GAO-16-165."""
Mark = Literal["confirmed", "to be confirmed"]
Disposal = Literal["locatable", "leasable", "any"]


class Months(Spec):
    """How long it takes [months]: low, likely, high."""

    low: Annotated[float, Field(ge=0)]
    likely: Annotated[float, Field(ge=0)]
    high: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def _order(self) -> Self:
        if not self.low <= self.likely <= self.high:
            msg = f"low {self.low:g}, likely {self.likely:g}, high {self.high:g}: not in order"
            raise ValueError(msg)
        return self


class Clock(Spec):
    """A time that a law or a regulation sets; it says nothing of how long it takes."""

    sets: Text
    """What is to be done in that time, by whom, from when on."""
    months: Annotated[float, Field(gt=0)]
    citation: Text
    evidence: Mark = "to be confirmed"


class Permit(Spec):
    """One permit, approval or consultation."""

    id: Identifier
    title: Text
    kind: Literal["permit", "approval", "lease", "consultation", "review"]
    track: Track
    agency: Text
    """Who decides or is consulted."""
    projects: Annotated[tuple[ProjectType, ...], Field(min_length=1)]
    every: bool = False
    """Asked of every site of the project on land of `land`; the others when a rule triggers it."""
    land: tuple[Text, ...] = ()
    """Agencies of the land; all if empty."""
    disposal: Disposal = "any"
    """Minerals it is asked for; those of acquired land are leased."""
    commodities: str | tuple[Identifier, ...] | None = None
    """A list (critical2025 …) or commodity ids for which it is asked; None: for all."""
    months: Months | None = None
    """None: no duration with a source is known."""
    clocks: tuple[Clock, ...] = ()
    citation: Text
    source: str | None = None
    """Where the months come from."""
    evidence: Mark = "to be confirmed"
    note: str | None = None

    @model_validator(mode="after")
    def _months_have_a_source(self) -> Self:
        if self.months and not self.source:
            msg = "months without a source; name it, or leave the months out: then they are unknown"
            raise ValueError(msg)
        return self


class Pathway(Spec):
    """A way through the federal approvals, with its clock."""

    id: Identifier
    title: Text
    projects: Annotated[tuple[ProjectType, ...], Field(min_length=1)]
    commodities: str | tuple[Identifier, ...] | None = None
    """A list (critical2025 …) or commodity ids for which it is open; None: for all."""
    land: tuple[Text, ...] = ()
    """Agencies of the land for which it is open; all if empty."""
    disposal: Disposal = "any"
    """Minerals for which it is open; those of acquired land are leased."""
    months: Months | None = None
    """None: no duration with a source is known."""
    basis: Literal["observed", "stated"] = "observed"
    """Whether the months were measured on cases, or are what an agency says it will keep to."""
    clocks: tuple[Clock, ...] = ()
    valid_from: Day | None = None
    valid_to: Day | None = None
    as_of: Day
    """Day to which the source speaks."""
    citation: Text
    source: Text
    evidence: Mark = "to be confirmed"
    note: str | None = None

    def in_force(self, day: date) -> bool:
        """Whether it is open on a day, both ends included."""
        started = self.valid_from is None or self.valid_from <= day
        return started and (self.valid_to is None or day <= self.valid_to)


class Permits(Spec):
    """The table of permits and pathways."""

    permits: Annotated[tuple[Permit, ...], Field(min_length=1)]
    pathways: Annotated[tuple[Pathway, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _once(self) -> Self:
        for name, ids in (
            ("permits", [p.id for p in self.permits]),
            ("pathways", [p.id for p in self.pathways]),
        ):
            if twice := sorted({i for i in ids if ids.count(i) > 1}):
                msg = f"{name}: given twice: {', '.join(twice)}"
                raise ValueError(msg)
        return self
