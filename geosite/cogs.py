"""A rough GeoTIFF made into a Cloud Optimized one."""

from __future__ import annotations

from pathlib import Path

import rasterio.shutil


def optimized(rough: Path, path: Path) -> None:
    """Copy a GeoTIFF as a Cloud Optimized one with overviews, and take the rough one away.

    Overviews take the nearest cell, so that a status or a hole stays what it is.
    """
    rasterio.shutil.copy(
        rough,
        path,
        driver="COG",
        compress="zstd",
        level=1,
        overview_resampling="nearest",
        num_threads="all_cpus",
        bigtiff="if_safer",
    )
    rough.unlink()
