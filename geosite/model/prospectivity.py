"""The evidence surface: what known deposits say about land where none is recorded."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from geosite.model.base import LayerId, Spec
from geosite.model.quantity import Metres


class Prospectivity(Spec):
    """How the likelihood of a deposit is worked out, on a coarse grid of its own.

    Reads occurrences, geology and terrain only: no infrastructure, claim, plan or plant.
    """

    cell: Annotated[Metres, Field(gt=0)] = 1000.0
    """Edge of a cell of the evidence surface."""
    leak: Annotated[Metres, Field(ge=0)] = 5000.0
    """A place is judged by what is recorded farther away than this from it."""
    covariates: tuple[LayerId, ...] = ()
    """Geology and terrain it may read; what is missing is left out and said."""
    seed: Annotated[int, Field(ge=0)] = 0
