"""Sites as columns for the page: who they are, their decision matrix, their outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geosite.map.packing import packed_outlines, packed_words
from geosite.report import palette
from geosite.report.shapes import anchors, tolerance_of
from geosite.report.text import number, plain, script_json, split_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd

    from geosite.report.content import Content

SCORES = 10_000
"""Steps of a score from 0 to 1."""
SHARE = 0.4
"""Of the page, that the sites may take with their outlines."""
_TEXT = ("site_id", "name")
_REPEATED = ("tier", "state", "county")


def best_sites(content: Content, most: int) -> gpd.GeoDataFrame:
    """The best so many sites, in the order of their ranks, in the grid CRS."""
    sites = content.sites
    if "rank" in sites:
        sites = sites.sort_values("rank", kind="stable", na_position="last")
    return sites.iloc[:most].reset_index(drop=True)


def site_block(
    content: Content, sites: gpd.GeoDataFrame, room: float = 1e6 * 10 * SHARE
) -> dict[str, Any]:
    """Columns of the sites, one value a site each, for the page's data block.

    Parameters
    ----------
    sites : GeoDataFrame
        From `best_sites`.
    room : float
        Characters that all columns together should not exceed; outlines are simplified, those
        of lower ranks first, until they fit.

    Notes
    -----
    ``scores`` has a row a criterion: the scores that are combined, 0 to 10 000, -1 where one
    is not known. Columns of words that repeat are packed (`packed_words`), as are ``shapes``,
    the outlines (`packed_outlines`); ``static/columns.js`` reads both. ``simplified`` counts
    the outlines that are coarser than the eye could tell, and ``undrawn`` those that are left
    out; the points of those sites are drawn.
    """
    points = anchors(sites) if len(sites) else np.empty((0, 2))
    names = [[plain(c, 80) for c in split_names(v)] for v in _column(sites, "commodities")]
    found: dict[str, Any] = {
        "n": len(sites),
        "left_out": len(content.sites) - len(sites),
        "lon": [_rounded(v, 5) for v in points[:, 0]],
        "lat": [_rounded(v, 5) for v in points[:, 1]],
        "agency": packed_words([palette.agency(plain(v, 60))[0] for v in _column(sites, "agency")]),
        "commodities": packed_words(names),
        "scores": [_steps(_column(sites, f"effective_{c.id}")) for c in content.criteria],
    }
    found |= {name: [plain(v, 200) for v in _column(sites, name)] for name in _TEXT}
    found |= {
        name: packed_words([plain(v, 200) for v in _column(sites, name)]) for name in _REPEATED
    }
    for name in ("rank", "rank_best", "rank_worst", "rank_p05", "rank_p95"):
        found[name] = [_whole(v) for v in _column(sites, name)]
    for name, decimals in (("suitability", 9), ("area_ha", 1), ("coverage_pct", 1)):
        found[name] = [_rounded(v, decimals) for v in _column(sites, name)]
    tolerance = tolerance_of(content.aoi if not content.aoi.empty else content.sites) / 8
    outlines = packed_outlines(sites, points, tolerance, room - len(script_json(found)))
    return found | {
        "shapes": outlines.texts,
        "simplified": outlines.simplified,
        "undrawn": outlines.undrawn,
    }


def site_notes(block: Mapping[str, Any]) -> tuple[str, ...]:
    """What a reader has to know of the sites that `site_block` left out or made coarser."""
    notes = []
    if block["left_out"]:
        notes.append(
            f"The best {block['n']:,} sites are on this page; {block['left_out']:,} of lower "
            "ranks are in sites.csv only, and re-weighting here does not bring them back"
        )
    if block["simplified"]:
        notes.append(
            f"Outlines of {block['simplified']:,} sites are simplified to keep the page small; "
            "sites.gpkg has them as they are"
        )
    if block["undrawn"]:
        notes.append(
            f"{block['undrawn']:,} sites of lower ranks are drawn as points, without an outline"
        )
    return tuple(notes)


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
