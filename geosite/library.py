"""Layers of a plan, read once each and brought to the grid's CRS, near the AOI only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from geosite.crs import projected
from geosite.planning import reading_bounds
from geosite.sources import Features, read_features, selected

if TYPE_CHECKING:
    import geopandas as gpd

    from geosite.planning import Plan


class Library:
    """Layers read once each, in the grid's CRS, near the AOI only."""

    def __init__(self, plan: Plan) -> None:
        """Remember the plan; nothing is read yet."""
        self.plan = plan
        self.read: dict[str, Features] = {}
        self.frames: dict[str, gpd.GeoDataFrame] = {}

    def has(self, layer: str) -> bool:
        """Whether a layer is to be had."""
        return layer in self.plan.catalog and layer not in {u.layer for u in self.plan.missing}

    def optional(self, layer: str | None) -> gpd.GeoDataFrame | None:
        """Features near the AOI of a layer that may be left out."""
        return self.frame(layer) if layer and self.has(layer) else None

    def whole(self, layer: str) -> Features:
        """Features wherever they are, in the layer's own CRS."""
        if layer not in self.read:
            catalog = self.plan.catalog
            self.read[layer] = read_features(catalog[layer], catalog, self.plan.data)
        return self.read[layer]

    @property
    def silent(self) -> list[str]:
        """What was read and has nothing in or near the AOI, in words."""
        return [
            f"layer {layer} shows nothing in or near the AOI"
            for layer, frame in sorted(self.frames.items())
            if frame.empty
        ]

    def frame(self, layer: str, where: str | None = None) -> gpd.GeoDataFrame:
        """Features near the AOI, in the grid's CRS."""
        if layer not in self.frames:
            found = self.whole(layer).frame
            left, bottom, right, top = reading_bounds(self.plan, found.crs)
            box = shapely.bounds(found.geometry.to_numpy())
            west, east = box[:, 0] <= right, box[:, 2] >= left
            # Bounds in degrees that cross the antimeridian, as Alaska's do, have left > right.
            near = west & east if left <= right else west | east
            near &= (box[:, 1] <= top) & (box[:, 3] >= bottom)
            frame = projected(found[near], self.plan.grid.crs)
            # A ring that just touches itself in degrees may cross itself on the grid.
            crossed = ~shapely.is_valid(frame.geometry.to_numpy())
            if crossed.any():
                frame.loc[crossed, "geometry"] = shapely.make_valid(
                    frame.geometry.to_numpy()[crossed]
                )
            self.frames[layer] = frame
        frame = self.frames[layer]
        if where is None:
            return frame
        # The condition must leave something of the whole layer; near this AOI it may not.
        place = f"layer {layer}"
        chosen = selected(self.whole(layer).frame, where, place)
        return frame[chosen[frame.index]]
