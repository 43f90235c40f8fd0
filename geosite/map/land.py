"""Land by agency, and what each rule excludes, as layers of the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geosite.map.entries import Entry, Layers, Legend, Tiles

if TYPE_CHECKING:
    import geopandas as gpd

    from geosite.report.content import Content


def parcel_layers(content: Content) -> Layers:
    """To be written."""
    return Layers()


def exclusion_layers(content: Content) -> Layers:
    """To be written."""
    return Layers()
