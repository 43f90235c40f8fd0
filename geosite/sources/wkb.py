"""Shapes as GDAL writes them, made into geometries, whatever rings a server left broken."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_LEAST_LINE, _LEAST_RING = 2, 4
_DIMENSIONS = {0: 2, 1: 3, 2: 3, 3: 4}
_OLD_Z = 0x80000000


def geometries(wkb: NDArray[np.object_]) -> NDArray[np.object_]:
    """Geometries of well-known binary (ISO), None where there is none.

    GEOS refuses a line of one point, and a ring that is open or of fewer points than a ring
    needs; servers that simplify or project send such, and one of them is no reason to lose a
    layer. A ring is closed; what encloses nothing is left out of its feature.

    Raises
    ------
    shapely.GEOSException
        If some of it is no well-known binary at all.
    """
    found: NDArray[np.object_] = shapely.from_wkb(wkb, on_invalid="ignore")
    # GEOS can mend by itself, but makes of a ring of two points one that is no ring either.
    broken = shapely.is_missing(found) & np.array([one is not None for one in wkb], bool)
    for k in np.flatnonzero(broken):
        found[k] = _mended(bytes(wkb[k]))
    return found


def _mended(wkb: bytes) -> Any:
    try:
        parts = [part for part in _parts(wkb, [0]) if part is not None]
    except (struct.error, ValueError, KeyError):
        # Cut short, or of a kind that has no rings: GEOS says best what is wrong with it.
        return shapely.from_wkb(wkb)
    if len(parts) < 2:
        return parts[0] if parts else None
    if {part.geom_type for part in parts} == {"Polygon"}:
        return shapely.multipolygons(parts)
    if {part.geom_type for part in parts} == {"LineString"}:
        return shapely.multilinestrings(parts)
    return shapely.geometrycollections(parts)


def _parts(wkb: bytes, at: list[int]) -> Iterator[Any]:
    """Points, lines and polygons of a geometry; `at` moves on to where it ends."""
    order = "<" if _taken(wkb, at, "B")[0] else ">"
    said = _taken(wkb, at, f"{order}I")[0]
    dimensions = 3 if said & _OLD_Z else _DIMENSIONS[(said & ~_OLD_Z) // 1000]
    match (said & ~_OLD_Z) % 1000:
        case 1:
            yield shapely.Point(_taken(wkb, at, f"{order}{dimensions}d")[:2])
        case 2:
            line = _path(wkb, at, order, dimensions)
            yield shapely.LineString(line) if len(line) >= _LEAST_LINE else None
        case 3:
            (count,) = _taken(wkb, at, f"{order}I")
            yield _polygon([_path(wkb, at, order, dimensions) for _ in range(count)])
        case 4 | 5 | 6 | 7:
            (count,) = _taken(wkb, at, f"{order}I")
            for _ in range(count):
                yield from _parts(wkb, at)
        case other:
            raise ValueError(other)


def _polygon(rings: list[NDArray[np.float64]]) -> Any:
    closed = [r if (r[:1] == r[-1:]).all() else np.vstack([r, r[:1]]) for r in rings]
    whole = [len(r) >= _LEAST_RING for r in closed]
    if not (whole and whole[0]):
        return None
    return shapely.Polygon(
        closed[0], [r for r, is_ in zip(closed[1:], whole[1:], strict=True) if is_]
    )


def _path(wkb: bytes, at: list[int], order: str, dimensions: int) -> NDArray[np.float64]:
    (count,) = _taken(wkb, at, f"{order}I")
    numbers = _taken(wkb, at, f"{order}{count * dimensions}d")
    return np.array(numbers, float).reshape(count, dimensions)[:, :2]


def _taken(wkb: bytes, at: list[int], form: str) -> tuple[Any, ...]:
    found = struct.unpack_from(form, wkb, at[0])
    at[0] += struct.calcsize(form)
    return found
