"""Sites, the footprints that fit them and the area of interest, as layers of the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely

from geosite.footprints import TENURES
from geosite.map.entries import Entry, Layers, Legend, Tiles
from geosite.map.land import drawable
from geosite.map.naming import area_title
from geosite.report import palette
from geosite.report.text import LIMIT, number, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from geosite.report.content import Content

GROUP = ("Result",)
_FINEST = 13
"""Parts of a footprint are a few hundred metres: they need more than the land does."""
_FROM_ZOOM = 10
"""From farther away they would be specks that hide the colours of the sites."""


def result_layers(content: Content, sites: gpd.GeoDataFrame) -> Layers:
    """The sites that are drawn, footprints and AOI; these two from the tiles ``results``.

    Parameters
    ----------
    sites : GeoDataFrame
        From `geosite.map.site_block.best_sites`.
    """
    classes = tuple(("fill", colour, words) for words, colour in palette.rank_classes(len(sites)))
    ranked = Entry(
        id="sites", title="Sites by rank", group=GROUP, kind="sites", count=len(content.sites),
        left_out=len(content.sites) - len(sites), shown=True, legend=Legend("classes", classes),
    )  # fmt: skip
    entries, frames = [ranked], {}
    if (found := content.footprints) is not None and not found.empty:
        there = drawable(found)
        names = _names(content)
        records = found.loc[there].drop(columns=found.geometry.name).to_dict("records")
        words = ["\n".join(_footprint_words(r, names)) for r in records]
        frames["footprints"] = found.loc[there, [found.geometry.name]].assign(words=words)
        entries.append(_outline("footprints", "Footprint that fits", palette.FOOTPRINT, found, 2.0))
    if not content.aoi.empty:
        there = drawable(content.aoi)
        shape = content.aoi.loc[there, [content.aoi.geometry.name]]
        # As lines: no fill of a tile is drawn for it, and pointing at land does not name it.
        lines = shapely.boundary(shape.geometry.to_numpy())
        frames["aoi"] = shape.set_geometry(lines, crs=content.aoi.crs)
        title = plain(f"Area of interest: {area_title(content.aoi_name)}", 120)
        entries.append(_outline("aoi", title, palette.AOI, content.aoi, 1.8))
    tiles = (Tiles("results", frames, finest=_FINEST),) if frames else ()
    return Layers(tuple(entries), tiles)


def _outline(id_: str, title: str, colour: str, frame: gpd.GeoDataFrame, width: float) -> Entry:
    style: dict[str, Any] = {"stroke": colour, "width": width, "opacity": 1.0}
    if id_ == "footprints":
        # They lie within the sites.
        style |= {"from_zoom": _FROM_ZOOM, "above": True}
    missing = int((~drawable(frame)).sum())
    return Entry(
        id=id_, title=title, group=GROUP, kind="tiles", source="results", layer=id_, style=style,
        count=len(frame) if id_ == "footprints" else None, left_out=missing, shown=True,
        legend=Legend("classes", (("line", colour, title),)),
    )  # fmt: skip


def _names(content: Content) -> dict[str, str]:
    sites = content.sites
    if not {"site_id", "name"} <= {*sites.columns}:
        return {}
    return {plain(i): plain(n, LIMIT) for i, n in zip(sites["site_id"], sites["name"], strict=True)}


def _footprint_words(part: Mapping[Any, Any], names: Mapping[str, str]) -> list[str]:
    acres = [(t, number(part.get(f"acres_{t}"))) for t in TENURES]
    site = plain(part.get("site_id"), 80)
    lines = [
        f"{plain(part.get('title'), 80)}: {number(part.get('acres')) or 0.0:,.0f} acres",
        ", ".join(f"{found or 0.0:,.0f} {tenure}" for tenure, found in acres),
        " · ".join(t for t in (names.get(plain(part.get("site_id")), ""), site) if t),
    ]
    return [line for line in lines if line]
