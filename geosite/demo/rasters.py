"""Rasters of a synthetic world, written tile by tile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import rasterio
from rasterio.windows import Window

from geosite.demo.noise import Noise
from geosite.demo.terrain import Terrain
from geosite.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

NODATA = -32768
MARGIN = 6_000.0
"""The ground is known this far beyond the area of interest [m]: more than any slope looks."""

_TILE = 1024
_GAP = 0.1
"""Edge of the corner without data, as a part of the world's."""


def write_elevation(path: Path, aoi: Grid, seed: int) -> None:
    """Write the elevation model [m], a whole number in 16 bits.

    The north-eastern corner has no data, so that the world shows unknown land.
    """
    terrain = Terrain(seed)
    grid = aoi.grown(int(np.ceil(MARGIN / aoi.resolution)))
    left, bottom, right, top = aoi.bounds
    gap_x, gap_y = right - _GAP * (right - left), top - _GAP * (top - bottom)

    def values(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int16]:
        height = np.rint(terrain.elevation(x, y)).astype(np.int16)
        height[np.ix_(y > gap_y, x > gap_x)] = NODATA
        return height

    _write(path, grid, values)


def write_water_rights(path: Path, aoi: Grid, seed: int) -> None:
    """Write the water of the basins that nobody holds [acre-ft/yr], on cells of at least 900 m."""
    size = max(900.0, aoi.resolution)
    grid = Grid.covering(aoi.bounds, aoi.crs, resolution=size)
    wet = Noise(seed, 95, 30_000.0)

    def values(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int16]:
        return np.rint(np.maximum(2_500.0 + 5_500.0 * wet.on_grid(x, y), 0.0)).astype(np.int16)

    _write(path, grid, values)


def write_net_evaporation(path: Path, aoi: Grid, seed: int) -> None:
    """Write yearly evaporation less precipitation [mm/yr]: high on low ground, less on ranges."""
    terrain = Terrain(seed)
    grid = Grid.covering(aoi.bounds, aoi.crs, resolution=max(900.0, aoi.resolution))

    def values(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int16]:
        dried = 1_900.0 - 0.5 * terrain.elevation(x, y)
        return np.rint(np.maximum(dried, 0.0)).astype(np.int16)

    _write(path, grid, values)


def _write(
    path: Path,
    grid: Grid,
    values: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.int16]],
) -> None:
    rows, columns = grid.shape
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", width=columns, height=rows, count=1, dtype="int16",
        crs=grid.crs, transform=grid.transform, nodata=NODATA, tiled=True, blockxsize=512,
        blockysize=512, compress="zstd", predictor=2, zstd_level=3, BIGTIFF="IF_SAFER",
    ) as file:  # fmt: skip
        for tile in grid.tiles(_TILE):
            window = Window(
                tile.column - grid.column, tile.row - grid.row, tile.shape[1], tile.shape[0]
            )
            x, y = tile.centres()
            file.write(values(np.asarray(x, float), np.asarray(y, float)), 1, window=window)
