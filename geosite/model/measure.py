"""Measures: the physical quantity that a criterion reads off a layer, with its unit."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from geosite.model.base import Spec, Text
from geosite.model.quantity import Metres, Percent

SlopeMethod = Literal["horn", "zevenbergen-thorne"]
"""From all eight neighbours, or from the four beside a cell: rougher, as NumPy's gradient."""


class Distance(Spec):
    """Euclidean distance to the nearest feature [m]."""

    kind: Literal["distance"]

    @property
    def unit(self) -> str:
        """Metres."""
        return "m"


class Share(Spec):
    """Share of the cell that polygons fill [%]."""

    kind: Literal["share"]

    @property
    def unit(self) -> str:
        """Per cent."""
        return "%"


class SumWithin(Spec):
    """Sum of a field over the points within a radius, in the field's unit."""

    kind: Literal["sum_within"]
    field: Text
    radius: Annotated[Metres, Field(gt=0)]
    unit: str = "persons"


class Density(Spec):
    """Points per km², or the sum of a field per km², by a quartic kernel cut at the radius."""

    kind: Literal["density"]
    radius: Annotated[Metres, Field(gt=0)]
    field: str | None = None

    @property
    def unit(self) -> str:
        """A bare number: per km²."""
        return ""


class RasterValue(Spec):
    """Value of a raster, in the unit its layer declares."""

    kind: Literal["value"]
    unit: str = ""


class SlopePercent(Spec):
    """Steepness of the ground at the grid's own cell size [%]."""

    kind: Literal["slope"]
    method: SlopeMethod = "horn"

    @property
    def unit(self) -> str:
        """Per cent."""
        return "%"


class FlatShare(Spec):
    """Share of the land within a radius that is no steeper than a limit [%]."""

    kind: Literal["flat_share"]
    radius: Annotated[Metres, Field(gt=0)]
    slope: Percent

    @property
    def unit(self) -> str:
        """Per cent."""
        return "%"


class OpenLand(Spec):
    """Land within a radius that lies in one parcel and that no rule excludes [ha]."""

    kind: Literal["open_land"]
    radius: Annotated[Metres, Field(gt=0)]

    @property
    def unit(self) -> str:
        """Hectares."""
        return "ha"


class Nearby(Spec):
    """Whether a feature lies within a distance: category ``yes`` or ``no``."""

    kind: Literal["nearby"]
    within: Metres
    """Zero asks whether the place lies on a polygon; points and lines need a distance."""

    @property
    def unit(self) -> str:
        """A category."""
        return "category"


class CategoryAt(Spec):
    """Category of the polygon or raster cell at the place, ``none`` where no polygon is."""

    kind: Literal["category"]
    field: str | None = None

    @property
    def unit(self) -> str:
        """A category."""
        return "category"


class EvidenceStrength(Spec):
    """Strength of the mineral evidence, as the scenario's ``evidence`` section defines it."""

    kind: Literal["evidence"]

    @property
    def unit(self) -> str:
        """A bare number."""
        return ""


class LikelihoodRank(Spec):
    """Land of the same state that the evidence surface puts below the place [%]."""

    kind: Literal["likelihood"]

    @property
    def unit(self) -> str:
        """Per cent."""
        return "%"


Measure = Annotated[
    Distance
    | Share
    | SumWithin
    | Density
    | RasterValue
    | SlopePercent
    | FlatShare
    | OpenLand
    | Nearby
    | CategoryAt
    | EvidenceStrength
    | LikelihoodRank,
    Field(discriminator="kind"),
]
