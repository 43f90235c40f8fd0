"""How far two answers agree: patches and their means, surfaces cell by cell, bytes of two runs."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
import zarr
from rasterio.windows import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST = 50
"""Cells of the smallest patch that counts."""
COUNT_BAR, MEAN_BAR = 0.01, 0.005
"""Largest difference of the number of patches (as a share) and of their mean suitability."""
_BINS = 10_000
_BLOCK = 1024


def geosite_patches(run: Path) -> gpd.GeoDataFrame:
    """Patches of a run: cells, suitability, geometry."""
    frame = gpd.read_parquet(run / "sites.parquet")
    cell = _cell_area(run / "suitability.tif")
    cells = (frame["area_ha"] * 10_000 / cell).round().astype(int)
    return frame[["suitability", "geometry"]].assign(cells=cells)


def naive_patches(path: Path) -> gpd.GeoDataFrame:
    """Patches of the naive script: cells, suitability, geometry."""
    return gpd.read_file(path)[["cells", "suitability", "geometry"]]


def grass_patches(path: Path) -> pd.DataFrame:
    """Patches of GRASS from its table of statistics: cells, suitability."""
    frame = pd.read_csv(path, sep="|")
    return frame[["non_null_cells", "mean"]].set_axis(["cells", "suitability"], axis=1)


def summary(patches: pd.DataFrame) -> dict[str, Any]:
    """Number, cells and mean suitability of the patches that count."""
    large = patches[patches["cells"] >= LEAST]
    return {
        "patches": len(large),
        "cells": int(large["cells"].sum()),
        "mean_suitability": round(float(large["suitability"].mean()), 5),
    }


def agree(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Whether two summaries are within the bars."""
    count = one["patches"] / other["patches"] - 1
    mean = one["mean_suitability"] - other["mean_suitability"]
    return {
        "patches_pct": round(100 * count, 2),
        "mean_difference": round(mean, 5),
        "within_bars": abs(count) <= COUNT_BAR and abs(mean) <= MEAN_BAR,
    }


def shared_area_pct(one: gpd.GeoDataFrame, other: gpd.GeoDataFrame) -> float:
    """Area in both sets of patches, over the area in either [%]."""
    a, b = (shapely.union_all(f.geometry[f["cells"] >= LEAST].to_numpy()) for f in (one, other))
    both = shapely.area(shapely.intersection(a, b))
    return round(100 * both / (shapely.area(a) + shapely.area(b) - both), 2)


def surface_difference(one: Path, other: Path) -> dict[str, Any]:
    """Suitability of two rasters cell by cell: how many cells have it, and how far they differ.

    A cell of the first is compared with the cell of the second that holds its centre.
    """
    both = only_one = only_other = above = 0
    total, signed, largest = 0.0, 0.0, 0.0
    counts = np.zeros(_BINS + 1, np.int64)
    with rasterio.open(one) as a, rasterio.open(other) as b:
        x, y = a.transform * (0.5, 0.5)
        at = ~b.transform * (x, y)
        column, row = (math.floor(v) for v in at)
        same = all(abs(v - n - 0.5) < 1e-6 for v, n in zip(at, (column, row), strict=True))
        for top in range(0, a.height, _BLOCK):
            height = min(_BLOCK, a.height - top)
            first = _values(a, 0, top, a.width, height)
            second = _values(b, column, row + top, a.width, height)
            here, there = np.isfinite(first), np.isfinite(second)
            difference = (first - second)[here & there].astype(np.float64)
            away = np.abs(difference)
            both += difference.size
            only_one += int((here & ~there).sum())
            only_other += int((there & ~here).sum())
            above += int((away > MEAN_BAR).sum())
            total, signed = total + away.sum(), signed + difference.sum()
            largest = max(largest, float(away.max(initial=0.0)))
            counts += np.bincount((away * _BINS).astype(np.int64), minlength=_BINS + 1)
    beyond = np.searchsorted(np.cumsum(counts), 0.99 * both)
    return {
        "same_cells": same,
        "cells_in_both": both,
        "cells_in_first_only": only_one,
        "cells_in_second_only": only_other,
        "mean_difference": round(signed / max(both, 1), 6),
        "mean_absolute_difference": round(total / max(both, 1), 6),
        "p99_absolute_difference": round(float(beyond + 1) / _BINS, 4),
        "largest_absolute_difference": round(largest, 4),
        "cells_beyond_bar_pct": round(100 * above / max(both, 1), 3),
    }


def _values(
    file: rasterio.DatasetReader, column: int, row: int, width: int, height: int
) -> NDArray[np.float32]:
    values: NDArray[np.float32] = file.read(
        1, window=Window(column, row, width, height), boundless=True, fill_value=np.nan
    )
    return values


def _cell_area(path: Path) -> float:
    with rasterio.open(path) as file:
        return abs(float(file.transform.a * file.transform.e))


def fingerprints(run: Path) -> dict[str, str]:
    """Hashes of what two runs of one question must share: table, outlines, decoded surfaces."""
    sites = gpd.read_parquet(run / "sites.parquet")
    found = {
        "sites.csv": _digest((run / "sites.csv").read_bytes()),
        "outlines": _digest(b"".join(shapely.to_wkb(sites.geometry.to_numpy()))),
    }
    group = zarr.open_group(run / "surfaces.zarr", mode="r")
    for name, array in sorted(group.arrays()):
        digest = hashlib.sha256()
        # In bands, not in chunks: chunks may differ where the answer does not.
        for lead in np.ndindex(*array.shape[:-2]):
            for top in range(0, array.shape[-2] if array.ndim > 1 else 1, _BLOCK):
                at = (*lead, slice(top, top + _BLOCK)) if array.ndim > 1 else ...
                digest.update(np.ascontiguousarray(array[at]).tobytes())
        found[name] = digest.hexdigest()
    return found


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
