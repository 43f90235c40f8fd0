"""Features cut into vector tiles, zoom by zoom, each as detailed as a screen can show.

Outlines are simplified in the projected CRS of the grid, neighbours together, and only then
taken to Web Mercator: a border that two polygons share is the same line in both. What is
smaller than a screen can show is drawn as squares that stand for the same area, so that land
of many small parcels does not fade as one zooms out.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from math import cos, radians, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pmtiles.tile import zxy_to_tileid

from geosite.crs import WGS84, projected_bounds
from geosite.map.archives import Level, archived, gzipped
from geosite.map.cutting import WORLD, cut, unrolled
from geosite.map.parts import PIXELS, SMALLEST, Parts, apart, kinds_of, stood_in
from geosite.map.vector_tiles import EXTENT, POINT, POLYGON, Attributes, commands

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray
    from pyproj import CRS

    from geosite.map.entries import Tiles

Seen = tuple[tuple[str, tuple[str, ...]] | None, int]
"""What an entry draws of a layer: attribute and values (None: all of it), and from which zoom of
the map on."""
TOLERANCE = 0.5
"""Detail that is not drawn [pixels]."""
_EARTH = 6.371e6
_tile_number = lru_cache(maxsize=4096)(zxy_to_tileid)
_WIDEST = 85.0


def pixel_m(zoom: int, latitude: float = 0.0) -> float:
    """Ground that a pixel of a tile of a zoom shows at a latitude [m].

    Examples
    --------
    >>> round(pixel_m(9), 1)
    152.9
    """
    return WORLD * cos(radians(min(abs(latitude), _WIDEST))) / (PIXELS << zoom)


class _Layer:
    """One layer of an archive."""

    def __init__(
        self,
        frame: gpd.GeoDataFrame,
        drawn: Collection[str],
        seen: Sequence[Seen],
        *,
        whole: bool,
        shared: bool,
    ) -> None:
        names = [c for c in frame.columns if c != frame.geometry.name]
        inside = [n for n in names if whole or n in drawn]
        looks = [n for n in names if n in drawn]
        self.crs: CRS = frame.crs
        self.shared = shared
        self.fields = inside
        self.attributes = Attributes({n: frame[n].tolist() for n in inside})
        self.beside = {n: [_plain(v) for v in frame[n].tolist()] for n in names if n not in inside}
        # Features that look the same stand for each other where they are too small to be seen.
        self.look = _codes(len(frame), [frame[n].tolist() for n in looks])
        self.begins = _begins(frame, seen)
        self.kinds = kinds_of(np.asarray(frame.geometry.array, dtype=object))
        self.latitude, self.bounds = _extent(self.kinds, self.crs)

    def simplified(self, zooms: Sequence[int]) -> dict[int, dict[int, Parts]]:
        """Parts by zoom and kind; each zoom is simplified from the finer one."""
        found: dict[int, dict[int, Parts]] = {}
        held = self.kinds
        for zoom in sorted(zooms, reverse=True):
            step = TOLERANCE * pixel_m(zoom, self.latitude)
            held = {kind: self._lighter(kind, parts, step) for kind, parts in held.items()}
            found[zoom] = held
        return found

    def _lighter(self, kind: int, parts: Parts, step: float) -> Parts:
        if kind == POINT or not len(parts.shapes):
            return parts
        if kind != POLYGON or not self.shared:
            return Parts(shapely.simplify(parts.shapes, step), parts.rows)
        # What is drawn as squares needs no outline, and there may be very many of it.
        seen = shapely.area(parts.shapes) >= SMALLEST * (step / TOLERANCE) ** 2
        light = parts.shapes.copy()
        light[seen] = shapely.coverage_simplify(parts.shapes[seen], step)
        return Parts(light, parts.rows)

    def drawn(self, held: Mapping[int, Parts], zoom: int) -> dict[int, Parts]:
        """Parts that some entry draws at a zoom of the tiles."""
        if not self.begins.any():
            return dict(held)
        return {kind: parts.where(self.begins[parts.rows] <= zoom) for kind, parts in held.items()}

    def waits(self, zoom: int) -> bool:
        """Whether a zoom of the tiles may lack something that a finer one has."""
        return bool((self.begins > zoom).any()) or len(self.kinds[POINT].shapes) > 0

    def weight(self, held: Mapping[int, Parts], zoom: int) -> int:
        """Vertices that a zoom has to tell of, about; what is too small to be seen has none."""
        least = SMALLEST * pixel_m(zoom, self.latitude) ** 2
        found = 0
        for kind, parts in self.drawn(held, zoom).items():
            shapes = parts.shapes
            if kind == POLYGON:
                shapes = shapes[shapely.area(shapes) >= least]
            found += int(shapely.get_num_coordinates(shapes).sum())
        return found


def _begins(frame: gpd.GeoDataFrame, seen: Sequence[Seen]) -> NDArray[np.int64]:
    # The first zoom of the tiles at which some entry draws each row.
    if not seen:
        return np.zeros(len(frame), np.int64)
    far = max(zoom for _, zoom in seen)
    found = np.full(len(frame), far, np.int64)
    for match, zoom in seen:
        mine = np.ones(len(frame), bool)
        if match is not None:
            mine = frame[match[0]].isin(match[1]).to_numpy() if match[0] in frame else ~mine
        found[mine] = np.minimum(found[mine], zoom)
    # Zoom z of a tile is zoom z + 1 of the map.
    return np.maximum(found - 1, 0)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value != value:  # noqa: PLR0124
        return None
    return value if isinstance(value, int | float | str) else str(value)


def _codes(count: int, columns: list[list[Any]]) -> NDArray[np.intp]:
    # Rows that are the same in all columns have the same number.
    known: dict[tuple[str, ...], int] = {}
    rows = zip(*(map(str, c) for c in columns), strict=True) if columns else [()] * count
    return np.array([known.setdefault(row, len(known)) for row in rows], np.intp)


def _extent(
    kinds: Mapping[int, Parts], crs: CRS
) -> tuple[float, tuple[float, float, float, float]]:
    # Most poleward latitude, where a pixel shows least; bounds in degrees.
    every = [shapely.bounds(p.shapes) for p in kinds.values() if len(p.shapes)]
    if not every:
        return 0.0, (0.0, 0.0, 0.0, 0.0)
    edges = np.concatenate(every)
    left, bottom = edges[:, :2].min(axis=0)
    right, top = edges[:, 2:].max(axis=0)
    pad = 1.0 if left == right or bottom == top else 0.0
    around = (float(left) - pad, float(bottom) - pad, float(right) + pad, float(top) + pad)
    west, south, east, north = projected_bounds(around, crs, WGS84)
    if not np.isfinite([west, south, east, north]).all():
        west, south, east, north = -180.0, -_WIDEST, 180.0, _WIDEST
    if west > east:  # over the antimeridian
        west, east = -180.0, 180.0
    return max(abs(south), abs(north)), (west, south, east, north)


class Pyramid:
    """The tiles of an archive, made zoom by zoom from the coarsest on.

    What no entry draws at a zoom is not in its tiles; the finest zoom, which is enlarged beyond,
    has all.

    Parameters
    ----------
    tiles : Tiles
        Features in the grid CRS.
    drawn : names
        Attributes that decide how a feature is drawn; features that have them in common stand
        for each other where they are too small to be seen.
    seen : mapping
        Layer → what entries draw of it, and from which zoom on.
    whole : bool
        Tiles carry all attributes, so that any program can show them. If not, they carry those
        of ``drawn``, and the others stand once in the archive's metadata, by row.
    finest : int, optional
        Largest zoom; that of the tiles if not given.
    """

    def __init__(
        self,
        tiles: Tiles,
        *,
        drawn: Collection[str] = (),
        seen: Mapping[str, Sequence[Seen]] | None = None,
        whole: bool = False,
        finest: int | None = None,
    ) -> None:
        self.name = tiles.name
        self.finest = tiles.finest if finest is None else finest
        shown = seen or {}
        self._layers = {
            name: _Layer(
                frame, drawn, shown.get(name, ()), whole=whole, shared=name in tiles.coverage
            )
            for name, frame in tiles.frames.items()
            if len(frame)
        }
        self.levels: list[Level] = []

    @property
    def layers(self) -> list[str]:
        """Layers with features."""
        return list(self._layers)

    @cached_property
    def _parts(self) -> dict[str, dict[int, dict[int, Parts]]]:
        zooms = range(self.finest + 1)
        return {name: layer.simplified(zooms) for name, layer in self._layers.items()}

    @property
    def zoom(self) -> int:
        """The next zoom to be made."""
        return len(self.levels)

    def weight(self, zoom: int) -> int:
        """Vertices that the tiles of a zoom have to tell of, about."""
        return sum(x.weight(self._parts[n][zoom], zoom) for n, x in self._layers.items())

    def made(self) -> Level | None:
        """The next finer zoom; None if there is no finer one."""
        if not self._layers or self.zoom > self.finest:
            return None
        return self._level(self.zoom, whole=self.zoom == self.finest)

    def _level(self, zoom: int, *, whole: bool) -> Level:
        raw: dict[int, bytes] = {}
        for name, layer in self._layers.items():
            held = self._parts[name][zoom]
            held = held if whole else layer.drawn(held, zoom)
            for number, message in _messages(name, layer, held, zoom, whole=whole):
                raw[number] = raw.get(number, b"") + message
        return Level(zoom, {i: gzipped(raw[i]) for i in sorted(raw)})

    def take(self, level: Level) -> None:
        """Keep a zoom that was made."""
        self.levels.append(level)

    def end(self) -> None:
        """Let the finest zoom kept have all: it is enlarged where a finer one would be."""
        last = self.zoom - 1
        if self.levels and last < self.finest and any(x.waits(last) for x in self._layers.values()):
            self.levels[-1] = self._level(last, whole=True)

    def drop(self) -> None:
        """Keep one zoom less; the one before it has all then."""
        self.levels.pop()
        self.end()

    @property
    def simplified_m(self) -> float:
        """Detail of the finest zoom kept that is not drawn [m], at its most poleward place."""
        latitude = max((x.latitude for x in self._layers.values()), default=0.0)
        return TOLERANCE * pixel_m(max(self.zoom - 1, 0), latitude)

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """What the archive tells of itself, with the attributes that its tiles do not carry."""
        return {
            "name": self.name,
            "vector_layers": [
                {"id": name, "fields": dict.fromkeys(layer.fields, "String")}
                for name, layer in self._layers.items()
            ],
            "beside": {name: layer.beside for name, layer in self._layers.items()},
        }

    @property
    def archive(self) -> bytes:
        """The zooms kept, as a PMTiles archive."""
        edges = np.array([x.bounds for x in self._layers.values()] or [(0.0, 0.0, 0.0, 0.0)])
        west, south = edges[:, :2].min(axis=0)
        east, north = edges[:, 2:].max(axis=0)
        bounds = (float(west), float(south), float(east), float(north))
        return archived(self.levels, bounds, self.metadata)


def archive(
    tiles: Tiles,
    *,
    drawn: Collection[str] = (),
    seen: Mapping[str, Sequence[Seen]] | None = None,
    finest: int | None = None,
) -> bytes:
    """All zooms of some features as a PMTiles archive whose tiles carry every attribute.

    Parameters
    ----------
    tiles : Tiles
        Features in the grid CRS.
    drawn : names
        Attributes that decide how a feature is drawn.
    seen : mapping
        Layer → what entries draw of it, and from which zoom on.
    finest : int, optional
        Largest zoom; that of the tiles if not given.
    """
    pyramid = Pyramid(tiles, drawn=drawn, seen=seen, whole=True, finest=finest)
    while (level := pyramid.made()) is not None:
        pyramid.take(level)
    return pyramid.archive


def _messages(
    name: str, layer: _Layer, kinds: Mapping[int, Parts], zoom: int, *, whole: bool
) -> Iterator[tuple[int, bytes]]:
    # (tile, layer message) of every tile that a layer is in.
    within: dict[int, list[tuple[int, int, bytes]]] = {}
    for kind, parts in kinds.items():
        if len(parts.shapes):
            for number, row, body in _pieces(layer, kind, parts, zoom, whole=whole):
                within.setdefault(number, []).append((row, kind, body))
    for number, features in within.items():
        yield number, layer.attributes.message(name, features)


def _pieces(
    layer: _Layer, kind: int, parts: Parts, zoom: int, *, whole: bool
) -> Iterator[tuple[int, int, bytes]]:
    step = pixel_m(zoom, layer.latitude)
    flat = parts.shapes
    if kind != POINT:
        # A straight edge of the grid is bent on the map; chords this long stay within half a
        # tolerance of it.
        flat = shapely.segmentize(flat, sqrt(8 * _EARTH * TOLERANCE * step))
    shapes, good = unrolled(flat, layer.crs, zoom)
    parts = Parts(shapes[good], parts.rows[good])
    if kind == POLYGON:
        parts = stood_in(parts, layer.look)
    elif kind == POINT and not whole:
        parts = apart(parts, layer.look)
    pieces, x, y = cut(parts, zoom)
    if not len(pieces.shapes):
        return
    order = np.lexsort((pieces.rows, y, x))
    pieces, x, y = pieces.where(order), x[order], y[order]
    fresh = np.r_[True, (np.diff(pieces.rows) != 0) | (np.diff(x) != 0) | (np.diff(y) != 0)]
    group = np.cumsum(fresh) - 1
    bodies = commands(
        pieces.shapes, group, np.column_stack([x, y]).astype(float), groups=int(group[-1]) + 1,
        kind=kind, least_hole=SMALLEST * (EXTENT / PIXELS) ** 2,
    )  # fmt: skip
    # Land beyond the antimeridian lies on the other side of the world.
    places = zip((x[fresh] % (1 << zoom)).tolist(), y[fresh].tolist(), strict=True)
    for (across, down), row, body in zip(places, pieces.rows[fresh].tolist(), bodies, strict=True):
        if body:
            yield _tile_number(zoom, across, down), row, body
