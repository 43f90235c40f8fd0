"""The quiet base and the infrastructure, from what the run read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geosite.map.entries import Entry, Layers, Legend, Tiles

if TYPE_CHECKING:
    import geopandas as gpd

    from geosite.report.content import Content


def context_layers(content: Content) -> Layers:
    """To be written."""
    return Layers()
