"""Land origin, mineral estate and mineral status of sites, from their exact outlines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geosite.model.scenario import Tenure

    Geometries = NDArray[Any]

COLUMNS = ("land_origin", "mineral_estate", "mineral_status")
UNKNOWN = "unknown"
PARTLY = "partly "
WHOLE = 0.995
"""Share of a site from which on it is said to be all of it; the rest is the width of a line."""
_STATUSES = ("withdrawn", "segregated", "open", UNKNOWN)
SQUARE_METRES_AN_ACRE = 4046.8564224
"""Square metres of an international acre."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is to be had for one entry of the scenario's tenure.

    Attributes
    ----------
    land : GeoDataFrame or None
        The layer's polygons, in the CRS of the sites; None if the layer is not to be had.
    covered : geometry or None
        Land off the polygons of which the layer says that it is not theirs; None: all land.
        An empty one: the layer tells nothing off its polygons.
    """

    entry: Tenure
    land: gpd.GeoDataFrame | None
    covered: BaseGeometry | None = None


def tenure_columns(
    sites: gpd.GeoDataFrame, shown: Sequence[Shown], register: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Land origin, mineral estate and mineral status of each site: indexed as `sites`.

    Parameters
    ----------
    sites : GeoDataFrame
        In one projected CRS with the polygons.
    shown : sequence
        In the order of the scenario: the first that tells of a piece of land decides.
    register : mapping of column to (sites,)
        What the land register says of each site's parcel; it is asked last.

    Returns
    -------
    DataFrame
        `COLUMNS`: the value where it is all of the site, ``partly withdrawn (37 %), open
        (63 %)`` where several are, ``unknown`` where no layer tells. And
        ``mineral_status_<status>_acres`` of the land that is withdrawn, segregated, open
        or unknown.

    Notes
    -----
    Areas are those of the outline under the union of an entry's polygons, so land under
    two polygons counts once; they are taken on the grid, which keeps areas. Lines and
    points of a tenure layer have no area and tell nothing.
    """
    outlines = sites.geometry.to_numpy()
    whole = shapely.area(outlines)
    out: dict[str, Any] = {}
    for column in COLUMNS:
        mine = [s for s in shown if s.entry.column == column]
        areas = _areas(outlines, mine, register[column])
        out[column] = [worded(a, w) for a, w in zip(areas, whole.tolist(), strict=True)]
        if column == "mineral_status":
            for status in _STATUSES:
                acres = [a.get(status, 0.0) / SQUARE_METRES_AN_ACRE for a in areas]
                out[f"mineral_status_{status}_acres"] = np.array(acres, float)
    return pd.DataFrame(out, index=sites.index)


def worded(areas: Mapping[str, float], whole: float) -> str:
    """What land is, from the area that each value holds of it.

    Examples
    --------
    >>> worded({"withdrawn": 37.0, "open": 63.0}, 100.0)
    'partly withdrawn (37 %), open (63 %)'
    >>> worded({"withdrawn": 0.2, "open": 99.8}, 100.0)
    'open'
    """
    if whole <= 0:
        return UNKNOWN
    shares = {value: area / whole for value, area in areas.items() if area > 0}
    for value, share in shares.items():
        if share >= WHOLE:
            return value
    named = [
        f"{value} ({min(max(round(100 * share), 1), 99)} %)"
        for value, share in sorted(shares.items(), key=lambda s: s[0] == UNKNOWN)
        if share >= 1 - WHOLE
    ]
    return f"{PARTLY}{', '.join(named)}"


def values_of(words: str) -> tuple[str, ...]:
    """Values that a column of tenure names, whether the site is all of one or parts of several.

    Examples
    --------
    >>> values_of("partly withdrawn (37 %), open (63 %)")
    ('withdrawn', 'open')
    >>> values_of("public domain")
    ('public domain',)
    """
    if not words.startswith(PARTLY):
        return (words or UNKNOWN,)
    return tuple(w.rpartition(" (")[0] for w in words.removeprefix(PARTLY).split(", "))


def _areas(
    outlines: Geometries, shown: Sequence[Shown], register: Sequence[str]
) -> list[dict[str, float]]:
    # Area [m²] of each site by value, in the order in which the values were told.
    areas: list[dict[str, float]] = [{} for _ in outlines]
    for value, there in told_land(outlines, shown, register):
        sizes = shapely.area(there)
        for k in np.flatnonzero(sizes > 0).tolist():
            areas[k][value] = areas[k].get(value, 0.0) + float(sizes[k])
    return areas


def told_land(
    outlines: Geometries, shown: Sequence[Shown], register: Sequence[str]
) -> Iterator[tuple[str, Geometries]]:
    """Pieces of each outline by what is told of them, in turn: value and (outlines,) geometries.

    Together they are the outlines, and share no land. Parameters are those of
    `tenure_columns`, of one column.
    """
    left = outlines.copy()
    for s in shown:
        if s.land is None:
            continue
        there = under(left, s.land.geometry.to_numpy())
        yield s.entry.value, there
        left = off(left, there)
        if s.entry.otherwise is None:
            continue
        there = left if s.covered is None else shapely.intersection(left, s.covered)
        yield s.entry.otherwise, there
        left = off(left, there)
    said = [r or UNKNOWN for r in register]
    for value in dict.fromkeys(said):
        there = left.copy()
        there[[v != value for v in said]] = shapely.Polygon()
        yield value, there


def under(shapes: Geometries, features: Geometries) -> Geometries:
    """What of each shape lies under the union of the features: (shapes,) geometries."""
    out = np.full(len(shapes), shapely.Polygon(), object)
    site, feature = shapely.STRtree(features).query(shapes, predicate="intersects")
    # One feature that holds all of a site is the usual case, and needs no new geometry.
    shapely.prepare(features)
    held = np.unique(site[shapely.covers(features[feature], shapes[site])])
    out[held] = shapes[held]
    rest = ~np.isin(site, held)
    site, feature = site[rest], feature[rest]
    order = np.lexsort((feature, site))
    numbers, first = np.unique(site[order], return_index=True)
    for k, some in zip(numbers.tolist(), np.split(feature[order], first[1:]), strict=False):
        out[k] = shapely.intersection(shapes[k], shapely.union_all(features[some]))
    return out


def off(shapes: Geometries, there: Geometries) -> Geometries:
    """What is left of each shape off its part of it: (shapes,) geometries."""
    # Most sites are told of wholly or not at all.
    out = shapes.copy()
    some = ~shapely.is_empty(there)
    whole = some & shapely.equals_identical(there, shapes)
    out[whole] = shapely.Polygon()
    out[some & ~whole] = shapely.difference(shapes[some & ~whole], there[some & ~whole])
    return out
