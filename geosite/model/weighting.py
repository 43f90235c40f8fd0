"""Where the weights come from, if not from the criteria themselves."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from geosite.model.base import Identifier, Spec, Text

Share = Annotated[float, Field(gt=0)]


class DirectWeights(Spec):
    """A weight a criterion; scaled to sum to one."""

    kind: Literal["direct"]
    weights: dict[Identifier, Share]


class PairwiseTable(Spec):
    """Analytic hierarchy process: how many times as much each criterion matters as another."""

    kind: Literal["ahp"]
    criteria: Annotated[tuple[Identifier, ...], Field(min_length=2)]
    table: tuple[tuple[Share, ...], ...]
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
    weighting: Annotated[DirectWeights | PairwiseTable | Ranking, Field(discriminator="kind")]


class Stakeholders(Spec):
    """Weights of several voices, combined."""

    kind: Literal["stakeholders"]
    voices: Annotated[tuple[Stakeholder, ...], Field(min_length=1)]
    combined: Literal["mean", "geometric_mean"] = "mean"


Weighting = Annotated[
    DirectWeights | PairwiseTable | Ranking | Stakeholders, Field(discriminator="kind")
]
