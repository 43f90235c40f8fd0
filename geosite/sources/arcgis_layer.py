"""A layer of an ArcGIS service, as the service describes it: found by name, asked for by field."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from geosite.crs import parsed_crs
from geosite.errors import FetchError, faults
from geosite.model.layer import Geometry
from geosite.model.lock import Box
from geosite.sources.asking import Ask
from geosite.sources.client import Client, RefusedError
from geosite.sources.dataset import matched

_KINDS: dict[str, Geometry] = {
    "esriGeometryPoint": "point",
    "esriGeometryMultipoint": "point",
    "esriGeometryPolyline": "line",
    "esriGeometryPolygon": "polygon",
}
_LARGEST_PAGE = 5000
_USUAL_PAGE = 1000  # where a service says nothing, as old ones do


@dataclass(frozen=True, slots=True)
class Listed:
    """A layer of a service, as its list of layers has it."""

    number: int
    name: str

    def __str__(self) -> str:
        """For messages: 3 'Railroads'."""
        return f"{self.number} {self.name!r}"


@dataclass(frozen=True, slots=True)
class Described:
    """A layer, and how it can be asked.

    Parameters
    ----------
    url : str
        Of the layer, without a slash at its end.
    listed : Listed
    columns : mapping
        Field at the server → name in the catalogue, of the fields that are kept.
    extra : tuple of str
        Fields at the server that are asked for and not kept.
    oid : str, optional
        Field of the object ids.
    xy : two fields, optional
        Where the points are, if the layer's own geometry is not wanted.
    shapes : bool
        Whether the server has a geometry that a box can be compared with.
    where : str
    spatial_reference : str
        In which coordinates are wanted: a number, or Esri's JSON.
    page : int
        Most features at a time.
    paged, ordered : bool
        Whether the server can skip features, and put them in order.
    edited : str, optional
        ISO 8601.
    """

    url: str
    listed: Listed
    columns: Mapping[str, str]
    extra: tuple[str, ...]
    oid: str | None
    xy: tuple[str, str] | None
    shapes: bool
    where: str
    spatial_reference: str
    page: int
    paged: bool
    ordered: bool
    edited: str | None

    def filter(self, box: Box | None) -> dict[str, str]:
        """Parameters that say which features: the source's condition, and a box in WGS 84."""
        if box is None:
            return {"where": self.where}
        west, south, east, north = box
        if not self.shapes and self.xy is not None:
            x, y = self.xy
            near = f"{x} >= {west} AND {x} <= {east} AND {y} >= {south} AND {y} <= {north}"
            return {"where": near if self.where == "1=1" else f"({self.where}) AND {near}"}
        envelope: dict[str, object] = {"xmin": west, "ymin": south, "xmax": east, "ymax": north}
        envelope |= {"spatialReference": {"wkid": 4326}}
        return {
            "where": self.where,
            "geometry": json.dumps(envelope, separators=(",", ":")),
            "geometryType": "esriGeometryEnvelope",
            "inSR": "4326",
            "spatialRel": "esriSpatialRelIntersects",
        }

    def wanted(self) -> dict[str, str]:
        """Parameters that say what of each feature."""
        said = {"outFields": ",".join([*self.columns, *self.extra]), "f": "json"}
        if self.xy is not None:
            return said | {"returnGeometry": "false"}
        return said | {
            "returnGeometry": "true",
            "outSR": self.spatial_reference,
            "returnTrueCurves": "false",
            "returnZ": "false",
            "returnM": "false",
        }


def layers_of(ask: Ask, client: Client) -> tuple[Listed, ...]:
    """Layers and tables of the service, without groups, which hold nothing themselves.

    Raises
    ------
    RefusedError
        If the address gives no list of layers.
    """
    url = ask.source.url.rstrip("/")
    found = client.json(url, {"f": "json"})
    if not isinstance(found.get("layers"), list):
        words = f"lists no layers, expected a FeatureServer or MapServer (it says {_keys(found)})"
        raise RefusedError(url, words)
    tables = found.get("tables")
    entries = [*found["layers"], *(tables if isinstance(tables, list) else [])]
    return tuple(
        Listed(entry["id"], str(entry.get("name", "")))
        for entry in entries
        if isinstance(entry, dict)
        and isinstance(entry.get("id"), int)
        and entry.get("type") != "Group Layer"
        and not entry.get("subLayerIds")
    )


def chosen(ask: Ask, there: tuple[Listed, ...]) -> Listed:
    """The layer that the source means: by name, and by number between those of one name.

    Raises
    ------
    FetchError
        If there is none, or more than one.
    """
    source = ask.source
    if source.layer is None:
        found = [one for one in there if one.number == source.layer_id]
        sought = f"no layer {source.layer_id}"
    else:
        parts = source.layer.strip().split("*")
        pattern = re.compile(".*".join(map(re.escape, parts)), re.IGNORECASE | re.DOTALL)
        found = [one for one in there if pattern.fullmatch(one.name.strip())]
        sought = f"no layer {source.layer!r}"
        if len(found) > 1:
            sought = f"{len(found)} layers {source.layer!r} ({', '.join(map(str, found))})"
            found = [one for one in found if one.number == source.layer_id]
            sought += ", none of them with the declared layer_id" if source.layer_id else ""
    if len(found) != 1:
        listing = ", ".join(map(str, there)) or "none"
        msg = (
            f"{source.url}: {sought}; its layers: {listing}; correct layer (a name, "
            "* for any letters) and layer_id of this source"
        )
        raise FetchError(msg)
    return found[0]


def described(ask: Ask, client: Client, listed: Listed) -> Described:
    """The layer by its own description, compared with what the catalogue says of it.

    Raises
    ------
    FetchError
        If the catalogue declares fields that are not there, or another kind of geometry.
    RefusedError
        If the server does not describe it.
    """
    url = f"{ask.source.url.rstrip('/')}/{listed.number}"
    said = client.json(url, {"f": "json"})
    names, oid = _fields(said)
    found = _unfit_geometry(ask, said.get("geometryType"))
    xy = ask.source.xy
    wanted = dict.fromkeys([*ask.columns, *(xy or ())])
    server = {name: server_name(name, names) for name in wanted}
    if missing := [name for name, is_ in server.items() if is_ is None]:
        found.append(
            f"no field {', '.join(map(repr, missing))} (or several); its fields: "
            f"{', '.join(names) or 'none'}; correct fields.*.from"
        )
    if found:
        raise FetchError(faults(f"{url} ({listed.name}) is not as the catalogue says:", found))
    kept = {str(server[name]): name for name in ask.columns}
    if not ask.layer.fields:
        kept = {name: name for name in names}
    points = (str(server[xy[0]]), str(server[xy[1]])) if xy else None
    extra = dict.fromkeys([*(points or ()), *((oid,) if oid else ())])
    able = said.get("advancedQueryCapabilities")
    able = able if isinstance(able, dict) else {}
    return Described(
        url=url,
        listed=listed,
        columns=kept,
        extra=tuple(name for name in extra if name not in kept),
        oid=oid,
        xy=points,
        shapes=said.get("geometryType") in _KINDS,
        where=ask.source.where or "1=1",
        spatial_reference=_spatial_reference(ask),
        page=_page_size(ask, said.get("maxRecordCount")),
        paged=able.get("supportsPagination") is True,
        ordered=bool(able.get("supportsOrderBy", said.get("supportsAdvancedQueries"))),
        edited=_edited(said.get("editingInfo")),
    )


def server_name(name: str, there: list[str]) -> str | None:
    """The field that a name means, in any letter case and with or without its table.

    ``ATTRIBUTE`` means ``Wetlands.ATTRIBUTE`` where nothing else ends so.
    """
    found: str | None = matched(name, there)
    if found is None:
        tail = _tail(name)
        same = [one for one in there if _tail(one) == tail]
        found = same[0] if len(same) == 1 else None
    return found


def _tail(name: str) -> str:
    return name.strip().rpartition(".")[2].casefold()


def _fields(said: dict[str, Any]) -> tuple[list[str], str | None]:
    """Names of the fields, and which of them holds the object ids."""
    listed = said.get("fields")
    listed = listed if isinstance(listed, list) else []
    fields = [f for f in listed if isinstance(f, dict) and isinstance(f.get("name"), str)]
    names = [f["name"] for f in fields if f.get("type") != "esriFieldTypeGeometry"]
    ids = [f["name"] for f in fields if f.get("type") == "esriFieldTypeOID"]
    declared = said.get("objectIdField")
    if isinstance(declared, str) and (found := matched(declared, names)) is not None:
        return names, found
    return names, ids[0] if ids else None


def _unfit_geometry(ask: Ask, kind: Any) -> list[str]:
    wanted = ask.layer.geometry
    if ask.source.xy is not None:
        return [] if wanted == "point" else [f"xy makes points, expected {wanted}s"]
    found = _KINDS.get(str(kind))
    if found == wanted:
        return []
    is_ = f"its geometry is {found} ({kind})" if found else "it is a table without geometry"
    return [f"{is_}, expected {wanted}; another layer of the service may be meant"]


def _spatial_reference(ask: Ask) -> str:
    crs = parsed_crs(ask.layer.crs or "", f"layer {ask.layer.id}")
    authority = crs.to_authority()
    if authority is not None and authority[0] in ("EPSG", "ESRI"):
        return str(authority[1])
    return json.dumps({"wkt": crs.to_wkt("WKT1_ESRI")})


def _page_size(ask: Ask, most: Any) -> int:
    said = most if isinstance(most, int) and most > 0 else _USUAL_PAGE
    return min(ask.source.page_size or _LARGEST_PAGE, said)


def _edited(said: Any) -> str | None:
    if not isinstance(said, dict):
        return None
    at = said.get("dataLastEditDate") or said.get("lastEditDate")
    if not isinstance(at, int | float) or not 0 < at < 4e12:
        return None
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _keys(found: dict[str, Any]) -> str:
    return ", ".join(list(found)[:8]) or "nothing"
