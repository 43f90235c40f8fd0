"""The map of a run: one HTML file that asks nothing of a network and ranks as you think."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geosite.map.page import render_map, write_map
    from geosite.map.saving import saved_map

__all__ = ["render_map", "saved_map", "write_map"]


def __getattr__(name: str) -> Any:
    # Folium is slow to import, and wanted last.
    if name not in __all__:
        msg = f"module 'geosite.map' has no attribute {name!r}"
        raise AttributeError(msg)
    from geosite.map import page, saving  # noqa: PLC0415

    return getattr(saving if name == "saved_map" else page, name)
