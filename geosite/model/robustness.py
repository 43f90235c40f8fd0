"""How far the weights are doubted when a ranking is put to the test."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from geosite.model.base import Spec


class Robustness(Spec):
    """Stochastic multicriteria acceptability analysis (SMAA) of the ranking."""

    draws: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000
    """Weight vectors that are drawn."""
    seed: Annotated[int, Field(ge=0)] = 0
    spread: Annotated[float, Field(gt=0, le=1)] | None = 0.5
    """Each weight's doubt as a share of itself: Dirichlet about the stated weights, with this as
    the two-sigma range of a weight of mean size; None: every weighting is as likely (uniform)."""
    top: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (10, 50)
    """Lists whose membership is asked for: the first k sites."""
