"""What the page holds: the data block, and the tiles, pictures and cards beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from geosite.crs import WGS84, projected, projected_bounds
from geosite.map.budget import packed, page_frame
from geosite.map.cards import card_block
from geosite.map.context_layers import context_layers
from geosite.map.entries import Layers
from geosite.map.land import exclusion_layers, parcel_layers
from geosite.map.minerals import deposit_layers
from geosite.map.naming import area_title
from geosite.map.results import result_layers
from geosite.map.site_block import SHARE, best_sites, site_block, site_notes
from geosite.map.surface_layers import surface_layers
from geosite.map.weight_block import weight_block
from geosite.report import palette
from geosite.report.text import plain, script_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geosite.report.content import Content


@dataclass(frozen=True, slots=True)
class Block:
    """The data of a page.

    Attributes
    ----------
    data
        Plain JSON, read when the page opens.
    blobs
        Name → text (JSON or base64) that the page reads when it is first needed.
    notes
        What was simplified or left out to keep the page small, in words.
    """

    data: Mapping[str, Any]
    blobs: Mapping[str, str]
    notes: tuple[str, ...] = ()
    layers: Layers = field(default_factory=Layers)
    """What the tiles and pictures were made of."""


def block_of(content: Content, *, max_mb: float, max_sites: int, beside: str = "") -> Block:
    """The data of the page of a run, no larger than asked.

    Parameters
    ----------
    beside : str
        Folder beside the page with archives of full detail; none if empty.
    """
    west, south, east, north = first_view(content)
    sites = best_sites(content, max_sites)
    data: dict[str, Any] = {
        "title": plain(content.title, 200),
        "aoi": area_title(content.aoi_name),
        "notice": plain(content.disclaimer),
        "as_of": plain(content.as_of, 40),
        "marking": plain(content.marking, 200),
        "view": [[south, west], [north, east]],
        "palette": {"ranks": [list(r) for r in palette.RANKS]},
        "sites": site_block(content, sites, SHARE * 1e6 * max_mb),
        **weight_block(content),
    }
    layers = Layers.of(
        result_layers(content, sites),
        surface_layers(content),
        parcel_layers(content),
        exclusion_layers(content),
        deposit_layers(content),
        context_layers(content),
    )
    cards = script_json(card_block(content, sites))
    room = 1e6 * max_mb - len(script_json(data | {"layers": [e.data for e in layers.entries]}))
    room -= len(cards) + page_frame()
    blobs, archives, notes = packed(layers, room, beside=beside)
    data |= {"layers": [e.data for e in layers.entries], "archives": archives}
    said = (*site_notes(data["sites"]), *layers.notes, *notes)
    return Block(data, {"cards": cards, **blobs}, said, layers)


def first_view(content: Content) -> tuple[float, float, float, float]:
    """Bounds of what is shown first: west, south, east, north of the AOI [degrees, WGS 84].

    Of its outline, not of its box on the grid: that box is turned against the meridians, and
    its own bounds would be up to half as wide again.
    """
    if not content.aoi.empty:
        west, south, east, north = (float(v) for v in projected(content.aoi, WGS84).total_bounds)
        if np.isfinite([west, south, east, north]).all():
            return west, south, east, north
    return projected_bounds(extent(content), content.crs, WGS84)


def extent(content: Content) -> tuple[float, float, float, float]:
    """Bounds of what is shown: of the AOI, or of the surfaces where there is none; grid CRS."""
    if not content.aoi.empty:
        left, bottom, right, top = (float(v) for v in content.aoi.total_bounds)
        return left, bottom, right, top
    rows, columns = content.status.shape
    step = content.transform
    return step.c, step.f + rows * step.e, step.c + columns * step.a, step.f
