"""Layers of a plan, read once each and brought to the grid's CRS, near the AOI only."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import shapely

from geosite.crs import projected
from geosite.planning import reading_bounds
from geosite.sources import Features, declared_crs, read_features, selected

if TYPE_CHECKING:
    import geopandas as gpd

    from geosite.grid import Bounds
    from geosite.model.layer import Layer
    from geosite.planning import Plan


class Library:
    """Layers read once each, in the grid's CRS, near the AOI only."""

    def __init__(self, plan: Plan) -> None:
        """Remember the plan; nothing is read yet."""
        self.plan = plan
        self.read: dict[str, Features] = {}
        """What is said of each layer that was read; its features are in `frames`."""
        self.frames: dict[str, gpd.GeoDataFrame] = {}
        self.seconds = 0.0
        """Time that the files took."""

    def has(self, layer: str) -> bool:
        """Whether a layer is to be had."""
        return layer in self.plan.catalog and layer not in {u.layer for u in self.plan.missing}

    def optional(self, layer: str | None) -> gpd.GeoDataFrame | None:
        """Features near the AOI of a layer that may be left out."""
        return self.frame(layer) if layer and self.has(layer) else None

    def whole(self, layer: str) -> Features:
        """Features wherever they are, in the layer's own CRS."""
        catalog = self.plan.catalog
        return self._read(catalog[layer], None)

    def _read(self, layer: Layer, bounds: Bounds | None) -> Features:
        began = time.perf_counter()
        found = read_features(layer, self.plan.catalog, self.plan.data, bounds)
        self.seconds += time.perf_counter() - began
        # What is said of the layer stays; the features themselves go with their last reader.
        self.read.setdefault(found.layer.id, replace(found, frame=found.frame.iloc[:0]))
        return found

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
            catalog = self.plan.catalog
            entry = catalog[layer]
            bounds = reading_bounds(self.plan, declared_crs(entry, catalog))
            found = self._read(entry, bounds)
            frame = projected(found.frame, self.plan.grid.crs)
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
        return frame[selected(frame, where, f"layer {layer}")]
