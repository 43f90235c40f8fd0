"""Where the weights come from, if not from the criteria themselves."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from geosite.model.base import Identifier, Spec, Text

Share = Annotated[float, Field(gt=0)]


def _fraction(value: Any) -> Any:
    # 1/3 has no decimals that are exactly reciprocal to 3.
    top, slash, bottom = value.partition("/") if isinstance(value, str) else ("", "", "")
    try:
        return float(top) / float(bottom) if slash else value
    except (ValueError, ZeroDivisionError):
        return value


Judgement = Annotated[
    float,
    BeforeValidator(_fraction),
    Field(gt=0),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "string", "pattern": r"^\d+(\.\d+)?(/\d+(\.\d+)?)?$"},
            ]
        }
    ),
]
"""How many times as much one criterion matters as another: ``3``, or ``1/3``."""


class DirectWeights(Spec):
    """A weight a criterion; scaled to sum to one."""

    kind: Literal["direct"]
    weights: dict[Identifier, Share]


class PairwiseTable(Spec):
    """Analytic hierarchy process: how many times as much each criterion matters as another."""

    kind: Literal["ahp"]
    criteria: Annotated[tuple[Identifier, ...], Field(min_length=2)]
    table: tuple[tuple[Judgement, ...], ...]
    """Row i, column j: how much more the i-th matters than the j-th, 1/9 to 9; reciprocal."""
    allow_inconsistent: bool = False
    """Go on with a consistency ratio above 0.1."""


class Ranking(Spec):
    """Rank-order centroid weights: criteria from the most to the least important."""

    kind: Literal["ranking"]
    order: Annotated[tuple[Identifier | tuple[Identifier, ...], ...], Field(min_length=1)]
    """Criteria that matter alike stand together in a list."""


class Stakeholder(Spec):
    """One voice, and how it weighs."""

    name: Text
    influence: Share = 1.0
    basis: Text | None = None
    """Whose judgement it is, or where it was published."""
    weighting: Annotated[DirectWeights | PairwiseTable | Ranking, Field(discriminator="kind")]


class Stakeholders(Spec):
    """Weights of several voices, combined."""

    kind: Literal["stakeholders"]
    voices: Annotated[tuple[Stakeholder, ...], Field(min_length=1)]
    combined: Literal["mean", "geometric_mean"] = "mean"


Weighting = Annotated[
    DirectWeights | PairwiseTable | Ranking | Stakeholders, Field(discriminator="kind")
]
