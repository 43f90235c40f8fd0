"""Rasters of a plan, opened and ready to be sampled on a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geosite.crs import projected_bounds, projected_geometry
from geosite.harmonise import RasterSurface
from geosite.sources import Raster, open_raster

if TYPE_CHECKING:
    from geosite.grid import Grid
    from geosite.planning import Plan

MOST_SAMPLES = 4
"""Samples along each side of a cell that a finer raster is averaged from: sixteen are enough."""


def raster_surface(plan: Plan, layer: str, grid: Grid) -> tuple[RasterSurface, Raster]:
    """A raster layer of a plan as a grid samples it, and what was opened.

    Parameters
    ----------
    grid : Grid
        In the CRS of the plan's grid; its cells may be of another size.

    Raises
    ------
    MissingLayerError, LayerDataError, CRSMismatchError
        See `sources.open_raster`.
    """
    raster = open_raster(plan.catalog[layer], plan.catalog, plan.data)
    centre = plan.aoi.representative_point()
    x, y = projected_geometry(centre, grid.crs, raster.crs).coords[0]
    step = projected_bounds(
        (centre.x, centre.y, centre.x + 1000, centre.y + 1000), grid.crs, raster.crs
    )
    # How many raster cells a grid cell spans, measured at the middle of the AOI's grid.
    pixels = (step[2] - step[0]) / 1000 * grid.resolution / abs(raster.transform.a)
    samples = min(max(1, round(pixels)), MOST_SAMPLES) if np.isfinite([x, y, pixels]).all() else 1
    surface = RasterSurface(
        raster.path, raster.crs, raster.transform, raster.shape, raster.nodata, samples
    )
    return surface, raster
