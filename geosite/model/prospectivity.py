"""The evidence surface: what known deposits say about land where none is recorded."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from geosite.model.base import Identifier, LayerId, Spec
from geosite.model.quantity import Metres

FAMILIES: dict[str, tuple[str, ...]] = {
    "gold": ("gold",),
    "silver": ("silver",),
    "copper": ("copper",),
    "zinc_lead": ("lead", "zinc"),
    "pathfinders": ("antimony", "arsenic", "tellurium", "bismuth"),
    "granite": ("tungsten", "tin", "beryllium", "tantalum", "cesium", "rubidium"),
    "molybdenum": ("molybdenum", "rhenium"),
    "uranium": ("uranium", "vanadium"),
    "rare_earths": ("rare-earths", "yttrium", "niobium", "zirconium", "titanium", "thorium"),
    "evaporite": ("lithium", "boron", "potash", "magnesium"),
    "phosphate": ("phosphate",),
    "ultramafic": ("chromium", "nickel", "cobalt", "platinum-group", "platinum", "palladium"),
    "barite_fluorspar": ("barite", "fluorspar"),
    "iron_manganese": ("manganese", "iron", "aluminum"),
}
"""Commodities that ground yields together, by judgement: each family is a kernel of its own."""


class Prospectivity(Spec):
    """How the likelihood of a deposit is worked out, on a coarse grid of its own.

    Reads occurrences, geology and terrain only: no infrastructure, claim, plan or plant.
    """

    cell: Annotated[Metres, Field(gt=0)] = 1000.0
    """Edge of a cell of the evidence surface."""
    leak: Annotated[Metres, Field(ge=0)] = 5000.0
    """A place is judged by what is recorded farther away than this from it."""
    covariates: tuple[LayerId, ...] = ()
    """Geology and terrain it may read; what is missing is left out and said. Of several rasters
    of elevation the first that is to be had is read."""
    records: tuple[LayerId, ...] = ()
    """Layers of mineral records besides those of the evidence, which only the surface reads:
    too poor for a gate, they still tell where people looked. What is missing is left out."""
    seed: Annotated[int, Field(ge=0)] = 0
    widths: Annotated[tuple[Metres, ...], Field(min_length=1)] = (
        3000.0,
        6000.0,
        12000.0,
        24000.0,
        48000.0,
    )
    """Standard deviations of the kernels that sum the records round a place."""
    families: dict[Identifier, tuple[Identifier, ...]] = FAMILIES
    """Commodities that are counted together, at the second and the last width."""
    known_classes: tuple[Identifier, ...] = ("reserve", "plan", "resource")
    """Classes of the named records that the model learns from."""
    merge_within: Metres = 1000.0
    """Known deposits nearer to each other than this are one."""
    least_known: Annotated[int, Field(ge=1)] = 20
    """With fewer known deposits nothing is fitted: the kernels speak alone."""
    penalty: Annotated[float, Field(gt=0)] = 20.0
    """Ridge penalty of the logistic model, on standardised features."""
    kernel_share: Annotated[float, Field(ge=0, le=1)] = 0.33
    """Part of the weighted kernels in the answer; the rest is the model's."""
    bags: Annotated[int, Field(ge=2)] = 12
    """Fits to deposits drawn anew by block; their spread is a part of the uncertainty."""
    block: Annotated[Metres, Field(gt=0)] = 25000.0
    """Edge of the blocks that are drawn, because deposits of one district are not independent."""
    background: Annotated[int, Field(ge=10)] = 1500
    """Cells of each state that stand for its land."""
