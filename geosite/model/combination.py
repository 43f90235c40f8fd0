"""Combination rules: how scores on several criteria become one suitability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

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
    allowed, and are scaled to sum to one. The weights of criteria do not matter."""

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


Combination = Annotated[
    WeightedSum
    | GeometricMean
    | EvidenceGated
    | Minimum
    | Maximum
    | OrderedWeights
    | Topsis
    | FuzzyGamma,
    Field(discriminator="kind"),
]

Parts = Literal["sum", "logarithm", "none"]
"""What contributions add up to: suitability, its natural logarithm, or nothing."""

PARTS: dict[str, Parts] = {
    "weighted_sum": "sum",
    "geometric_mean": "logarithm",
    "evidence_gated": "logarithm",
    "minimum": "sum",
    "maximum": "sum",
    "owa": "sum",
    "topsis": "none",
    "fuzzy_gamma": "none",
}
"""Every rule by its kind, and what its contributions add up to."""
NAMES: dict[str, str] = {
    "weighted_sum": "weighted sum",
    "geometric_mean": "weighted geometric mean",
    "evidence_gated": "evidence × access, weighted geometric mean",
    "minimum": "minimum: the worst score",
    "maximum": "maximum: the best score",
    "owa": "ordered weighted average",
    "topsis": "TOPSIS: closeness to the ideal of the ranked sites",
    "fuzzy_gamma": "fuzzy gamma",
}
"""Every rule by its kind, as it is called."""
UNWEIGHTED = frozenset({"minimum", "maximum", "owa", "fuzzy_gamma"})
"""Rules in which the weights of criteria have no part."""


def rule_words(said: Mapping[str, Any]) -> str:
    """A rule in words, with its parameters, from the mapping that a scenario holds.

    Examples
    --------
    >>> rule_words({"kind": "owa", "order_weights": [1, 1, 2]})
    'ordered weighted average (from the best score to the worst 25, 25, 50 %)'
    >>> rule_words({"kind": "fuzzy_gamma", "gamma": 0.9})
    'fuzzy gamma (γ = 0.9)'
    """
    name = NAMES[said["kind"]]
    match said["kind"]:
        case "owa":
            v = [float(x) for x in said["order_weights"]]
            shares = ", ".join(f"{100 * x / sum(v):.3g}" for x in v)
            return f"{name} (from the best score to the worst {shares} %)"
        case "fuzzy_gamma":
            return f"{name} (γ = {said['gamma']:g})"
        case _:
            return name
