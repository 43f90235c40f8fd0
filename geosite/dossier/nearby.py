"""Layers near some sites, read once each, and the land that each of them speaks for."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geosite.aoi import STATES
from geosite.crs import WGS84, projected, projected_bounds, projected_geometry
from geosite.errors import GeositeError
from geosite.report.dossier_content import LayerFacts
from geosite.sources import declared_crs, missing_reason, read_features, selected

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosite.planning import Plan
    from geosite.sources import Features

_NAMES = ("name", "serial", "label", "case", "unit", "species", "kind", "status")
"""Columns that a feature is called by, the best first."""
_NO_NAMES = ("NOT AVAILABLE", "N/A", "NONE", "UNKNOWN")
"""What publishers write where they know no name."""
_DENSE = 0.05
"""Step [degrees] at which a declared box is densified before it is projected."""


class Nearby:
    """Layers near some sites, in the dossier's CRS.

    Parameters
    ----------
    plan : Plan
        Its catalogue and data; its AOI is not looked at.
    sites : GeoDataFrame
        In the dossier's CRS.
    margin : float
        How far around each site features are of interest [m].
    """

    def __init__(self, plan: Plan, sites: gpd.GeoDataFrame, margin: float) -> None:
        """Nothing is read yet."""
        self.plan, self.sites, self.margin = plan, sites, margin
        self._frames: dict[str, gpd.GeoDataFrame] = {}
        self._read: dict[str, Features] = {}
        self._covered: dict[str, NDArray[np.float64]] = {}
        self._broken: dict[str, str] = {}

    def lack(self, layer: str) -> str:
        """Why a layer cannot be read; empty if it can, or was."""
        if layer in self._broken:
            return self._broken[layer]
        catalog = self.plan.catalog
        if layer not in catalog:
            return "not in the catalogue"
        return missing_reason(catalog[layer], catalog, self.plan.data) or ""

    def frame(self, layer: str, where: str | None = None) -> gpd.GeoDataFrame | None:
        """Features near the sites; None if the layer is not to be had, see `lack`."""
        if layer not in self._frames and not self._opened(layer):
            return None
        frame = self._frames[layer]
        return frame if where is None else frame[selected(frame, where, f"layer {layer}")]

    def _opened(self, layer: str) -> bool:
        if self.lack(layer) or self.plan.catalog[layer].geometry == "raster":
            return False
        try:
            self._frames[layer] = self._near(layer)
        except GeositeError as error:
            # A dossier says what it could not examine; one damaged file does not end it.
            self._broken[layer] = " ".join(str(error).split())
            return False
        return True

    def _near(self, layer: str) -> gpd.GeoDataFrame:
        catalog, crs = self.plan.catalog, self.sites.crs
        native = declared_crs(catalog[layer], catalog)
        # On the ground a metre of the plane may be a little more or less than one.
        wide = 1.05 * self.margin
        boxes = shapely.bounds(self.sites.geometry.to_numpy()) + wide * np.array([-1, -1, 1, 1])
        (left, bottom), (right, top) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        found = read_features(
            catalog[layer],
            catalog,
            self.plan.data,
            projected_bounds((left, bottom, right, top), crs, native),
        )
        self._read[layer] = found
        # Only what is near a site is worth projecting.
        windows = np.array([projected_bounds(tuple(b), crs, native) for b in boxes])
        tree = shapely.STRtree(np.asarray(shapely.box(*_unwrapped(windows).T), dtype=object))
        near = np.unique(tree.query(found.frame.geometry.to_numpy(), predicate=None)[0])
        frame = projected(found.frame.iloc[near], crs).reset_index(drop=True)
        shapes = frame.geometry.to_numpy()
        if (crossed := ~shapely.is_valid(shapes)).any():
            frame.loc[crossed, "geometry"] = shapely.make_valid(shapes[crossed])
        return _named(frame)

    def facts(self, layer: str) -> LayerFacts:
        """What is known of a layer, and how old it is on the day of the dossier."""
        known = self.plan.catalog.get(layer)
        if known is None:
            return LayerFacts(layer, missing=self.lack(layer))
        files = self._read[layer].files if layer in self._read else ()
        retrieved = min((f.retrieved[:10] for f in files if f.retrieved), default="")
        age = (self.plan.as_of - date.fromisoformat(retrieved)).days if retrieved else None
        limit = known.stale_after_days
        return LayerFacts(
            layer,
            known.title,
            known.agency,
            known.vintage,
            retrieved,
            age,
            None if limit is None or age is None else age > limit,
            known.positional_accuracy,
            known.absence == "informative",
            known.problems or "",
            self.lack(layer),
        )

    def covered(self, layer: str) -> NDArray[np.float64]:
        """Share of each site that a layer speaks for: (sites,), 0 to 1."""
        if layer not in self._covered:
            self._covered[layer] = self._shares(layer)
        return self._covered[layer]

    def _shares(self, layer: str) -> NDArray[np.float64]:
        shapes = self.sites.geometry.to_numpy()
        land = self._spoken_for(layer)
        if land is None:
            return np.ones(len(shapes))
        whole, sign = land
        cut = shapely.area(shapely.intersection(shapes, whole)) / shapely.area(shapes)
        return np.asarray(np.clip(cut if sign else 1.0 - cut, 0.0, 1.0), np.float64)

    def _spoken_for(self, layer: str) -> tuple[shapely.Geometry, bool] | None:
        """Land that it speaks for, or (False) is silent about; None if it speaks everywhere."""
        declared, crs = self.plan.catalog[layer].coverage, self.sites.crs
        match declared.kind:
            case "states" | "except_states":
                states = self.frame(STATES)
                if states is None:
                    # Nobody can say where it ends: it is taken at its word nowhere.
                    return shapely.Polygon(), True
                wanted = {n.casefold() for n in declared.names}
                named = states[states["name"].astype(str).str.casefold().isin(wanted)]
                shape = shapely.union_all(named.geometry.to_numpy())
                return shape, declared.kind == "states"
            case "box":
                box = shapely.box(declared.west, declared.south, declared.east, declared.north)
                return projected_geometry(shapely.segmentize(box, _DENSE), WGS84, crs), True
            case "inside":
                inside = self.frame(declared.layer)
                if inside is None:
                    return shapely.Polygon(), True
                return shapely.union_all(inside.geometry.to_numpy()), True
            case _:
                return None


def _named(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Features with a column ``name``: of those without, the first that tells them apart."""
    there = [c for c in _NAMES if c in frame]
    if not there:
        return frame
    name = frame[there[0]].astype(object)
    name = name.where(~name.astype(str).str.upper().isin(_NO_NAMES))
    for column in there[1:]:
        name = name.where(name.notna() & (name.astype(str) != ""), frame[column].astype(object))
    return frame.assign(name=name)


def _unwrapped(
    windows: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Windows whose left is right of their right cross the antimeridian: all longitudes then."""
    out = windows.copy()
    crossing = out[:, 0] > out[:, 2]
    out[crossing, 0], out[crossing, 2] = -180.0, 180.0
    return out
