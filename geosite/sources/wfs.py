"""A layer from a WFS (1.0.0, 1.1.0 or 2.0.0), as GML, without a feature lost unseen.

GDAL parses the GML. Its WFS driver is not used to ask for it: of a service that gives few
features an answer it hands on those few without a word (`tests/services/test_wfs.py` shows it),
and it keeps none of our patience, politeness and bounds.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geosite.crs import projected, same_crs
from geosite.errors import FetchError
from geosite.sources.asking import Ask, Estimate, Finding, Got, Told, count_finding
from geosite.sources.axes import Bounds, grown, lie, turned_geometry
from geosite.sources.client import Client, RefusedError
from geosite.sources.gml import ID, digest, nothing, typed, united, unlike
from geosite.sources.pages import GEOMETRY, written
from geosite.sources.wfs_type import Kind, columns, declared, described, kind_of
from geosite.sources.wfs_xml import schema
from geosite.sources.wkb import geometries

_PAGE = 1000
_SAMPLE = 50
_MOST_ASKED = 20_000
_ROUND = 100


def fetched(ask: Ask, client: Client, folder: Path, told: Told) -> Got:
    """The layer, or what of it meets the box, as GeoParquet in the folder.

    Raises
    ------
    RefusedError
        For what the server did.
    FetchError
        If what is there is not as the catalogue says, or lies somewhere else.
    LayerDataError
        If GDAL cannot read what came.
    """
    kind = described(kind_of(ask, client))
    if kind.fields:
        place = folder / "type.xsd"
        place.write_bytes(schema(kind.offer.name, kind.fields))
        kind = replace(kind, schema=place)
    tables, notes = [nothing(kind.fields)], list[str]()
    for box in ask.boxes:
        bounds = kind.bounds(box)
        way, remarks = _settled(kind, bounds)
        notes += remarks
        if way is not None:
            came, remarks = _gathered(way, bounds, told)
            tables.append(came)
            notes += remarks
    if kind.schema is not None:
        kind.schema.unlink()
    whole = pa.concat_tables(united(tables), promote_options="permissive")
    if not same_crs(kind.crs, declared(ask)):
        notes.append(f"came in {kind.crs.to_string()}, was projected to {ask.layer.crs}")
    path = folder / "layer.parquet"
    count = written([_finished(whole, kind)], path, declared(ask))
    said = tuple(dict.fromkeys(notes))
    return Got(path, count, kind.url, server_count=kind.hits(None), notes=said)


def estimated(ask: Ask, client: Client) -> Estimate:
    """What would come, by the service's own count and the size of a few features.

    Raises
    ------
    RefusedError, FetchError
        As `fetched` does.
    """
    kind = kind_of(ask, client)
    count, size = 0, 0.0
    for box in ask.boxes:
        bounds = kind.bounds(box)
        here = kind.hits(bounds)
        if here is None:
            return Estimate(ask.source.count if ask.box is None else None, None)
        body, found = kind.asked(bounds, {"count": str(_SAMPLE)})
        count += here
        size += here * len(body.content) / max(found.members, 1)
    return Estimate(count, int(size), measured=True)


def probed(ask: Ask, client: Client) -> Finding:
    """How the service is: whether it has the type, its fields, and about as many features.

    Raises
    ------
    RefusedError
        If it does not answer as a WFS.
    """
    try:
        kind = described(kind_of(ask, client))
    except FetchError as error:
        return Finding("schema changed", str(error))
    words = f"{kind.offer.name}, WFS {kind.version}"
    return count_finding(words, kind.hits(None), ask.source.count)


# ── which way round ─────────────────────────────────────────────────────────────────────────


def _settled(kind: Kind, bounds: Bounds | None) -> tuple[Kind | None, list[str]]:
    """How the service takes boxes and gives coordinates, by a few features; None: it has none.

    No features is not believed before the box was asked for with its axes exchanged too: old
    services take longitude first whatever the version says, and answer with nothing.
    """
    astray: NDArray[np.float64] | None = None
    for flipped in (False, True) if bounds is not None else (False,):
        way = replace(kind, flipped=flipped)
        try:
            found = _geometry(way.answer(bounds, _SAMPLE)[1])
        except RefusedError:
            # A box that lies beyond a pole may well be refused.
            if flipped:
                break
            raise
        where = _lie(found, bounds, kind)
        if len(found) and where != "astray":
            way = replace(way, turned=where == "turned")
            return way, _remarks(way)
        if len(found) and not flipped:
            astray = shapely.total_bounds(found)
    if astray is None:
        if there := kind.hits(bounds):
            raise RefusedError(kind.url, f"says that there are {there} features, gives none")
        return None, []
    place = " ".join(f"{edge:g}" for edge in astray)
    wanted = " ".join(f"{edge:g}" for edge in bounds or kind.extent or ())
    msg = (
        f"{kind.words}: features lie in {place}, were expected in {wanted} "
        f"({kind.crs.to_string()}), whichever axis comes first; another version of the protocol "
        "or another crs may be right"
    )
    raise FetchError(msg)


def _lie(found: NDArray[np.object_], bounds: Bounds | None, kind: Kind) -> str:
    world = (-180.0, -90.0, 180.0, 90.0) if kind.crs.is_geographic else None
    wanted = bounds or kind.extent or world
    if wanted is None:
        return "there"
    return lie(found, wanted, kind.crs, kind.extent if bounds else None)


def _remarks(way: Kind) -> list[str]:
    found = []
    if way.flipped:
        found.append("the service takes boxes with its axes the other way round; so it was asked")
    if way.turned:
        found.append("coordinates came with their axes the other way round and were turned")
    return found


# ── all of them ─────────────────────────────────────────────────────────────────────────────


def _gathered(way: Kind, bounds: Bounds | None, told: Told) -> tuple[pa.Table, list[str]]:
    """Every feature in some bounds, once, and a remark if nobody says that it is every one."""
    every = _paged if way.pages else _quartered
    tables, expected = every(way, bounds, way.hits(bounds), told)
    found = pa.concat_tables(tables, promote_options="permissive")
    if expected is not None and found.num_rows < expected:
        words = f"says that there are {expected} features, gives {found.num_rows}"
        raise RefusedError(way.url, words, again=True)
    if way.turned:
        found = _with_geometry(found, turned_geometry(_geometry(found)))
    return found, [] if expected is not None else ["the service does not say how many there are"]


def _paged(
    way: Kind, bounds: Bounds | None, expected: int | None, told: Told
) -> tuple[list[pa.Table], int | None]:
    tables, seen, before = [nothing(way.fields)], set[str](), set[str]()
    start, size = 0, min(way.ask.source.page_size or _PAGE, way.limit or _PAGE)
    while True:
        said, table = way.answer(bounds, size, start)
        expected = expected if said is None else said
        if not table.num_rows:
            return tables, expected
        content = digest(table)
        if content in before or len(before) == _MOST_ASKED:
            words = f"gives the same features again from {start} on, or has no end"
            raise RefusedError(way.url, words, again=True)
        before.add(content)
        tables.append(unlike(table, seen))
        start += table.num_rows
        told(start, expected)
        # Only an empty page is the end: a count may be no more than what one answer holds.
        if table.num_rows < size and start == expected:
            return tables, expected


def _quartered(
    way: Kind, bounds: Bounds | None, expected: int | None, told: Told
) -> tuple[list[pa.Table], int | None]:
    """One answer, and where it may be cut short, four for the quarters of its box."""
    tables, there, asked, limit = [nothing(way.fields)], 0, 0, way.limit
    areas: list[tuple[Bounds | None, int | None]] = [(bounds, expected)]
    while areas:
        area, count = areas.pop()
        said, table = way.answer(area, way.ask.source.page_size)
        asked += 1
        tables.append(table)
        count = count if said is None else said
        if limit is None and 0 < table.num_rows < (count or 0):
            limit = table.num_rows
        if _cut(limit, table.num_rows):
            whole = area or (grown(way.extent, way.crs) if way.extent else None)
            quarters = _quarters(way, whole, table.num_rows, asked)
            areas += [(quarter, way.hits(quarter)) for quarter in quarters]
        else:
            there += table.num_rows
            told(there, expected)
    return united(tables), expected


def _cut(limit: int | None, came: int) -> bool:
    # A round number is taken for a limit that is not told: to look again costs little.
    return came > 0 and (came % _ROUND == 0 or (limit is not None and came >= limit))


def _quarters(way: Kind, area: Bounds | None, came: int, asked: int) -> list[Bounds]:
    if area is None:
        words = f"gives no more than {came} features and does not say where they lie"
        raise RefusedError(way.url, words)
    left, bottom, right, top = area
    least = 1e-5 if way.crs.is_geographic else 1.0  # a metre
    if max(right - left, top - bottom) < least or asked >= _MOST_ASKED:
        words = (
            f"gives no more than {came} features an answer, and there are more near "
            f"{left:.5f} {bottom:.5f}, even after {asked} answers"
        )
        raise RefusedError(way.url, words)
    x, y = (left + right) / 2, (bottom + top) / 2
    return [(left, bottom, x, y), (x, bottom, right, y), (left, y, x, top), (x, y, right, top)]


# ── their columns ───────────────────────────────────────────────────────────────────────────


def _finished(table: pa.Table, kind: Kind) -> pa.Table:
    """What the layer declares of the features, as numbers where they are, in its CRS."""
    fields = [one.name for one in kind.fields if one.kind != "geometry"]
    there = [c for c in table.column_names if c != GEOMETRY and (c != ID or ID in fields)]
    kept = typed(table.select([*columns(kind, fields or there), GEOMETRY]), kind.fields)
    shapes = gpd.GeoDataFrame(geometry=_geometry(kept), crs=kind.crs)
    moved = projected(shapes, declared(kind.ask))
    return kept if moved is shapes else _with_geometry(kept, moved.geometry.to_numpy())


def _geometry(table: pa.Table) -> NDArray[np.object_]:
    return geometries(table.column(GEOMETRY).to_numpy())


def _with_geometry(table: pa.Table, geometry: NDArray[np.object_]) -> pa.Table:
    at = table.column_names.index(GEOMETRY)
    return table.set_column(at, GEOMETRY, pa.array(shapely.to_wkb(geometry), pa.binary()))
