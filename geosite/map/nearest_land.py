"""How far each site is from the land that hard rules exclude: the nearest of each rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geosite.overlaps import DIRECTIONS, touches
from geosite.report.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from geosite.map.shared import Shared
    from geosite.report.content import Content

REACH_M = 30_000.0
"""Land further away is not named: it is of no moment to a mine or a plant."""
MOST = 3
"""So many rules are named, the nearest first."""


def nearest_land(
    content: Content, sites: gpd.GeoDataFrame, places: Mapping[str, int], shared: Shared
) -> list[list[list[int]]]:
    """Excluded land near each site: (rule, name, distance, direction), the nearest first.

    Parameters
    ----------
    sites : GeoDataFrame
        In the grid CRS.
    places : mapping
        Rule id → its place in the page's table of rules.

    Returns
    -------
    list of one list a site
        ``rule``: place in that table; ``name``: place in the table of texts; ``distance``
        [10 m], 0 where they touch; ``direction``: 0 for N, then clockwise in sixteenths of a
        circle, -1 where they touch.

    Notes
    -----
    From outline to outline along the ellipsoid, as `overlaps.touches` measures it. A rule's
    setback is part of the land that it excludes.
    """
    found: list[list[tuple[float, list[int]]]] = [[] for _ in range(len(sites))]
    land = content.exclusions
    if land.empty or sites.empty:
        return [[] for _ in found]
    asked = sites[[sites.geometry.name]].reset_index(drop=True)
    for rule, place in places.items():
        mine = land[land["rule"].astype(str) == rule]
        if mine.empty:
            continue
        table = touches(asked, mine)
        columns = (table[c].tolist() for c in ("nearest_m", "nearest_name", "names", "direction"))
        rows: Any = zip(*columns, strict=True)
        for near, (metres, nearest, touched, direction) in zip(found, rows, strict=True):
            if np.isnan(metres) or metres > REACH_M:
                continue
            name = nearest or next(iter(touched), "")
            way = DIRECTIONS.index(direction) if metres > 0 and direction else -1
            near.append((metres, [place, shared.text(plain(name, 80)), round(metres / 10), way]))
    return [[row for _, row in sorted(near)[:MOST]] for near in found]
