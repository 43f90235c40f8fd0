"""Surfaces of one grid as the bands of one Cloud Optimized GeoTIFF, each with its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio

from geosite.cogs import optimized

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from geosite.grid import Grid


def write_bands(path: Path, grid: Grid, bands: Mapping[str, NDArray[np.floating[Any]]]) -> None:
    """Write surfaces (y, x) as float32 bands in their order, NaN where they have no value.

    Parameters
    ----------
    bands : mapping of name to (y, x)
        A name becomes the description of its band.
    """
    rough = path.with_suffix(".rough.tif")
    rows, columns = grid.shape
    profile = {
        "driver": "GTiff",
        "height": rows,
        "width": columns,
        "count": len(bands),
        "dtype": "float32",
        "crs": grid.crs.to_wkt(),
        "transform": grid.transform,
        "nodata": np.nan,
        "interleave": "band",
        "bigtiff": "if_safer",
    }
    with rasterio.Env(GDAL_CACHEMAX=64):
        with rasterio.open(rough, "w", **profile) as file:
            for k, (name, values) in enumerate(bands.items(), 1):
                file.write(np.asarray(values, np.float32), k)
                file.set_band_description(k, name)
        optimized(rough, path)
