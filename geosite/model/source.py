"""Where the bytes of a layer come from: a file, an official service, or a person."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geosite.model.base import Spec, Text
from geosite.model.quantity import Hectares, Metres

Role = Literal["primary", "mirror", "archive", "manual"]
ServiceKind = Literal[
    "arcgis", "wfs", "ogc-features", "download", "sciencebase", "cog", "cog-tiles"
]
_BY_BOX = ("arcgis", "wfs", "ogc-features", "cog", "cog-tiles")


class FileSource(Spec):
    """A file below the data root (``--data``)."""

    kind: Literal["file"]
    path: Text
    """Relative to the data root; forward slashes."""
    layer: str | None = None
    """Layer inside a container such as a GeoPackage; the only one if not given."""
    member: str | None = None
    """Path of the file inside a zip archive."""
    format: Literal["auto", "csv", "jsonl"] = "auto"
    """``auto``: by the ending of the name; other GDAL formats need no word here."""
    xy: tuple[str, str] | None = None
    """Columns of a table that hold x (longitude) and y (latitude)."""
    delimiter: str = ","
    encoding: str = "utf-8"
    role: Role = "primary"


class ServiceSource(Spec):
    """An official service or download, from which ``geosite fetch`` gets the layer."""

    kind: ServiceKind
    """``download`` is one file or zip archive; ``sciencebase`` a file of an item; ``cog`` one
    raster of which windows are read; ``cog-tiles`` many, one a degree."""
    url: Text
    """Of the service without the layer's number, of the file, or of the item. May hold
    ``{ST}``, ``{st}``, ``{FIPS}`` (one file a state) or ``{tile}`` (one a degree)."""
    layer: str | None = None
    """Name of the layer in the service or archive, in any letter case; ``*`` stands for any
    letters. In a service it decides, and `layer_id` only between layers of the same name."""
    layer_id: Annotated[int, Field(ge=0)] | None = None
    """ArcGIS: number of the layer when it was last seen; numbers move between releases."""
    file: str | None = None
    """ScienceBase: name of the file in the item."""
    member: str | None = None
    """Path of the dataset inside a zip archive."""
    version: str | None = None
    """Of the protocol or of the data."""
    where: str | None = None
    """ArcGIS: condition that the server applies, in its own field names."""
    page_size: Annotated[int, Field(ge=1)] | None = None
    """Most features a page; less if the server says so."""
    scope: Literal["aoi", "whole"] = "aoi"
    """Whether only what the AOI needs is asked for. A download is always whole."""
    largest_aoi: Hectares | None = None
    """Not used for a larger box: the next source is better there."""
    generalise: Metres | None = None
    """ArcGIS: largest offset allowed in a feature that is too big to be sent as it is."""
    count: Annotated[int, Field(ge=0)] | None = None
    """Features of the whole layer, without `where`, when it was last attested."""
    size: Annotated[int, Field(ge=0)] | None = None
    """Of the file when it was last attested [bytes]."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """Of the file, where its publisher states it and the file does not change."""
    role: Role = "primary"
    encoding: str = "utf-8"
    delimiter: str = ","
    xy: tuple[str, str] | None = None
    """Columns that hold x (longitude) and y (latitude): of a table, or of an ArcGIS layer whose
    own geometry is not wanted."""
    note: str | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        found = [
            f"{key} is for {' and '.join(kinds)} only"
            for key, kinds in (
                ("layer_id", ("arcgis",)),
                ("generalise", ("arcgis",)),
                ("where", ("arcgis",)),
                ("file", ("sciencebase",)),
                ("member", ("download", "sciencebase")),
                ("xy", ("arcgis", "download", "sciencebase")),
                ("sha256", ("download", "sciencebase")),
            )
            if getattr(self, key) is not None and self.kind not in kinds
        ]
        if self.kind == "arcgis" and self.layer is None and self.layer_id is None:
            found.append("arcgis needs layer, layer_id or both")
        if self.kind in ("wfs", "ogc-features") and self.layer is None:
            found.append(f"{self.kind} needs layer, the name of the type or collection")
        if self.kind == "sciencebase" and self.file is None:
            found.append("sciencebase needs file, the name of a file of the item")
        if self.kind == "cog-tiles" and "{tile}" not in self.url:
            found.append("cog-tiles needs {tile} in url")
        if not self.url.startswith(("https://", "http://")):
            found.append(f"url must begin with https:// or http:// (found {self.url!r})")
        if "@" in self.url.partition("://")[2].partition("/")[0] or not self.url.isprintable():
            # It would stand in messages, in the lock and in bundles.
            found.append("url must hold no user name, password or control character")
        if found:
            raise ValueError("; ".join(found))
        return self

    @property
    def by_box(self) -> bool:
        """Whether only a part of the layer is asked for."""
        return self.kind in _BY_BOX and self.scope == "aoi"


class ManualSource(Spec):
    """A dataset that a person has to get: login, captcha or a letter."""

    kind: Literal["manual"]
    instructions: Text
    """How to get the file, and under which name to put it below the data root."""
    url: str | None = None
    role: Role = "manual"


Source = Annotated[FileSource | ServiceSource | ManualSource, Field(discriminator="kind")]
