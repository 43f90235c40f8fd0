"""How large the page may be: tiles and pictures packed into what room there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geosite.report.text import script_json

if TYPE_CHECKING:
    from geosite.map.entries import Layers
    from geosite.report.content import Content


def packed(
    layers: Layers, content: Content, room: float
) -> tuple[dict[str, str], dict[str, Any], list[str]]:
    """Blobs of all tiles and pictures, what is said of each archive, and what was simplified.

    Parameters
    ----------
    room : float
        Characters that all blobs together may take.
    """
    blobs = {
        f"picture-{name}": script_json({"url": p.url, "corners": p.corners})
        for name, p in layers.pictures.items()
    }
    return blobs, {}, []
