"""A function over tiles on Dask. Knows nothing of land or law."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import rasterio
from dask import compute, delayed

from geosite.grid import Grid

R = TypeVar("R")


def mapped(function: Callable[[Grid], R], windows: Sequence[Grid], *, workers: int) -> list[R]:
    """Results of a function of each window, in the order of the windows.

    At most `workers` windows are in memory at once; the function writes what is
    large itself and returns what is small.
    """
    tasks = [delayed(function, pure=False)(w) for w in windows]
    # GDAL would keep a twentieth of the machine's memory for decoded blocks.
    with rasterio.Env(GDAL_CACHEMAX=64):
        found: Sequence[R] = compute(*tasks, scheduler="threads", num_workers=workers)
    return list(found)
