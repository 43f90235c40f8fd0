"""Combination rules: how scores on several criteria become one suitability."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geosite.model.base import Identifier, Spec


class WeightedSum(Spec):
    """Σ wᵢ·xᵢ."""

    kind: Literal["weighted_sum"]


class GeometricMean(Spec):
    """Π xᵢ^wᵢ, with a floor for zero when its logarithm is decomposed."""

    kind: Literal["geometric_mean"]
    floor: Annotated[float, Field(gt=0, lt=1)] = 0.001


class EvidenceGated(Spec):
    """evidence^w × access^(1−w), where access is the weighted sum of all other criteria."""

    kind: Literal["evidence_gated"]
    evidence: Identifier = "evidence"
    floor: Annotated[float, Field(gt=0, lt=1)] = 0.001


class Minimum(Spec):
    """min xᵢ over the criteria: a place is as good as its worst side; weights do not matter."""

    kind: Literal["minimum"]


class Maximum(Spec):
    """max xᵢ over the criteria: a place is as good as its best side; weights do not matter."""

    kind: Literal["maximum"]


class OrderedWeights(Spec):
    """Ordered weighted average: Σ vⱼ·x₍ⱼ₎, order weights on scores sorted from the best down."""

    kind: Literal["owa"]
    order_weights: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)]
    """One a criterion, from the best score to the worst: they say how much compensation is
    allowed, and are scaled to sum to one."""

    @model_validator(mode="after")
    def _weighs_something(self) -> Self:
        if sum(self.order_weights) <= 0:
            msg = "order_weights: all are zero; at least one order weight must be above zero"
            raise ValueError(msg)
        return self


class Topsis(Spec):
    """Closeness to the ideal: d⁻ / (d⁺ + d⁻), distances to the best and worst of the ranked set.

    It needs the set: another site may reorder the rest, which the run reports.
    """

    kind: Literal["topsis"]


class FuzzyGamma(Spec):
    """(1 − Π(1 − xᵢ))^γ × (Π xᵢ)^(1−γ): between the fuzzy sum (γ = 1) and product (γ = 0).

    Weights do not matter.
    """

    kind: Literal["fuzzy_gamma"]
    gamma: Annotated[float, Field(ge=0, le=1)] = 0.9


Combination = Annotated[WeightedSum | GeometricMean | EvidenceGated, Field(discriminator="kind")]
