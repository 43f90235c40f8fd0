"""A type of a WFS: found by name, compared with the catalogue, asked for in its version's way.

Versions differ in the order of axes and in the names of parameters; 1.0.0 alone always has x
first. Requests go to the declared address, not to the one in the capabilities, which is often
an inner one. Only a box is ever sent: some services (mrdata.usgs.gov) refuse it beside another
filter. Properties are not named either, since servers differ in what they then do with the
geometry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from pyproj import CRS

from geosite.crs import WGS84, parsed_crs, projected_bounds, same_crs
from geosite.errors import CRSMismatchError, FetchError
from geosite.model.lock import Box
from geosite.sources.asking import Ask
from geosite.sources.axes import Bounds
from geosite.sources.client import Body, Client, RefusedError
from geosite.sources.dataset import matched
from geosite.sources.gml import features, nothing
from geosite.sources.offered import offered, refuse_missing
from geosite.sources.wfs_xml import (
    Capabilities,
    FeatureType,
    Field,
    Scanned,
    capabilities,
    fields,
    scanned,
)

T = TypeVar("T")
_VERSIONS = ("1.0.0", "1.1.0", "2.0.0")


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of a service, and how it is asked for.

    Parameters
    ----------
    ask : Ask
    client : Client
    version : str
        That the service speaks.
    offer : FeatureType
    crs : CRS
        In which it is asked for: the layer's, or where it does not come in that, its own.
    pages : bool
        Whether the service can leave out features that came before.
    limit : int, optional
        Most features in one answer, as far as is known.
    fields : tuple of Field
        Empty if the service does not describe them.
    schema : Path, optional
        XSD for GDAL.
    flipped : bool
        Whether the service takes a box with its axes the other way round than it should.
    turned : bool
        Whether it gives coordinates so.
    """

    ask: Ask
    client: Client
    version: str
    offer: FeatureType
    crs: CRS
    pages: bool
    limit: int | None
    fields: tuple[Field, ...] = ()
    schema: Path | None = None
    flipped: bool = False
    turned: bool = False

    @property
    def url(self) -> str:
        """Of the service."""
        return self.ask.source.url

    @property
    def words(self) -> str:
        """Service and type, for messages."""
        return f"{self.url} ({self.offer.name})"

    @property
    def extent(self) -> Bounds | None:
        """Where the service says that it has something, in the CRS asked for."""
        return None if self.offer.extent is None else self._in_crs(self.offer.extent)

    def bounds(self, box: Box | None) -> Bounds | None:
        """A box in the CRS asked for, and what it takes to enclose it.

        Raises
        ------
        FetchError
            If it has no image there.
        """
        found = None if box is None else self._in_crs(box)
        if found is None and box is not None:
            msg = (
                f"{self.words}: the box {box} has no image in {self.crs.to_string()}; name an "
                "AOI where the layer's crs is of use"
            )
            raise FetchError(msg)
        return found

    def _in_crs(self, box: Box) -> Bounds | None:
        found = projected_bounds(box, WGS84, self.crs)
        return found if np.isfinite(found).all() else None

    def hits(self, bounds: Bounds | None) -> int | None:
        """How many features there are, where the service can say so.

        MapServer counts no further than it would give in one answer: a count that is the
        limit is none.
        """
        if self.version == "1.0.0":
            return None
        try:
            found = self.asked(bounds, {"resultType": "hits"})[1].counted
        except RefusedError:
            return None
        return None if found == self.limit else found

    def answer(
        self, bounds: Bounds | None, count: int | None, start: int | None = None
    ) -> tuple[int | None, pa.Table]:
        """How many features the answer says there are in all, and those that came.

        Raises
        ------
        RefusedError
            For what the server did.
        FetchError
            If it answers in another CRS.
        LayerDataError
            If GDAL cannot read the answer.
        """
        more = {"startIndex": start, "count": count}
        body, found = self.asked(bounds, {k: str(v) for k, v in more.items() if v is not None})
        said = None if found.counted == self.limit or self.version == "1.1.0" else found.counted
        if not found.members:
            return said, nothing(self.fields)
        table, crs = features(
            body.content, self.words, schema=self.schema, authority_order=self.version != "1.0.0"
        )
        if table.num_rows != found.members:
            words = f"{found.members} features came, {table.num_rows} of them can be read"
            raise RefusedError(self.url, words)
        if crs is not None and not same_crs(crs, self.crs):
            msg = (
                f"{self.words}: was asked for {self.crs.to_string()}, answers in "
                f"{crs.to_string()}; write the latter as crs of the layer, or another version"
            )
            raise FetchError(msg)
        return said, table

    def asked(self, bounds: Bounds | None, more: Mapping[str, str]) -> tuple[Body, Scanned]:
        """The answer to a GetFeature, which is GML and no refusal.

        Raises
        ------
        RefusedError
            If it is not.
        """
        new = self.version == "2.0.0"
        params = {
            "typeNames" if new else "typeName": self.offer.name,
            "srsName": _srs_name(self.crs, self.version),
        }
        if bounds is not None:
            params["bbox"] = self._bbox(bounds)
        params |= {"maxFeatures" if k == "count" and not new else k: v for k, v in more.items()}
        read = lambda body: (body, scanned(body))  # noqa: E731 -- one line is clearer here
        return _said(self.client, self.url, self.version, "GetFeature", params, read)

    def _bbox(self, bounds: Bounds) -> str:
        old = self.version == "1.0.0"
        north_first = not old and self.crs.axis_info[0].direction == "north"
        left, bottom, right, top = bounds
        edges = (left, bottom, right, top)
        if north_first != self.flipped:
            edges = (bottom, left, top, right)
        said = ",".join(repr(float(edge)) for edge in edges)
        return said if old else f"{said},{_srs_name(self.crs, self.version)}"


def declared(ask: Ask) -> CRS:
    """The CRS of the layer."""
    return parsed_crs(ask.layer.crs or "", f"layer {ask.layer.id}: crs")


def kind_of(ask: Ask, client: Client) -> Kind:
    """The type that the source means, by the capabilities of the service.

    Raises
    ------
    RefusedError
        If there are none.
    FetchError
        If the service speaks another version, or has no such type.
    """
    source = ask.source
    wanted = source.version or _VERSIONS[-1]
    found = _capabilities(client, source.url, wanted)
    version = next((v for v in _VERSIONS if v[:3] == found.version[:3]), None)
    if version is None or (source.version and version[:3] != wanted[:3]):
        msg = (
            f"{source.url}: speaks WFS {found.version or 'of no version'}, was asked for {wanted}; "
            f"write as version one of {', '.join(_VERSIONS)} that it speaks"
        )
        raise FetchError(msg)
    names = [(one.name,) for one in found.types]
    offer = found.types[offered(source.layer or "", names, source.url, what="types")]
    crs = next((c for c in map(_crs, offer.crs) if c and same_crs(c, declared(ask))), None)
    crs = crs or next(filter(None, map(_crs, offer.crs)), declared(ask))
    limits = [found.limit, source.page_size]
    if version == "1.0.0":
        # It has no word for its limit; the same service has one in the next version.
        limits.append(_later_limit(client, source.url))
    limit = min((known for known in limits if known), default=None)
    return Kind(ask, client, version, offer, crs, found.pages and version == "2.0.0", limit)


def described(kind: Kind) -> Kind:
    """The type with its fields, among which every declared one is.

    Raises
    ------
    RefusedError
        If the service does not describe it.
    FetchError
        If a declared field is not there.
    """
    params = {"typeName": kind.offer.name}
    name = kind.offer.name
    found = _said(
        kind.client, kind.url, kind.version, "DescribeFeatureType", params,
        lambda body: fields(body, name),
    )  # fmt: skip
    if found:
        columns(kind, [one.name for one in found if one.kind != "geometry"])
    return replace(kind, fields=found)


def columns(kind: Kind, there: list[str]) -> list[str]:
    """Those of some columns that the layer wants.

    Raises
    ------
    FetchError
        If a declared one is not there.
    """
    if not kind.ask.layer.fields:
        return there
    found = {name: matched(name, there) for name in kind.ask.columns}
    refuse_missing(found, there, kind.words)
    return [name for name in there if name in found.values()]


def _later_limit(client: Client, url: str) -> int | None:
    try:
        return _capabilities(client, url, "1.1.0").limit
    except RefusedError:
        return None


def _capabilities(client: Client, url: str, version: str) -> Capabilities:
    return _said(client, url, version, "GetCapabilities", {}, capabilities)


def _said(
    client: Client, url: str, version: str, request: str, params: Mapping[str, str],
    read: Callable[[Body], T],
) -> T:  # fmt: skip
    """What an answer says, asked again while that may help."""
    said = {"service": "WFS", "version": version, "request": request, **params}

    def once() -> T:
        try:
            body = client.body(url, said)
        except RefusedError as error:
            # The client has asked again already.
            error.again = False
            raise
        return read(body)

    return client.again(once)


def _crs(said: str) -> CRS | None:
    """The CRS of any of the spellings: EPSG:4326, the URNs, the addresses."""
    number = re.search(r"EPSG.*?(\d+)$", said, re.IGNORECASE)
    try:
        return parsed_crs(f"EPSG:{number[1]}" if number else said, "a service")
    except CRSMismatchError:
        return None


def _srs_name(crs: CRS, version: str) -> str:
    authority = crs.to_authority()
    if authority is None:
        msg = f"{crs.name}: has no code, and a WFS knows a CRS by its code; declare crs as EPSG:…"
        raise FetchError(msg)
    name, code = authority
    if name == "OGC":
        return f"urn:ogc:def:crs:OGC:1.3:{code}"
    return f"{name}:{code}" if version == "1.0.0" else f"urn:ogc:def:crs:{name}::{code}"
