"""Value functions: from a measure to a score of 0 to 1, between absolute anchors."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geosite.model.base import Spec
from geosite.model.quantity import Quantity


class _Anchored(Spec):
    best: Quantity
    worst: Quantity

    @property
    def anchors(self) -> tuple[Quantity, ...]:
        """Every point that must be in the unit of the measure."""
        return (self.best, self.worst)


class Decreasing(_Anchored):
    """Full value up to `best`, none from `worst` on, linear between."""

    kind: Literal["decreasing"]

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.best.value >= self.worst.value:
            msg = f"best {self.best} must be less than worst {self.worst}"
            raise ValueError(msg)
        return self


class Increasing(_Anchored):
    """No value up to `worst`, full from `best` on, linear between."""

    kind: Literal["increasing"]

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.worst.value >= self.best.value:
            msg = f"worst {self.worst} must be less than best {self.best}"
            raise ValueError(msg)
        return self


class Logistic(_Anchored):
    """S-shaped: 0.95 at `best`, 0.05 at `worst`, a half midway."""

    kind: Literal["logistic"]

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.worst.value == self.best.value:
            msg = f"best and worst are both {self.best}"
            raise ValueError(msg)
        return self


class Log(_Anchored):
    """Linear in the logarithm of the measure, from `worst` (0) to `best` (1)."""

    kind: Literal["log"]

    @model_validator(mode="after")
    def _order(self) -> Self:
        if min(self.worst.value, self.best.value) <= 0 or self.worst.value == self.best.value:
            msg = f"best {self.best} and worst {self.worst} must differ and be above zero"
            raise ValueError(msg)
        return self


class Between(Spec):
    """Full value from `best_from` to `best_to`, none below `worst_below`, above `worst_above`."""

    kind: Literal["between"]
    worst_below: Quantity
    best_from: Quantity
    best_to: Quantity
    worst_above: Quantity

    @property
    def anchors(self) -> tuple[Quantity, ...]:
        """Every point that must be in the unit of the measure."""
        return (self.worst_below, self.best_from, self.best_to, self.worst_above)

    @model_validator(mode="after")
    def _order(self) -> Self:
        points = [q.value for q in self.anchors]
        if points != sorted(points) or points[0] == points[1] or points[2] == points[3]:
            msg = "the order must be worst_below < best_from ≤ best_to < worst_above"
            raise ValueError(msg)
        return self


class Piecewise(Spec):
    """Linear between stated points (measure, score), flat beyond the first and the last."""

    kind: Literal["piecewise"]
    points: Annotated[
        tuple[tuple[Quantity, Annotated[float, Field(ge=0, le=1)]], ...], Field(min_length=2)
    ]

    @property
    def anchors(self) -> tuple[Quantity, ...]:
        """Every point that must be in the unit of the measure."""
        return tuple(q for q, _ in self.points)

    @model_validator(mode="after")
    def _order(self) -> Self:
        points = [q.value for q, _ in self.points]
        if any(a >= b for a, b in pairwise(points)):
            msg = "the measures of the points must rise strictly"
            raise ValueError(msg)
        return self


class Categorical(Spec):
    """A stated score for each category; a category without one is unknown."""

    kind: Literal["categorical"]
    scores: Annotated[dict[str, Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)]

    @property
    def anchors(self) -> tuple[Quantity, ...]:
        """None: categories have no unit."""
        return ()


ValueFunction = Annotated[
    Decreasing | Increasing | Between | Piecewise | Categorical | Logistic | Log,
    Field(discriminator="kind"),
]
