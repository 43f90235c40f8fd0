"""Columns packed small: words that repeat, and outlines as short text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geosite.crs import WGS84, projected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

STEP = 1e-5
"""Unit of the coordinates of outlines [degrees]: about one metre."""
FINE = 100
"""First sites whose outlines are made coarser only when those of all others already are."""
_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_GROWTH = 1.6
_COARSEST = 64.0
"""Times the first tolerance, beyond which outlines are left out instead."""


@dataclass(frozen=True, slots=True)
class Outlines:
    """Outlines as text, one a site."""

    texts: list[str]
    simplified: int
    """Outlines that are coarser than the first tolerance."""
    undrawn: int
    """Outlines that are left out: an empty text."""


def packed_words(values: Sequence[str | Sequence[str]]) -> dict[str, Any]:
    """Words written once each, and which of them each row has.

    Examples
    --------
    >>> packed_words(["Nye", "Elko", "Nye"])
    {'words': ['Nye', 'Elko'], 'at': [0, 1, 0]}
    >>> packed_words([["gold", "tin"], [], ["tin"]])
    {'words': ['gold', 'tin'], 'at': [[0, 1], [], [1]]}
    """
    places: dict[str, int] = {}

    def place(word: str) -> int:
        return places.setdefault(word, len(places))

    at = [place(v) if isinstance(v, str) else [place(w) for w in v] for v in values]
    return {"words": list(places), "at": at}


def packed_outlines(
    frame: gpd.GeoDataFrame, points: NDArray[np.float64], tolerance: float, room: float
) -> Outlines:
    """Outlines as text, simplified until all together take no more than so many characters.

    Parameters
    ----------
    frame : GeoDataFrame
        Best first, in the grid CRS.
    points : (sites, 2)
        Longitude and latitude that each outline is counted from, of five decimals.
    tolerance : float
        First simplification [m], which the eye cannot tell.
    room : float
        Characters.

    Notes
    -----
    A text has polygons parted by ``;`` of rings parted by ``,``. A ring is a chain of steps of
    `STEP` along longitude and latitude, each from the corner before it (the first from that of
    the ring before, or from the point of the site), doubled with the sign in the lowest bit and
    written in groups of five bits, lowest first, one letter each; a letter past the 32nd says
    that more follow. A ring closes itself.

    The first `FINE` outlines keep their shape the longest. When nothing coarser fits, the
    outlines of the lowest ranks are left out.
    """
    if frame.empty:
        return Outlines([], 0, 0)
    whole = np.asarray(frame.geometry.array, dtype=object)
    scale = np.ones(len(whole))
    light = shapely.simplify(whole, tolerance)
    texts = _texts(frame, light, points)
    # Quotes and a comma, also about an empty one.
    room -= 3 * len(texts)
    every = np.ones(len(whole), bool)
    for some in (np.arange(len(whole)) >= FINE, every):
        while _size(texts) > room and scale[some].max(initial=0.0) < _COARSEST and some.any():
            # Corners that are fewer lie farther apart and take more letters each: so the size is
            # taken again once the corners alone would do.
            corners = _size(texts) / max(_corners(light), 1)
            while _corners(light) * corners > room and scale[some].max() < _COARSEST:
                scale[some] = np.minimum(scale[some] * _GROWTH, _COARSEST)
                light[some] = shapely.simplify(whole[some], tolerance * scale[some])
            texts = _texts(frame, light, points)
    fits = np.cumsum([len(t) for t in texts]) <= room
    return Outlines(
        [t if f else "" for t, f in zip(texts, fits, strict=True)],
        int(np.sum((scale > 1) & fits)),
        int(np.sum(~fits)),
    )


def _size(texts: Sequence[str]) -> int:
    return sum(map(len, texts))


def _corners(shapes: NDArray[Any]) -> int:
    return int(shapely.get_num_coordinates(shapes).sum())


def _texts(frame: gpd.GeoDataFrame, shapes: NDArray[Any], points: NDArray[np.float64]) -> list[str]:
    degrees = projected(frame[[frame.geometry.name]].set_geometry(shapes), WGS84).geometry
    steps = np.rint(np.nan_to_num(points) / STEP).astype(np.int64)
    return [_text(shape, start) for shape, start in zip(degrees.array, steps, strict=True)]


def _text(shape: Any, start: NDArray[np.int64]) -> str:
    if shape is None or shape.is_empty:
        return ""
    parts = []
    for polygon in shapely.get_parts(shape):
        if polygon.geom_type != "Polygon":
            continue
        rings = []
        for ring in (polygon.exterior, *polygon.interiors):
            corners = np.rint(shapely.get_coordinates(ring)[:-1] / STEP).astype(np.int64)
            jumps = np.diff(corners, axis=0, prepend=start[None])
            start = corners[-1]
            rings.append("".join(_written(jumps)))
        parts.append(",".join(rings))
    return ";".join(parts)


def _written(jumps: NDArray[np.int64]) -> Iterator[str]:
    # The sign in the lowest bit: 0, -1, 1, -2, … are 0, 1, 2, 3, …
    for value in np.where(jumps < 0, -2 * jumps - 1, 2 * jumps).ravel().tolist():
        yield _WRITTEN[value] if value < len(_WRITTEN) else _letters(value)


def _letters(value: int) -> str:
    found = ""
    while value >= 32:
        found += _SIGNS[32 + value % 32]
        value //= 32
    return found + _SIGNS[value]


_WRITTEN = [_letters(value) for value in range(4096)]
