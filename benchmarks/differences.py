"""The answer of the naive script, changed one convention at a time towards those of the others.

Each rung changes one thing that has a name and says how many patches there are then: what is
left at the end has no name yet. Distances are exact (`edt`), so speed is all that differs there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import agreement
import edt
import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from affine import Affine
from rasterio import features
from rasterio.transform import from_origin
from scipy import ndimage

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RES, LEFT, TOP, SHAPE = 90.0, -2_100_000.0, 2_300_000.0, (6000, 8000)
WORST = {"occurrences": 20_000, "roads": 30_000, "rail": 50_000, "power": 50_000}
WEIGHT = {"occurrences": 0.35, "roads": 0.20, "rail": 0.15, "power": 0.15}
HALO = 556
"""Cells within which the widest criterion tells."""
THRESHOLD, SETBACK, STEEP = 0.8, 1000.0, 0.6


class _Workload:
    # Its layers on one grid; what several rungs share is made once.
    def __init__(self, folder: Path, left: float, top: float, shape: tuple[int, int]) -> None:
        names = (*WORST, "habitat", "tribal", "wilderness", "parcels")
        self.layers = {n: gpd.read_file(folder / f"{n}.gpkg") for n in names}
        self.transform, self.shape = from_origin(left, top, RES, RES), shape
        with rasterio.open(folder / "dem.tif") as file:
            dem = file.read(1)
        down, across = (TOP - top) / RES, (left - LEFT) / RES
        if down or across:
            # Between the four nearest pixel centres; none outside.
            at = np.array([down, across])
            dem = ndimage.affine_transform(
                dem, [1.0, 1.0], at, shape, order=1, cval=np.nan, output="f4"
            )
        self.dem = dem
        pairs = zip(self.layers["parcels"].geometry, self.layers["parcels"].id, strict=True)
        self.parcels = self.burnt(pairs, dtype="int32")
        self.closed = self.burnt(self.layers["habitat"].geometry) | self.burnt(
            self.layers["tribal"].geometry
        )

    def burnt(self, geometries: Any, **how: Any) -> NDArray[Any]:
        how = {"dtype": "uint8"} | how
        return features.rasterize(geometries, out_shape=self.shape, transform=self.transform, **how)

    def distance(self, geometries: Any, *, beyond: int, **how: Any) -> NDArray[np.float32]:
        # To what lies inside, or as many cells beyond the square.
        rows, columns = self.shape
        near = features.rasterize(
            geometries,
            out_shape=(rows + 2 * beyond, columns + 2 * beyond),
            transform=self.transform * Affine.translation(-beyond, -beyond),
            dtype="uint8",
            **how,
        )
        far = edt.edt(near == 0, parallel=0)
        return far[beyond : beyond + rows, beyond : beyond + columns] * np.float32(RES)

    def access(self, *, all_touched: bool, beyond: int = 0) -> NDArray[np.float32]:
        total = np.zeros(self.shape, "f4")
        for name, worst in WORST.items():
            touched = all_touched or name == "occurrences"
            shapes = self.layers[name].geometry
            far = self.distance(shapes, beyond=beyond, all_touched=touched)
            total += np.float32(WEIGHT[name]) * np.clip(1 - far / np.float32(worst), 0, 1)
        return total

    def wilderness(self, *, buffered: bool, beyond: int = 0) -> NDArray[np.bool_]:
        frame = self.layers["wilderness"]
        if buffered:
            return self.burnt(frame.buffer(SETBACK)) > 0
        return self.distance(frame.geometry, beyond=beyond) <= SETBACK

    def slope(self, *, horn: bool, rim: bool = False) -> NDArray[np.float32]:
        if not horn:
            down, across = np.gradient(self.dem, RES)
            steep = np.hypot(down, across)
            if not rim:
                steep[[0, -1]], steep[:, [0, -1]] = np.nan, np.nan
            return steep
        z = np.pad(self.dem, 1, constant_values=np.nan)
        across = (z[:-2, 2:] - z[:-2, :-2]) + 2 * (z[1:-1, 2:] - z[1:-1, :-2])
        across += z[2:, 2:] - z[2:, :-2]
        down = (z[2:, :-2] - z[:-2, :-2]) + 2 * (z[2:, 1:-1] - z[:-2, 1:-1])
        down += z[2:, 2:] - z[:-2, 2:]
        return np.hypot(across, down) / (8 * RES)

    def patches(
        self,
        access: NDArray[np.float32],
        wilderness: NDArray[np.bool_],
        slope: NDArray[np.float32],
    ) -> dict[str, Any]:
        suitable = access + 0.15 * np.clip(1 - slope / np.float32(STEEP), 0, 1)
        closed = (self.closed > 0) | wilderness | (self.parcels == 0)
        suitable[closed | ~(slope < STEEP)] = np.nan
        candidate = np.where(suitable > THRESHOLD, self.parcels, 0)
        rows = []
        for parcel, window in enumerate(ndimage.find_objects(candidate), 1):
            if window is None:
                continue
            label, found = ndimage.label(candidate[window] == parcel)
            index = np.arange(1, found + 1)
            means = ndimage.mean(suitable[window], label, index)
            rows.append(np.c_[np.bincount(label.ravel())[1:], means])
        table = pd.DataFrame(np.vstack(rows), columns=["cells", "suitability"])
        return agreement.summary(table) | {
            "eligible_cells": int(np.isfinite(suitable).sum()),
            "cells_before_slope": int((~closed).sum()),
        }


def ladder(folder: Path, runs: dict[str, Path]) -> dict[str, list[dict[str, Any]]]:
    """Rungs from the naive script to geosite and to GRASS: what changed, and the patches then."""
    with rasterio.open(runs["geosite"] / "suitability.tif") as file:
        left, top, shape = file.transform.c, file.transform.f, file.shape
    horn = _slope_method(runs["geosite"]) == "horn"
    found: dict[str, list[dict[str, Any]]] = {"geosite": [], "grass": []}

    def rung(change: str, patches: dict[str, Any], *towards: str) -> None:
        for tool in towards:
            found[tool].append({"change": change} | patches)

    first = _Workload(folder, LEFT, TOP, SHAPE)
    access = first.access(all_touched=True)
    outline, by_cells = first.wilderness(buffered=True), first.wilderness(buffered=False)
    own, rimless, smooth = (
        first.slope(horn=False, rim=True),
        first.slope(horn=False),
        first.slope(horn=True),
    )
    rung("the naive script", first.patches(access, outline, own), "geosite", "grass")
    rung(
        "slope by Horn's formula, none at the rim",
        first.patches(access, outline, smooth),
        *(["geosite", "grass"] if horn else ["grass"]),
    )
    if not horn:
        rung("no slope at the rim", first.patches(access, outline, rimless), "geosite")
    setback = "setback from the burnt cells instead of the outline"
    rung(setback, first.patches(access, by_cells, smooth), "grass")
    ours = smooth if horn else rimless
    rung(setback, first.patches(access, by_cells, ours), "geosite")
    if "grass" in runs:
        thin = first.access(all_touched=False)
        rung("lines burnt thin", first.patches(thin, by_cells, smooth), "grass")
    del access, outline
    seen = first.access(all_touched=True, beyond=HALO)
    near = first.wilderness(buffered=False, beyond=HALO)
    rung("what lies beyond the square is seen", first.patches(seen, near, ours), "geosite")
    if (left, top) == (LEFT, TOP):
        return found
    del first, seen, near, by_cells, own, rimless, smooth, ours
    moved = _Workload(folder, left, top, shape)
    rung(
        "cells at whole multiples of 90 m, heights interpolated there",
        moved.patches(
            moved.access(all_touched=True, beyond=HALO),
            moved.wilderness(buffered=False, beyond=HALO),
            moved.slope(horn=horn),
        ),
        "geosite",
    )
    return found


def _slope_method(run: Path) -> str:
    said = json.loads((run / "run.json").read_text(encoding="utf-8"))
    reading = next(c["reading"] for c in said["criteria"] if c["id"] == "slope")
    return str(reading["measure"].get("method", "horn"))
