"""Sites as columns for the page: who they are, their decision matrix, their outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geosite.crs import WGS84, projected
from geosite.report import palette
from geosite.report.shapes import anchors, tolerance_of
from geosite.report.text import number, plain, split_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    from numpy.typing import NDArray

    from geosite.report.content import Content

STEP = 1e-5
"""Unit of the coordinates of outlines [degrees]: about one metre."""
SCORES = 10_000
"""Steps of a score from 0 to 1."""
_TEXT = ("site_id", "name", "tier", "state", "county")


def best_sites(content: Content, most: int) -> gpd.GeoDataFrame:
    """The best so many sites, in the order of their ranks, in the grid CRS."""
    sites = content.sites
    if "rank" in sites:
        sites = sites.sort_values("rank", kind="stable", na_position="last")
    return sites.iloc[:most].reset_index(drop=True)


def site_block(content: Content, sites: gpd.GeoDataFrame) -> dict[str, Any]:
    """Columns of the sites, one value a site each, for the page's data block.

    Parameters
    ----------
    sites : GeoDataFrame
        From `best_sites`.

    Notes
    -----
    ``scores`` has a row a criterion: the scores that are combined, 0 to 10 000, -1 where one
    is not known. ``shapes`` has the outline of each site as rings of polygons, each ring as
    steps of 1e-5 degrees: first longitude and latitude, then differences.
    """
    points = anchors(sites) if len(sites) else np.empty((0, 2))
    tolerance = tolerance_of(content.aoi if not content.aoi.empty else content.sites) / 8
    found: dict[str, Any] = {
        "n": len(sites),
        "left_out": len(content.sites) - len(sites),
        "lon": points[:, 0].tolist(),
        "lat": points[:, 1].tolist(),
        "agency": [palette.agency(plain(v, 60))[0] for v in _column(sites, "agency")],
        "commodities": [
            [plain(c, 80) for c in split_names(v)] for v in _column(sites, "commodities")
        ],
        "scores": [_steps(_column(sites, f"effective_{c.id}")) for c in content.criteria],
        "shapes": shapes(sites, tolerance),
    }
    found |= {name: [plain(v, 200) for v in _column(sites, name)] for name in _TEXT}
    for name in ("rank", "rank_best", "rank_worst", "rank_p05", "rank_p95"):
        found[name] = [_whole(v) for v in _column(sites, name)]
    for name, decimals in (("suitability", 9), ("area_ha", 1), ("coverage_pct", 1)):
        found[name] = [_rounded(v, decimals) for v in _column(sites, name)]
    return found


def shapes(frame: gpd.GeoDataFrame, tolerance: float) -> list[list[list[list[int]]]]:
    """Outlines as polygons of rings of coordinate steps, simplified by so many metres."""
    if frame.empty:
        return []
    light = shapely.simplify(np.asarray(frame.geometry.array, dtype=object), tolerance)
    degrees = projected(frame[[frame.geometry.name]].set_geometry(light), WGS84).geometry
    return [[_rings(p) for p in shapely.get_parts(g)] for g in degrees.array]


def _rings(polygon: Any) -> list[list[int]]:
    if polygon.geom_type != "Polygon":
        return []
    return [
        _differences(shapely.get_coordinates(r)) for r in (polygon.exterior, *polygon.interiors)
    ]


def _differences(xy: NDArray[np.float64]) -> list[int]:
    # A ring closes itself.
    steps = np.rint(xy[:-1] / STEP).astype(np.int64)
    found: list[int] = np.diff(steps, axis=0, prepend=np.zeros((1, 2), np.int64)).ravel().tolist()
    return found


def _column(sites: gpd.GeoDataFrame, name: str) -> Iterable[Any]:
    return sites[name].tolist() if name in sites else [None] * len(sites)


def _steps(values: Iterable[Any]) -> list[int]:
    return [-1 if v is None else round(v * SCORES) for v in map(number, values)]


def _whole(value: Any) -> int | None:
    found = number(value)
    return None if found is None else int(found)


def _rounded(value: Any, decimals: int) -> float | None:
    found = number(value)
    return None if found is None else round(found, decimals)
