"""Land that each layer speaks for, as polygons on the grid's CRS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import shapely

from geosite.aoi import STATES, named_states
from geosite.crs import WGS84, projected, projected_geometry

if TYPE_CHECKING:
    from geosite.grid import Bounds
    from geosite.library import Library


def covered_land(library: Library, layer: str, bounds: Bounds) -> gpd.GeoDataFrame | None:
    """Polygons that a layer speaks for; None if it speaks everywhere.

    Parameters
    ----------
    bounds
        Of all land in question, in the grid's CRS: beyond it nothing need be right.
    """
    plan = library.plan
    declared, crs = plan.catalog[layer].coverage, plan.grid.crs
    match declared.kind:
        case "states" | "except_states":
            states = library.whole(STATES).frame
            named = named_states(states, declared.names, f"layer {layer}: coverage.names")
            frame = projected(named, crs)
            if declared.kind == "except_states":
                gaps = shapely.union_all(shapely.make_valid(frame.geometry.to_numpy()))
                rest = shapely.box(*bounds).difference(gaps)
                frame = gpd.GeoDataFrame(geometry=[rest], crs=crs)
            return frame
        case "box":
            box = shapely.box(declared.west, declared.south, declared.east, declared.north)
            shape = projected_geometry(shapely.segmentize(box, 0.05), WGS84, crs)
            return gpd.GeoDataFrame(geometry=[shape], crs=crs)
        case "inside":
            # What would say where the layer speaks is missing: it speaks nowhere.
            inside = library.optional(declared.layer)
            return gpd.GeoDataFrame(geometry=[], crs=crs) if inside is None else inside
        case _:
            return None
