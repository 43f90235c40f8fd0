"""Windows of rasters in whole cells, and how the grids of several rasters lie to each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import shapely
from pyproj.exceptions import ProjError

from geosite.crs import WGS84, projected_bounds

if TYPE_CHECKING:
    from affine import Affine
    from pyproj import CRS

    from geosite.model.lock import Box

Span = tuple[int, int, int, int]
"""Left, top, right and bottom of a window in whole cells of some grid."""
MARGIN = 2
"""Cells around a box, so that a neighbour of its last cell is known."""
_ROUNDING = 1e-6
"""What the edge of a box may lie beyond the edge of a cell and still mean it [cells]."""
_ALIGNED = 0.01
"""How far the cells of two grids may lie apart [cells]: what rounding in headers does."""


def spans(box: Box, crs: CRS, transform: Affine) -> tuple[Span, ...]:
    """Windows of a grid that hold a box of degrees (WGS 84) and two cells more on each side.

    A grid of degrees may count its longitudes beyond 180 in either direction, so it gives one
    window a turn of the globe. None if the box has no place in the CRS.
    """
    try:
        left, bottom, right, top = projected_bounds(box, WGS84, crs)
    except ProjError:
        return ()
    if not all(map(math.isfinite, (left, bottom, right, top))):
        return ()
    turns = (0.0, 360.0, -360.0) if crs.is_geographic else (0.0,)
    return tuple(_outward((left + t, bottom, right + t, top), transform) for t in turns)


def _outward(bounds: tuple[float, float, float, float], transform: Affine) -> Span:
    left, bottom, right, top = bounds
    t = transform
    return (
        math.floor((left - t.c) / t.a + _ROUNDING) - MARGIN,
        math.floor((top - t.f) / t.e + _ROUNDING) - MARGIN,
        math.ceil((right - t.c) / t.a - _ROUNDING) + MARGIN,
        math.ceil((bottom - t.f) / t.e - _ROUNDING) + MARGIN,
    )


def both(one: Span, other: Span) -> Span | None:
    """What two windows share; None if that is nothing.

    Examples
    --------
    >>> both((0, 0, 4, 4), (2, 3, 9, 9)), both((0, 0, 2, 2), (2, 0, 4, 4))
    ((2, 3, 4, 4), None)
    """
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right, bottom = min(one[2], other[2]), min(one[3], other[3])
    return (left, top, right, bottom) if left < right and top < bottom else None


def around(found: Sequence[Span]) -> Span:
    """The smallest window that holds others."""
    lefts, tops, rights, bottoms = zip(*found, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def moved(span: Span, columns: int, rows: int) -> Span:
    """A window somewhere else."""
    return span[0] + columns, span[1] + rows, span[2] + columns, span[3] + rows


def filled(whole: Span, parts: Sequence[Span]) -> bool:
    """Whether windows leave no cell of another one free."""
    return bool(shapely.union_all([shapely.box(*p) for p in parts]).covers(shapely.box(*whole)))


def corner(transform: Affine, shape: tuple[int, int], grid: Affine) -> tuple[int, int] | None:
    """Column and row on a grid where a raster of a shape begins; None if its cells lie askew.

    Its last cell is looked at as well as its first: cells of another size drift apart.
    """
    rows, columns = shape
    first = ~grid * (transform.c, transform.f)
    last = ~grid * (transform * (columns, rows))
    at = round(first[0]), round(first[1])
    apart = (
        first[0] - at[0], first[1] - at[1], last[0] - at[0] - columns, last[1] - at[1] - rows,
    )  # fmt: skip
    return at if max(map(abs, apart)) <= _ALIGNED else None


def pieces(span: Span, blocks: tuple[int, int], most: int) -> Iterator[Span]:
    """A window in pieces of whole blocks, of at most so many cells if a block has no more.

    No block is in two pieces, so that none is asked for twice.

    Examples
    --------
    >>> list(pieces((3, 0, 9, 4), blocks=(2, 4), most=16))
    [(3, 0, 8, 2), (8, 0, 9, 2), (3, 2, 8, 4), (8, 2, 9, 4)]
    """
    left, top, right, bottom = span
    down, across = blocks
    wide = max(1, min(most // (down * across), -(-right // across) - left // across))
    high = max(1, most // (down * across * wide))
    for y in range(top // down * down, bottom, high * down):
        for x in range(left // across * across, right, wide * across):
            part = both(span, (x, y, x + wide * across, y + high * down))
            if part is not None:
                yield part
