"""A criterion: how good a place is in one respect, on a scale of 0 to 1."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from geosite.model.base import Identifier, LayerId, Spec, Text
from geosite.model.measure import Measure
from geosite.model.value import ValueFunction


class Reading(Spec):
    """A measure of a layer, and the value function that turns it into a score."""

    layer: LayerId | None = None
    """None for measures that read no layer of their own (evidence, likelihood, open land)."""
    where: str | None = None
    measure: Measure
    value: ValueFunction
    note: str | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        needs_layer = self.measure.kind not in ("evidence", "likelihood", "open_land")
        if needs_layer != (self.layer is not None):
            msg = (
                f"measure {self.measure.kind} needs a layer"
                if needs_layer
                else f"measure {self.measure.kind} reads no layer; leave it out"
            )
            raise ValueError(msg)
        if (self.measure.unit == "category") != (self.value.kind == "categorical"):
            msg = f"measure {self.measure.kind} does not go with a {self.value.kind} value function"
            raise ValueError(msg)
        if wrong := [str(q) for q in self.value.anchors if q.unit != self.measure.unit]:
            unit = self.measure.unit or "no unit (a bare number)"
            kind = self.measure.kind
            msg = f"measure {kind} is in {unit}, but these anchors are not: {', '.join(wrong)}"
            raise ValueError(msg)
        return self


class Criterion(Reading):
    """One graded preference, and how much it matters."""

    id: Identifier
    title: Text
    weight: Annotated[float, Field(gt=0)]
    critical: bool = False
    """A site whose score is zero has a fatal flaw, which caps its tier."""
    basis: Text
    """The measurement, standard or study the anchors and the weight rest on."""
    stand_ins: tuple[Reading, ...] = ()
    """What is read instead, in order, where the layer is not to be had; said in the run."""

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The criterion's own reading, then its stand-ins."""
        return (self, *self.stand_ins)
