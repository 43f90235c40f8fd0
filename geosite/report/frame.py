"""A Folium page of our own: named elements, text as it is, base maps to switch on."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Any

import folium
from branca.element import Element

_OSM = '&copy; <a href="https://www.openstreetmap.org/copyright">OpenStreetMap</a> contributors'
_USGS = "https://basemap.nationalmap.gov/arcgis/rest/services/{}/MapServer/tile/{{z}}/{{y}}/{{x}}"
BASES = {
    "topo": ("USGS Topo", _USGS.format("USGSTopo"), "USGS The National Map", 16),
    "imagery": ("USGS Imagery", _USGS.format("USGSImageryOnly"), "USGS The National Map", 16),
    "osm": ("OpenStreetMap", "https://tile.openstreetmap.org/{z}/{x}/{y}.png", _OSM, 19),
}
"""Id → (title, address, attribution, finest zoom that a server has) of each online base map."""


class Raw(Element):
    """Text that goes into the page as it is: Folium would run it through a template."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def render(self, **_kwargs: Any) -> str:
        """The text."""
        return self.text


def named(element: Any, id_: str) -> Any:
    """An element of Folium with a name of its own, so that the page is the same every time."""
    # Folium draws random names.
    element._id = id_  # noqa: SLF001
    return element


def add_bases(page: folium.Map) -> dict[str, str]:
    """Add the online base maps, switched off; id → name of the script's variable.

    Nothing is asked of a server before a reader switches one on.
    """
    names = {}
    for id_, (title, url, attribution, finest) in BASES.items():
        layer = folium.TileLayer(
            url, attr=attribution, name=title, overlay=True, show=False, max_zoom=19,
            max_native_zoom=finest, title=title,
        )  # fmt: skip
        names[id_] = named(layer, id_).add_to(page).get_name()
    return names


@lru_cache(maxsize=64)
def static(package: str, name: str) -> str:
    """Text of a file in a package's folder ``static``."""
    return (resources.files(package) / "static" / name).read_text(encoding="utf-8")
