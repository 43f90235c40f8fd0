"""Sites and footprints, as layers of the tree; the page draws them itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geosite.map.entries import Entry, Layers, Legend, Tiles

if TYPE_CHECKING:
    import geopandas as gpd

    from geosite.report.content import Content


def result_layers(content: Content, sites: gpd.GeoDataFrame) -> Layers:
    """To be written."""
    return Layers()
