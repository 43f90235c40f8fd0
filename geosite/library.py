"""Layers of a plan, read once each and brought to the grid's CRS, near the AOI only."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import shapely

from geosite.crs import projected, projected_bounds
from geosite.planning import reading_bounds
from geosite.sources import Features, declared_crs, placed, read_features, selected

if TYPE_CHECKING:
    import geopandas as gpd

    from geosite.grid import Bounds
    from geosite.model.layer import Layer
    from geosite.model.lock import Box
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
            bounds = reading_bounds(self.plan, declared_crs(catalog[layer], catalog))
            self.frames[layer] = self._on_the_grid(layer, bounds)
        return _where(self.frames[layer], layer, where)

    def around(self, layer: str, where: str | None, bounds: Bounds) -> gpd.GeoDataFrame:
        """Features near some bounds in the grid's CRS, which may lie far beyond the AOI."""
        catalog, crs = self.plan.catalog, self.plan.grid.crs
        read = projected_bounds(bounds, crs, declared_crs(catalog[layer], catalog))
        return _where(self._on_the_grid(layer, read), layer, where)

    def boxes(self, layer: str) -> list[Box]:
        """Areas beyond which a layer was not fetched [degrees]; none if all of it is there."""
        catalog, data = self.plan.catalog, self.plan.data
        parts = [catalog[i] for i in catalog[layer].union_of] or [catalog[layer]]
        there = [placed(part, catalog, data) for part in parts]
        return [p.held.entry.box for p in there if p and p.held and p.held.entry.box]

    def _on_the_grid(self, layer: str, bounds: Bounds) -> gpd.GeoDataFrame:
        found = self._read(self.plan.catalog[layer], bounds)
        frame = projected(found.frame, self.plan.grid.crs)
        # A ring that just touches itself in degrees may cross itself on the grid.
        crossed = ~shapely.is_valid(frame.geometry.to_numpy())
        if crossed.any():
            frame.loc[crossed, "geometry"] = shapely.make_valid(frame.geometry.to_numpy()[crossed])
        return frame


def _where(frame: gpd.GeoDataFrame, layer: str, where: str | None) -> gpd.GeoDataFrame:
    return frame if where is None else frame[selected(frame, where, f"layer {layer}")]
