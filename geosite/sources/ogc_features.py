"""A layer from OGC API Features: the collection by its id or title, page after page as GeoJSON.

Pages are followed by the server's own links, on its own host only and never twice; what came is
compared with `numberMatched`. A box is sent in longitude and latitude, and so come coordinates,
unless the collection offers the layer's own CRS. GDAL's OAPIF driver is not used to ask: it
keeps none of our patience, politeness and bounds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import geopandas as gpd
import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geosite.crs import WGS84, parsed_crs, projected, projected_bounds, same_crs
from geosite.errors import CRSMismatchError, FetchError, LayerDataError
from geosite.model.lock import Box
from geosite.sources.asking import Ask, Estimate, Finding, Got, Told, count_finding
from geosite.sources.axes import lie, turned_geometry
from geosite.sources.client import Client, RefusedError
from geosite.sources.dataset import matched, one_line
from geosite.sources.offered import offered, refuse_missing
from geosite.sources.pages import GEOMETRY, written

_PAGE = 1000
_SAMPLE = 20
_MOST_PAGES = 20_000
_WORLD = (-180.0, -90.0, 180.0, 90.0)
Feature = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Collection:
    """A collection, and how it is asked for.

    Parameters
    ----------
    url : str
        Without a slash at its end.
    crs : CRS
        In which it comes.
    uri : str, optional
        Of that CRS, where it is not longitude and latitude.
    """

    ask: Ask
    client: Client
    url: str
    crs: CRS
    uri: str | None

    @property
    def items(self) -> str:
        return f"{self.url}/items"

    def page(self, box: Box | None, limit: int) -> dict[str, Any]:
        params = {"f": "json", "limit": str(limit)}
        if box is not None:
            params["bbox"] = ",".join(repr(float(edge)) for edge in box)
        if self.uri:
            params["crs"] = self.uri
        return _checked(self.client.json(self.items, params), self.items)


def fetched(ask: Ask, client: Client, folder: Path, told: Told) -> Got:
    """The layer, or what of it meets the box, as GeoParquet in the folder.

    Raises
    ------
    RefusedError
        For what the server did.
    FetchError
        If what is there is not as the catalogue says, or lies somewhere else.
    LayerDataError
        If a geometry is none.
    """
    found = _collection(ask, client)
    names, notes, tables = _queryables(found), list[str](), list[pa.Table]()
    columns: list[str] | None = None
    before: frozenset[bytes] = frozenset()
    for box in ask.boxes:
        seen, turn = set[bytes](), None
        for features in _pages(found, box, seen, told, notes):
            # A feature that meets both boxes comes twice.
            fresh = [f for f in features if _key(f) not in before]
            if fresh:
                columns = columns or _columns(found, fresh, names)
                shapes = _shapes(fresh, found.items)
                turn = _turn(found, shapes, box, notes) if turn is None else turn
                moved = _moved(found, turned_geometry(shapes) if turn else shapes)
                tables.append(_table(fresh, columns, moved))
        before |= seen
    if not same_crs(found.crs, _declared(ask)):
        notes.append(f"came in {found.crs.to_string()}, was projected to {ask.layer.crs}")
    path = folder / "layer.parquet"
    if not tables:
        tables = [_table([], ask.columns or names, _shapes([], found.items))]
    count = written(tables, path, _declared(ask))
    whole = _count(found.page(None, 1))
    said = tuple(dict.fromkeys(notes))
    return Got(path, count, found.items, server_count=whole, notes=said)


def estimated(ask: Ask, client: Client) -> Estimate:
    """What would come, by the server's own count and the size of a few features.

    Raises
    ------
    RefusedError, FetchError
        As `fetched` does.
    """
    found = _collection(ask, client)
    count, size = 0, 0.0
    for box in ask.boxes:
        page = found.page(box, _SAMPLE)
        here = _count(page)
        if here is None:
            return Estimate(ask.source.count if ask.box is None else None, None)
        count += here
        size += here * len(json.dumps(page["features"])) / max(len(page["features"]), 1)
    return Estimate(count, int(size), measured=True)


def probed(ask: Ask, client: Client) -> Finding:
    """How the server is: whether it has the collection, its fields, and about as many features.

    Raises
    ------
    RefusedError
        If it does not answer as it should.
    """
    try:
        found = _collection(ask, client)
        page = found.page(None, 1)
        _columns(found, page["features"], _queryables(found))
    except FetchError as error:
        return Finding("schema changed", str(error))
    return count_finding(found.url.rpartition("/")[2], _count(page), ask.source.count)


# ── what there is ───────────────────────────────────────────────────────────────────────────


def _declared(ask: Ask) -> CRS:
    return parsed_crs(ask.layer.crs or "", f"layer {ask.layer.id}: crs")


def _collection(ask: Ask, client: Client) -> _Collection:
    url = f"{ask.source.url.rstrip('/').removesuffix('/collections')}/collections"
    said = client.json(url, {"f": "json"})
    listed = said.get("collections")
    there = [c for c in listed if isinstance(c, dict) and isinstance(c.get("id"), str)] if (
        isinstance(listed, list)) else []  # fmt: skip
    if not there:
        raise RefusedError(url, f"lists no collections (it says {', '.join(said) or 'nothing'})")
    names = [(c["id"], str(c.get("title") or c["id"])) for c in there]
    chosen = there[offered(ask.source.layer or "", names, url, what="collections")]
    crs, uri = _served(_declared(ask), _offers(chosen, said))
    return _Collection(ask, client, f"{url}/{quote(chosen['id'], safe='')}", crs, uri)


def _offers(collection: dict[str, Any], whole: dict[str, Any]) -> list[str]:
    """CRSs that a collection comes in; ``#/crs`` stands for those that all come in."""
    said: list[Any] = []
    for uri in collection.get("crs") or []:
        said += (whole.get("crs") or []) if uri == "#/crs" else [uri]
    return [uri for uri in said if isinstance(uri, str)]


def _served(wanted: CRS, uris: Sequence[str]) -> tuple[CRS, str | None]:
    if same_crs(wanted, WGS84):
        return WGS84, None
    for uri in uris:
        try:
            if same_crs(parsed_crs(uri, "a service"), wanted):
                return wanted, uri
        except CRSMismatchError:
            continue
    return WGS84, None


def _queryables(found: _Collection) -> list[str]:
    """Names of the fields that can be asked about: some of all, or all."""
    try:
        said = found.client.json(f"{found.url}/queryables", {"f": "json"}).get("properties")
    except RefusedError:
        return []
    return [name for name in said if name != "geometry"] if isinstance(said, dict) else []


def _columns(
    found: _Collection, features: Sequence[Feature], queryable: Sequence[str]
) -> list[str]:
    """Names there of the fields that are kept.

    The id of a feature is the field ``id``, where it has no other of that name.
    """
    names = list(dict.fromkeys(name for f in features for name in f.get("properties") or {}))
    names += [name for name in queryable if name not in names]
    if not found.ask.layer.fields:
        return names
    wanted = {name: matched(name, [*names, "id"]) for name in found.ask.columns}
    if names:
        refuse_missing(wanted, names, found.items)
    return [name for name in dict.fromkeys((*names, "id")) if name in wanted.values()]


# ── all of them ─────────────────────────────────────────────────────────────────────────────


def _pages(
    found: _Collection, box: Box | None, seen: set[bytes], told: Told, notes: list[str]
) -> Iterator[list[Feature]]:
    """Features page by page, each once; at the end as many as the server said."""
    page = found.page(box, found.ask.source.page_size or _PAGE)
    expected, came, links = _count(page), 0, set[str]()
    while page["features"]:
        keyed = [(_key(feature), feature) for feature in page["features"]]
        # Without an id two that are the same in all may well be two.
        features = [f for key, f in keyed if key not in seen or "id" not in f]
        if all(key in seen for key, _ in keyed) or len(links) == _MOST_PAGES:
            words = f"gives the same features again after {came}, or has no end"
            raise RefusedError(found.items, words, again=True)
        seen.update(key for key, _ in keyed)
        came += len(features)
        told(came, expected)
        yield features
        link = _next(page, found.items)
        if link is None:
            break
        if link in links:
            raise RefusedError(found.items, f"its pages go in a circle, back to {link}")
        links.add(link)
        page = _checked(found.client.json(link), link)
    if expected is None:
        notes.append("the server does not say how many features there are")
    elif came < expected:
        words = f"says that there are {expected} features, gives {came}"
        raise RefusedError(found.items, words, again=True)


def _checked(page: dict[str, Any], url: str) -> dict[str, Any]:
    features = page.get("features")
    if not isinstance(features, list) or not all(isinstance(f, dict) for f in features):
        said = page.get("description") or page.get("detail") or page.get("title")
        words = one_line(str(said))[:300] if said else f"{', '.join(page) or 'nothing'}"
        raise RefusedError(url, f"answered without features: {words}")
    return page


def _count(page: dict[str, Any]) -> int | None:
    said = page.get("numberMatched")
    return said if isinstance(said, int) and said >= 0 else None


def _next(page: dict[str, Any], url: str) -> str | None:
    """The link to the next page, at the address that the catalogue declares."""
    listed = page.get("links")
    links = [k for k in listed if isinstance(k, dict)] if isinstance(listed, list) else []
    href = next((k.get("href") for k in links if k.get("rel") == "next"), None)
    if not isinstance(href, str) or not href:
        return None
    own, said = urlsplit(url), urlsplit(urljoin(url, href))
    if said.hostname != own.hostname:
        raise RefusedError(url, f"sends to {href} for its next page, which is another host")
    # Behind a proxy a server may know its own scheme and port wrongly.
    return urlunsplit((own.scheme, own.netloc, said.path, said.query, ""))


def _key(feature: Feature) -> bytes:
    return hashlib.sha256(json.dumps(feature, sort_keys=True).encode()).digest()


# ── as tables ───────────────────────────────────────────────────────────────────────────────


def _shapes(features: Sequence[Feature], name: str) -> NDArray[np.object_]:
    texts = [json.dumps(f["geometry"]) if f.get("geometry") else None for f in features]
    try:
        found: NDArray[np.object_] = shapely.from_geojson(np.array(texts, dtype=object))
    except shapely.GEOSException as error:
        msg = f"{name}: holds a geometry that is none: {one_line(error)[:300]}"
        raise LayerDataError(msg) from None
    return found


def _turn(
    found: _Collection, shapes: NDArray[np.object_], box: Box | None, notes: list[str]
) -> bool:
    """Whether coordinates have to be turned to have x first."""
    # In a CRS that is asked for by name, axes come in its own order.
    usual = found.uri is not None and found.crs.axis_info[0].direction == "north"
    wanted = projected_bounds(box, WGS84, found.crs) if box else None
    if wanted is None and found.crs.is_geographic:
        wanted = _WORLD
    if wanted is None:
        return usual
    where = lie(turned_geometry(shapes) if usual else shapes, wanted, found.crs)
    if where == "turned":
        notes.append("coordinates came with their axes the other way round and were turned")
    elif where == "astray":
        there = " ".join(f"{edge:g}" for edge in shapely.total_bounds(shapes))
        msg = (
            f"{found.items}: features lie in {there}, were expected in "
            f"{' '.join(f'{edge:g}' for edge in wanted)} ({found.crs.to_string()})"
        )
        raise FetchError(msg)
    return usual != (where == "turned")


def _moved(found: _Collection, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    frame = gpd.GeoDataFrame(geometry=shapes, crs=found.crs)
    return projected(frame, _declared(found.ask)).geometry.to_numpy()  # type: ignore[no-any-return]


def _table(
    features: Sequence[Feature], columns: Sequence[str], shapes: NDArray[np.object_]
) -> pa.Table:
    rows = [{"id": f.get("id")} | (f.get("properties") or {}) for f in features]
    named = {name: _array([row.get(name) for row in rows]) for name in columns}
    return pa.table(named | {GEOMETRY: pa.array(shapely.to_wkb(shapes), pa.binary())})


def _array(values: list[Any]) -> pa.Array:
    plain = [json.dumps(v) if isinstance(v, dict | list) else v for v in values]
    try:
        return pa.array(plain)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        # Words among numbers, or a number that no column holds.
        return pa.array([v if v is None or isinstance(v, str) else json.dumps(v) for v in plain])
