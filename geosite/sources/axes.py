"""Whether coordinates lie where they were asked for, or would with their axes turned.

Servers differ in whether latitude or longitude comes first, and some say one and do the other.
What is wrong by exactly that is told by where it lies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

Bounds = tuple[float, float, float, float]
"""Left, bottom, right, top."""
Lie = Literal["there", "turned", "astray"]
_MOST = 0.5  # of the features: a server may select by what encloses a box in its own CRS
_GROWN = 0.1  # of the size of what was asked for
_DATUM = 0.01  # degrees by which datums may differ, and much more
_METRES = 1000.0


def turned(bounds: Bounds) -> Bounds:
    """Bounds with their axes exchanged."""
    left, bottom, right, top = bounds
    return bottom, left, top, right


def turned_geometry(geometry: NDArray[np.object_]) -> NDArray[np.object_]:
    """Geometries with their axes exchanged, in the plane."""
    flat = shapely.force_2d(geometry)
    found: NDArray[np.object_] = shapely.transform(flat, lambda xy: xy[:, ::-1])
    return found


def lie(
    geometry: NDArray[np.object_], wanted: Bounds, crs: CRS, extent: Bounds | None = None
) -> Lie:
    """Where features lie that were asked for in some bounds.

    Turned is an answer only if they cannot be where they say: beyond a pole, or where the
    layer has nothing by its own extent.

    Parameters
    ----------
    geometry : (features,) of shapely geometries
    wanted : bounds
        In the CRS.
    crs : CRS
    extent : bounds, optional
        Of the whole layer, by its server, in the CRS.
    """
    bounds = shapely.bounds(geometry)
    bounds = bounds[np.isfinite(bounds).all(axis=1)]
    if not len(bounds) or _share_in(bounds, wanted, crs) >= _MOST:
        return "there"
    if _share_in(bounds[:, [1, 0, 3, 2]], wanted, crs) < _MOST:
        return "astray"
    elsewhere = turned(wanted)
    beyond = crs.is_geographic and max(abs(elsewhere[1]), abs(elsewhere[3])) > 90
    empty = extent is not None and not _meet(np.array([elsewhere]), grown(extent, crs)).any()
    return "turned" if beyond or empty else "astray"


def _share_in(bounds: NDArray[np.float64], wanted: Bounds, crs: CRS) -> float:
    return float(_meet(bounds, grown(wanted, crs)).mean())


def grown(bounds: Bounds, crs: CRS) -> Bounds:
    """Bounds with room for what datums, rounding and other projections may shift."""
    left, bottom, right, top = bounds
    by = _GROWN * max(right - left, top - bottom) + (_DATUM if crs.is_geographic else _METRES)
    left, bottom, right, top = left - by, bottom - by, right + by, top + by
    if crs.is_geographic:
        return max(left, -180.0), max(bottom, -90.0), min(right, 180.0), min(top, 90.0)
    return left, bottom, right, top


def _meet(bounds: NDArray[np.float64], box: Bounds) -> NDArray[np.bool_]:
    left, bottom, right, top = box
    return np.asarray(
        (bounds[:, 0] <= right) & (bounds[:, 2] >= left)
        & (bounds[:, 1] <= top) & (bounds[:, 3] >= bottom)
    )  # fmt: skip
