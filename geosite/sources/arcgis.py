"""Layers of ArcGIS services (FeatureServer and MapServer over REST): fetched, estimated, probed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlencode

import pandas as pd
import pyarrow as pa
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from geosite.crs import parsed_crs, same_crs
from geosite.errors import FetchError, LayerDataError
from geosite.model.lock import Box
from geosite.sources.arcgis_layer import Described, chosen, described, layers_of, server_name
from geosite.sources.arcgis_pages import Gathering, Page, Picked
from geosite.sources.asking import Ask, Estimate, Finding, Got, Told, count_finding
from geosite.sources.client import Client, RefusedError
from geosite.sources.pages import CRS_SAID, GEOMETRY, joined, nothing, written

DEPTH = 4
"""How often a box is quartered in which a server cannot count its features."""
_SAMPLE = 50
_DEGREE = 111_320.0  # metres


@dataclass(slots=True)
class _Basket:
    """What has come so far."""

    crs: CRS
    told: Told
    tables: list[tuple[int, int, pa.Table]] = field(default_factory=list)
    counted: int = 0
    boxes: int = 0
    rows: int = 0
    generalised: list[int | str] = field(default_factory=list)
    fitting: set[str] = field(default_factory=set)
    joined: bool = False

    def add(self, page: Page, layer: Described) -> None:
        """Take a page, if it is in the CRS that was asked for."""
        if page.table.num_rows == 0:
            return
        if layer.xy is None:
            self._refuse_other_crs(page.table, layer)
        at = 0 if isinstance(page.piece, Picked) else page.piece.offset
        self.tables.append((self.boxes, at, page.table))
        self.rows += page.table.num_rows
        self.told(min(self.rows, self.counted), self.counted)

    def _refuse_other_crs(self, table: pa.Table, layer: Described) -> None:
        said = (table.schema.metadata or {}).get(CRS_SAID, b"").decode()
        if said not in self.fitting:
            if _means(said, self.crs):
                self.fitting.add(said)
                return
            msg = (
                f"{layer.url}/query: coordinates in {said[:200] or 'no stated CRS'}, asked for "
                f"{layer.spatial_reference}; expected the layer's declared CRS "
                f"({self.crs.to_string()[:80]})"
            )
            raise LayerDataError(msg)


def fetched(ask: Ask, client: Client, folder: Path, told: Told) -> Got:
    """The features asked for, in a GeoParquet file in the folder.

    Columns are named as the catalogue names them; features are in order of their object ids,
    and each is there once.

    Parameters
    ----------
    ask : Ask
    client : Client
    folder : Path
        Where the file is written.
    told : callable
        Is told how many features have come, and how many are counted.

    Raises
    ------
    RefusedError
        If the server does not give all that it counts.
    FetchError
        If it has no such layer, or the layer no such fields or geometry.
    LayerDataError
        If what it gives cannot be read, or is in another CRS.
    """
    layer = _layer(ask, client)
    crs = parsed_crs(ask.layer.crs or "", f"layer {ask.layer.id}")
    basket = _Basket(crs, told)
    boxes = ask.boxes if ask.source.by_box else (None,)
    for box in boxes:
        _gather(Gathering(layer, client, box, _offset(ask, crs)), basket, DEPTH)
    whole = basket.counted if boxes == (None,) else _count_of_all(layer, client)
    table = _distinct([t for *_, t in sorted(basket.tables, key=lambda t: t[:2])], layer, basket)
    # What is written is a copy of them, and fills the memory as it is.
    basket.tables.clear()
    path = folder / "layer.parquet"
    count = written([_kept(table, layer)], path, crs)
    notes = [*_notes(ask, layer, basket, count)]
    if layer.edited and (now := described(ask, client, layer.listed).edited) != layer.edited:
        notes.append(
            f"edited on the server while it was read ({layer.edited}, then {now}): a feature may "
            f"be missing; geosite fetch --layer {ask.layer.id} --refresh asks again"
        )
    return Got(
        path=path,
        count=count,
        url=_address(layer, ask.box if ask.source.by_box else None),
        server_count=whole,
        edited=layer.edited,
        notes=tuple(notes),
    )


def estimated(ask: Ask, client: Client) -> Estimate:
    """What the server counts, and its bytes by a sample of a few features.

    Raises
    ------
    RefusedError, FetchError
        As `fetched`, if the layer cannot be asked at all.
    """
    layer = _layer(ask, client)
    boxes = ask.boxes if ask.source.by_box else (None,)
    every = [Gathering(layer, client, box, hasty=box is not None) for box in boxes]
    try:
        counts = [one.counted() for one in every]
    except RefusedError as error:
        if not error.again or boxes == (None,):
            raise
        # A server that cannot count in this box may in its quarters; that is for a real fetch.
        return Estimate(None, None)
    count, most = sum(counts), counts.index(max(counts))
    if count == 0:
        return Estimate(0, 0)
    try:
        features, size = every[most].sample(min(_SAMPLE, layer.page))
    except RefusedError:
        return Estimate(count, None)
    if features == 0:
        return Estimate(count, None)
    return Estimate(count, round(count * size / features), measured=True)


def probed(ask: Ask, client: Client) -> Finding:
    """How the source is: its layer by name, fields, kind of geometry, and count."""
    try:
        there = layers_of(ask, client)
        try:
            listed = chosen(ask, there)
        except FetchError as error:
            return Finding("moved", str(error))
        try:
            layer = described(ask, client, listed)
        except FetchError as error:
            return Finding("schema changed", str(error))
        # The server must understand the condition; what is attested is the count without it.
        Gathering(layer, client, None).counted()
        count = Gathering(replace(layer, where="1=1"), client, None).counted()
    except RefusedError as error:
        return Finding("dead", str(error))
    if moved := _moved(ask, layer):
        return Finding("moved", moved, count)
    return count_finding(str(layer.listed), count, ask.source.count)


def _means(said: str, crs: CRS) -> bool:
    try:
        return bool(said) and same_crs(CRS.from_user_input(said), crs)
    except CRSError:
        return False


def _layer(ask: Ask, client: Client) -> Described:
    return described(ask, client, chosen(ask, layers_of(ask, client)))


def _gather(gathering: Gathering, basket: _Basket, depth: int) -> None:
    """Put all features of a box in the basket, by its quarters where the whole is too much."""
    quartered = gathering.box is not None and depth > 0
    gathering.hasty = quartered
    basket.boxes += 1
    try:
        count = gathering.counted()
        basket.counted += count
        for page in gathering.pages(count):
            basket.add(page, gathering.layer)
    except RefusedError as error:
        if gathering.box is None or not (quartered and error.again):
            raise
        if gathering.client.stop.is_set():
            raise
    else:
        basket.generalised += gathering.generalised
        return
    for box in _quarters(gathering.box):
        smaller = Gathering(gathering.layer, gathering.client, box, gathering.offset)
        _gather(smaller, basket, depth - 1)


def _quarters(box: Box) -> Iterator[Box]:
    west, south, east, north = box
    x, y = (west + east) / 2, (south + north) / 2
    for left, right in ((west, x), (x, east)):
        for bottom, top in ((south, y), (y, north)):
            yield left, bottom, right, top


def _count_of_all(layer: Described, client: Client) -> int | None:
    try:
        return Gathering(layer, client, None, hasty=True).counted()
    except RefusedError:
        return None


def _distinct(tables: list[pa.Table], layer: Described, basket: _Basket) -> pa.Table:
    """Each feature once: by its object id, or else where several boxes gave the same row.

    A server that joins tables gives one id to several features: those differ in the rest.
    """
    if not tables:
        return nothing([*layer.columns, *layer.extra])
    whole = joined(tables)
    if layer.oid is not None:
        ids = whole.column(server_name(layer.oid, whole.column_names)).to_pandas()
        again = ids.duplicated()
        basket.joined = any(_repeats(t, layer.oid) for t in tables)
        if basket.joined:
            again &= whole.to_pandas().duplicated()
        return whole.take(pa.array(ids[~again].sort_values(kind="stable").index))
    if basket.boxes > 1:
        return whole.filter(pa.array(~whole.to_pandas().duplicated()))
    return whole


def _repeats(page: pa.Table, oid: str) -> bool:
    """Whether an object id stands for several features, for a page has none of them twice."""
    ids = page.column(server_name(oid, page.column_names)).to_pandas()
    return bool(ids.duplicated().any())


def _kept(table: pa.Table, layer: Described) -> pa.Table:
    """The declared columns under the catalogue's names, with the geometry."""
    there = [name for name in table.column_names if name != GEOMETRY]
    found = {name: server_name(name, there) for name in (*layer.columns, *(layer.xy or ()))}
    if missing := [name for name, is_ in found.items() if is_ is None]:
        msg = (
            f"{layer.url}/query: features without the fields {', '.join(missing)}, which were "
            f"asked for; they have {', '.join(there) or 'none'}"
        )
        raise LayerDataError(msg)
    columns = {said: table.column(found[name]) for name, said in layer.columns.items()}
    if layer.xy is None:
        return pa.table(columns | {GEOMETRY: table.column(GEOMETRY)})
    x, y = (pd.to_numeric(table.column(found[n]).to_pandas(), errors="coerce") for n in layer.xy)
    points = shapely.points(x.to_numpy(float), y.to_numpy(float))
    points[(x.isna() | y.isna()).to_numpy()] = None
    return pa.table(columns | {GEOMETRY: pa.array(shapely.to_wkb(points), pa.large_binary())})


def _offset(ask: Ask, crs: CRS) -> float | None:
    """How far a feature may be simplified [units of the CRS]."""
    metres = ask.source.generalise
    if metres is None:
        return None
    if crs.is_geographic:
        return metres / _DEGREE
    return metres / float(crs.axis_info[0].unit_conversion_factor)


def _address(layer: Described, box: Box | None) -> str:
    return f"{layer.url}/query?{urlencode(layer.filter(box) | layer.wanted())}"


def _moved(ask: Ask, layer: Described) -> str | None:
    was, listed = ask.source.layer_id, layer.listed
    if was is None or was == listed.number:
        return None
    return f"layer {listed.name!r} is number {listed.number} now, {was} in the catalogue"


def _notes(ask: Ask, layer: Described, basket: _Basket, count: int) -> Iterator[str]:
    if moved := _moved(ask, layer):
        yield moved
    if basket.generalised:
        ids = ", ".join(map(str, sorted(set(basket.generalised), key=str)[:20]))
        yield (
            f"{len(set(basket.generalised))} features simplified by up to "
            f"{ask.source.generalise:g} m, which the server could not give as they are: "
            f"{layer.oid} {ids}"
        )
    if basket.boxes > len(ask.boxes):
        yield f"asked in {basket.boxes} boxes: the server could not answer for the whole"
    if basket.joined:
        yield f"several features have one {layer.oid}; they are told apart by all they hold"
    if basket.rows > count and basket.boxes == 1:
        yield f"{basket.rows - count} features came twice and are kept once"
