"""A layer: one thematic dataset, as declared in ``layers/``."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geosite.model.base import LayerId, Spec, Text
from geosite.model.quantity import Metres
from geosite.model.source import Source

Geometry = Literal["point", "line", "polygon", "raster"]
EVIDENCE = r"^(seen in [0-9]+[+]? public projects|single|guess|none|counted)(; .+)?$"
Agency = Literal[
    "TRIBAL", "NPS", "FWS", "DOD", "DOE", "USFS", "BLM", "USBR", "OTHER_FEDERAL", "STATE", "OTHER"
]
"""Owner codes of the land register, from the most protected owner to the least."""


class FieldSpec(Spec):
    """One attribute: what it is called at the source and what it means."""

    from_: Annotated[str | None, Field(alias="from")] = None
    """Name in the file, matched without regard to case; the field's own name if not given."""
    constant: str | None = None
    """Says the same of every feature, where the source has no column for it."""
    type: Literal["text", "number", "integer", "date"] = "text"
    unit: str | None = None
    description: str | None = None
    codes: dict[str, str] = {}
    """Coded values → meaning; the meaning replaces the code."""
    null: tuple[str, ...] = ()
    """Values that mean nothing is known, such as -999999."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.constant is not None and (self.from_ is not None or self.codes):
            msg = "a constant has no column: leave out from and codes"
            raise ValueError(msg)
        return self


class Everywhere(Spec):
    """The layer speaks for all land."""

    kind: Literal["everywhere"] = "everywhere"


class States(Spec):
    """The layer speaks for some states, by their names in ``aoi/states``."""

    kind: Literal["states"]
    names: Annotated[tuple[Text, ...], Field(min_length=1)]


class ExceptStates(Spec):
    """The layer speaks for all land but some states, by their names in ``aoi/states``.

    For a national layer with gaps. Unlike a list of its states it does not make
    the sea and the land across the border a place where a nearer feature may hide.
    """

    kind: Literal["except_states"]
    names: Annotated[tuple[Text, ...], Field(min_length=1)]


class Box(Spec):
    """The layer speaks for a box of longitude and latitude."""

    kind: Literal["box"]
    west: Annotated[float, Field(ge=-180, le=180)]
    south: Annotated[float, Field(ge=-90, le=90)]
    east: Annotated[float, Field(ge=-180, le=180)]
    north: Annotated[float, Field(ge=-90, le=90)]

    @model_validator(mode="after")
    def _order(self) -> Self:
        found = []
        if self.west >= self.east:
            found.append(f"west {self.west:g} must be less than east {self.east:g}")
        if self.south >= self.north:
            found.append(f"south {self.south:g} must be less than north {self.north:g}")
        if found:
            raise ValueError("; ".join(found))
        return self


class Inside(Spec):
    """The layer speaks inside the polygons of another layer."""

    kind: Literal["inside"]
    layer: LayerId


class ValidCells(Spec):
    """A raster speaks where its cells are not nodata."""

    kind: Literal["valid_cells"] = "valid_cells"


Coverage = Annotated[
    Everywhere | States | ExceptStates | Box | Inside | ValidCells, Field(discriminator="kind")
]


class Layer(Spec):
    """One dataset of the catalogue: facts only.

    What a fact *means* (is the land excluded, how much does it weigh) is said by
    the rulebook and the scenario.
    """

    id: LayerId
    title: Text
    agency: Text
    """Who publishes it."""
    purpose: Text
    geometry: Geometry
    crs: str | None = None
    """Declared CRS of the source, checked against the file and never guessed."""
    sources: tuple[Source, ...] = ()
    """In order: the first that is in place is used."""
    union_of: tuple[LayerId, ...] = ()
    """Other layers that make this one together, instead of sources."""
    where: str | None = None
    """SQL condition on the fields below; only these features are the layer."""
    fields: dict[str, FieldSpec] = {}
    owner: Agency | None = None
    """Land layers: the owner of every feature, where no field ``owner`` says it."""
    unit: str | None = None
    """Rasters: unit of the cell values."""
    coverage: Coverage = Everywhere()
    absence: Literal["informative", "not_informative"]
    """Whether a place without a feature is known to have none."""
    positional_accuracy: Metres | None = None
    vintage: Text
    """Year or date that the content describes."""
    cadence: str | None = None
    """How often the publisher renews it, in words."""
    stale_after_days: Annotated[int, Field(ge=1)] | None = None
    """Days after which what was fetched is said to be stale; None: it does not age."""
    status: Literal["official", "archive", "unofficial", "manual", "synthetic"]
    licence: Text
    citation: Text
    evidence: Annotated[str, Field(pattern=EVIDENCE)] | None = None
    """How well the endpoint is attested: a class, then words: ``seen in 10+ public projects;
    checked 2026-10``, ``single; …`` (one project), ``guess; …`` (inferred, to be confirmed),
    ``none; …`` (no service is known), ``counted`` (every feature was read)."""
    problems: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if bool(self.sources) == bool(self.union_of):
            msg = "give either sources or union_of, not both and not neither"
            raise ValueError(msg)
        if self.sources and self.crs is None:
            msg = "crs: declare the CRS of the source; it is never guessed"
            raise ValueError(msg)
        if "geometry" in self.fields:
            msg = "fields.geometry: the name is taken; call the field something else"
            raise ValueError(msg)
        if self.coverage.kind == "valid_cells" and self.geometry != "raster":
            msg = "coverage valid_cells is for rasters only"
            raise ValueError(msg)
        if self.geometry == "raster" and self.coverage.kind not in ("valid_cells", "everywhere"):
            msg = (
                f"coverage: {self.coverage.kind} is not for rasters: a raster says by its nodata "
                "cells where it is silent; write valid_cells"
            )
            raise ValueError(msg)
        return self
