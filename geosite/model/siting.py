"""What counts as one site, and what must fit on it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geosite.model.base import Identifier, Spec, Text
from geosite.model.quantity import Hectares, Metres, Percent


def _check_areas(least: float, most: float) -> None:
    if least > most:
        msg = f"min_area {least:g} ha is more than max_area {most:g} ha"
        raise ValueError(msg)


class DepositUnit(Spec):
    """Sites are land within reach of a deposit, in one parcel."""

    unit: Literal["deposit"]
    min_area: Hectares
    max_area: Hectares = 2500.0

    @model_validator(mode="after")
    def _order(self) -> Self:
        _check_areas(self.min_area, self.max_area)
        return self


class ParcelUnit(Spec):
    """Sites are the best contiguous pad of each parcel."""

    unit: Literal["parcel"]
    pad: Hectares
    max_parcel: Hectares
    """A larger parcel is an error: it is no installation but a whole landscape."""


class PatchUnit(Spec):
    """Sites are contiguous land above a threshold, in one parcel."""

    unit: Literal["patch"]
    threshold: Annotated[float, Field(ge=0, le=1)]
    min_area: Hectares
    max_area: Hectares = 2500.0

    @model_validator(mode="after")
    def _order(self) -> Self:
        _check_areas(self.min_area, self.max_area)
        return self


class RegionUnit(Spec):
    """Sites are regions of a wanted area, grown from the best ground of each parcel.

    Contiguous and inside one parcel; see `regions.best_regions` for what is best.
    """

    unit: Literal["region"]
    area: Annotated[Hectares, Field(gt=0)]
    """Wanted area of a region."""
    max_parcel: Hectares
    """A larger parcel is an error: it is no installation but a whole landscape."""
    count: Annotated[int, Field(ge=1, le=1000)] = 1
    """Most regions of one parcel."""
    spacing: Annotated[Metres, Field(ge=0)] = 0.0
    """Least distance between two regions of a parcel."""
    compactness: Annotated[float, Field(ge=0, le=1)] = 0.5
    """0 grows by suitability alone, 1 by shape alone."""


SiteUnit = Annotated[DepositUnit | ParcelUnit | PatchUnit | RegionUnit, Field(discriminator="unit")]
Carved = ParcelUnit | RegionUnit
"""Sites are carved out of whole parcels, after the tiles are joined."""


class FootprintPart(Spec):
    """One part of what is built: a pit, a mill, tailings."""

    id: Identifier
    title: Text
    area: Annotated[Hectares, Field(gt=0)]


class FootprintFit(Spec):
    """A rectangle of all parts together, which must fit the eligible land at some rotation."""

    parts: Annotated[tuple[FootprintPart, ...], Field(min_length=1)]
    aspect: Annotated[float, Field(ge=1, le=10)] = 1.5
    """Length over width."""
    max_slope: Percent | None = None
    """Steepest cell that may lie under it; None where slope never excludes (a pit)."""
    rotation: Annotated[float, Field(gt=0, le=90)] = 15.0
    """Step between the rotations that are tried [degrees]."""
    basis: Text

    @property
    def area(self) -> float:
        """Area of all parts [ha]."""
        return sum(p.area for p in self.parts)
